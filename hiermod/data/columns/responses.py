"""Reads and checks the response, and its exact sufficient statistics per cell."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import NoReturn

import numpy as np
import pandas as pd

from hiermod.data.columns.functions import calculate, learn
from hiermod.data.columns.levels import match_level
from hiermod.data.columns.moments import Moments
from hiermod.data.columns.texts import Texts, row_name
from hiermod.data.columns.values import Level, Leveled, Values, all_equal, check_finite, is_once, once
from hiermod.errors import DataError, did_you_mean, enumerate_names
from hiermod.formula.expressions import Arithmetic, Call, Column, Comparison, Expression, is_comparison, quote
from hiermod.formula.nodes import CountsResponse, Formula, LevelResponse, SingleResponse, TrialsResponse

SUCCESSES = ("yes", "y", "true", "t", "success", "1", "positive", "won", "converted", "alive")
BINARY, FIRST = (0.0, 1.0), 1000  # values, by which many are known to be others
LARGEST = 2.0**53  # counts up to here are exact
ROUNDING = 1e-12  # relative; a count may come as proportion times trials, as in p(rate * n, n)


@dataclass(frozen=True, eq=False)
class TrialsRows:
    """Successes out of trials, a pair a row, and how many times the row counts."""

    successes: np.ndarray
    trials: np.ndarray
    times: np.ndarray

    @property
    def weight(self) -> np.ndarray:
        """Trials that a row stands for."""
        return self.trials * self.times

    def chosen(self, keep: np.ndarray) -> TrialsRows:
        """The rows in `keep`."""
        return TrialsRows(self.successes[keep], self.trials[keep], self.times[keep])


@dataclass(frozen=True, eq=False)
class TallyRows:
    """Counts of categories, shape ``(rows, categories)``, and how many times each row counts."""

    name: str
    counts: np.ndarray
    times: np.ndarray
    categories: tuple[Level, ...]

    @property
    def weight(self) -> np.ndarray:
        """Trials that a row stands for."""
        return self.counts.sum(axis=1) * self.times

    def chosen(self, keep: np.ndarray) -> TallyRows:
        """The rows in `keep`."""
        return replace(self, counts=self.counts[keep], times=self.times[keep])


@dataclass(frozen=True, eq=False)
class SingleRows:
    """One number a row, what kind of numbers they are (``bool``, ``int``, ``float``), and how often the row counts.

    `transformed` tells that the numbers are no column but what a function made of columns; `index` names the rows.
    Of levels, kind ``level``, the numbers are places in `levels`, of which the second of two is R's success; `declared`
    are the levels in order, those that do not occur among them, where their order is a part of their meaning; `unused`
    others that do not occur.
    """

    name: str
    values: np.ndarray
    kind: str
    times: np.ndarray
    transformed: bool = False
    index: pd.Index = field(default_factory=lambda: pd.RangeIndex(0))
    levels: tuple[Level, ...] = ()
    declared: tuple[Level, ...] = ()
    unused: tuple[Level, ...] = ()

    @property
    def weight(self) -> np.ndarray:
        """Rows that a row stands for."""
        return self.times

    @property
    def within(self) -> np.ndarray | None:
        """The cross-products within rows that stand for many; None of single ones."""
        return None

    @property
    def binary(self) -> bool:
        """Whether only 0 and 1 occur."""
        first = self.values[:FIRST]
        return bool(np.isin(first, BINARY).all() and np.isin(self.values, BINARY).all()) and not self.transformed

    @property
    def whole(self) -> bool:
        """Whether only whole numbers from 0 on occur."""
        return all(((part >= 0) & (part == np.round(part))).all() for part in (self.values[:FIRST], self.values))

    @property
    def constant(self) -> bool:
        """Whether one value is all there is."""
        return all_equal(self.values)

    @property
    def categories(self) -> tuple[Level, ...]:
        """The levels, or the distinct whole numbers, in order."""
        if self.declared or self.levels:
            return self.declared or self.levels
        return tuple(int(number) for number in np.unique(self.values))

    @property
    def places(self) -> np.ndarray:
        """The place of each row's response among the categories, from 1 on."""
        known = self.levels or self.categories
        own = np.array([1 + self.categories.index(level) for level in known], dtype=float)
        return own[self.values.astype(np.int64)] if self.levels else own[np.searchsorted(np.array(known), self.values)]

    def chosen(self, keep: np.ndarray) -> SingleRows:
        """The rows in `keep`."""
        index = self.index[keep] if len(self.index) else self.index
        return replace(self, values=self.values[keep], times=self.times[keep], index=index)


@dataclass(frozen=True, eq=False)
class MomentRows(SingleRows):
    """Numbers that an engine has aggregated: `values` are means, and a row stands for all rows behind its `moments`.

    `repeats` says how often each of those rows counts, its frequency weight.
    """

    moments: Moments = field(kw_only=True)
    repeats: np.ndarray = field(kw_only=True)
    whole_numbers: bool = field(kw_only=True)

    @property
    def within(self) -> np.ndarray:
        """The cross-products within each row, as often as its rows count."""
        return self.repeats[:, None, None] * self.moments.cross

    @property
    def binary(self) -> bool:
        """An engine keeps 0/1 responses as they are."""
        return False

    @property
    def whole(self) -> bool:
        """Whether only whole numbers from 0 on occur."""
        return self.whole_numbers

    @property
    def constant(self) -> bool:
        """Whether one value is all there is."""
        return super().constant and not self.moments.cross[:, -1, -1].any()

    def chosen(self, keep: np.ndarray) -> MomentRows:
        """The rows in `keep`."""
        repeats, moments = self.repeats[keep], self.moments.chosen(keep)
        return replace(self, values=self.values[keep], times=self.times[keep], moments=moments, repeats=repeats)


ResponseRows = TrialsRows | TallyRows | SingleRows


def counted(response: ResponseRows, count: np.ndarray) -> ResponseRows:
    """The response where each row stands for several."""
    return response if is_once(count) else replace(response, times=response.times * count)


def read_response(formula: Formula, frame: pd.DataFrame) -> ResponseRows:
    """Read the response of rows without missing values.

    Raises
    ------
    DataError
        On text, infinity, negative or fractional counts or weights, and more successes than trials.
    """
    response = formula.response
    times = once(len(frame)) if formula.weights is None else read_counts(Column(formula.weights), frame, WEIGHTS)
    if isinstance(response, LevelResponse):
        return _read_level(response, Values(response.column, frame[response.column]), times)
    if isinstance(response, SingleResponse):
        if isinstance(response.expression, Column):
            name = response.expression.name
            return _read_single(Values(name, frame[name]), times)
        return _read_transformed(response, frame, times)
    if isinstance(response, CountsResponse):
        return _read_tallies(response, frame, times)
    numbers = " Round them, if they are counts that were scaled."
    if response.slash:
        numbers = f" As numbers, with a family of these such as gaussian: {response.ratio}."
    successes = read_counts(response.successes, frame, numbers)
    trials = read_counts(response.trials, frame, numbers)
    above = np.flatnonzero(successes > trials)
    if len(above):
        first = above[0]
        raise DataError(
            f"More successes than trials in {len(above)} rows: {row_name(frame.index, first)} has "
            f"{response.successes} = {successes[first]:g} and {response.trials} = {trials[first]:g}. "
            f"{_swap_hint(response)}"
        )
    return TrialsRows(successes, trials, times)


def _read_tallies(response: CountsResponse, frame: pd.DataFrame, times: np.ndarray) -> TallyRows:
    """Counts of each category, which add up to the trials where these are said."""
    counts = np.column_stack([read_counts(count, frame) for count in response.counts])
    if response.stated is not None:
        trials = read_counts(response.stated, frame)
        wrong = np.flatnonzero(counts.sum(axis=1) != trials)
        if len(wrong):
            first = wrong[0]
            raise DataError(
                f"The counts of {response} do not add up to {response.stated} in {len(wrong)} rows: "
                f"{row_name(frame.index, first)} has {counts[first].sum():g} and {trials[first]:g}. Add a column for "
                f"the rest, or leave trials({response.stated}) out."
            )
    return TallyRows(response.name, counts, times, response.categories)


def _read_level(response: LevelResponse, values: Values, times: np.ndarray) -> SingleRows:
    """Whether each row has the level, as 0 and 1."""
    codes, levels = values.leveled.codes, values.leveled.levels
    level = match_level(response.level, levels, response.column)
    if level is None:
        raise DataError(f"{response}: there is no level {response.level!r}.{did_you_mean(response.level, levels)}")
    if values.texts:
        _refuse_markers(str(response), level, values.texts)
    hit = codes == levels.index(level)
    return SingleRows(response.name, hit.astype(float), "bool", times, index=values.series.index)


def _refuse_markers(response: str, level: Level | None, texts: Texts) -> None:
    """Refuse to count markers of missing values as failures, unless the level that counts is one of them."""
    gaps = texts.meaning in ("gaps", "formatted", "stained")
    markers = texts.no_outcomes
    if not markers or level in markers:
        return
    counts = "would count" if level is not None else "holds text, and a level of it as the success would count"
    if gaps:
        raise DataError(
            f"{response} {counts} {enumerate_names(markers, 3)} as failures. {texts.findings} {texts.remedy} "
            f"If it is an outcome, give it a name: {texts.naming}."
        )
    raise DataError(
        f"{response} {counts} {enumerate_names(markers, 3)}{texts.rows_of(markers)} as failures. If that means "
        f"missing, {texts.gaps_remedy(markers)}. If it is an outcome, give it a name: {texts.naming}."
    )


def _refuse_markers_behind(response: SingleResponse, frame: pd.DataFrame) -> None:
    """The same where a comparison or a factor of a column is the response; a comparison may name a marker."""
    named = str(response)
    for values in (Values(name, frame[name]) for name in response.expression.columns):
        if values.texts and not any(repr(marker) in named for marker in values.texts.markers):
            _refuse_markers(named, None, values.texts)


def _read_transformed(response: SingleResponse, frame: pd.DataFrame, times: np.ndarray) -> SingleRows:
    recipe = learn(response.name, response.expression, frame, times)
    values = recipe.apply(frame)
    if isinstance(values, Leveled):
        _refuse_markers_behind(response, frame)
    if isinstance(values, Leveled) and is_comparison(response.expression):
        return SingleRows(response.name, values.codes.astype(float), "bool", times, index=frame.index)
    if isinstance(values, Leveled) and plain_factor(response):
        return _of_levels(response.name, values, times, frame.index)
    if isinstance(values, Leveled) and isinstance(response.expression, Call):
        return _of_factor(response.name, response.expression.function, values, times, frame.index)
    if not isinstance(values, np.ndarray) or values.ndim > 1:
        raise DataError(f"The response {response} has several columns or levels; one number a row can be modelled.")
    return SingleRows(response.name, values, "float", times, transformed=True, index=frame.index)


def _swap_hint(response: TrialsResponse) -> str:
    if isinstance(response.trials, Arithmetic):
        return "Then the failures are negative: correct the data."
    return f"If {response.trials} counts failures, write cbind({response.successes}, {response.trials})."


def _read_single(values: Values, times: np.ndarray) -> SingleRows:
    name, kind = values.name, values.kind
    if values.texts:
        _refuse_text(name, values.texts)
    if kind in ("date", "mixed"):
        raise DataError(f"The response {name!r} holds {kind} values; numbers, or 0/1 or booleans, can be modelled.")
    if kind == "text" or values.encoded:
        found = _of_levels(name, values.leveled, times, values.series.index, values.declared)
        return found if values.declared else replace(found, unused=tuple(values.unused))
    return SingleRows(name, values.numbers, kind, times, index=values.series.index)


def _refuse_text(name: str, texts: Texts) -> None:
    """Refuse text that is more numbers than two outcomes, and labels that have signs of missing values among them."""
    if texts.meaning != "labels" and (texts.meaning != "numbers" or len(texts.distinct) > 2):
        raise DataError(f"The response {name!r} holds text that reads as numbers. {texts.findings} {texts.remedy}")
    _refuse_markers(f"The response {name!r}", None, texts)


def plain_factor(response: SingleResponse) -> Expression | None:
    """What a response of levels is a factor of: ``y`` of ``factor(y)``, ``I(x > 2)`` of ``factor(x > 2)``."""
    match response.expression:
        case Column():
            return response.expression
        case Call("factor" | "as.factor", (Column() as column,), ()):
            return column
        case Call("factor" | "as.factor", (Comparison() as comparison,), ()):
            return Call("I", (comparison,))
    return None


def _of_levels(
    name: str, values: Leveled, times: np.ndarray, index: pd.Index, declared: tuple[Level, ...] = ()
) -> SingleRows:  # fmt: skip
    codes = values.codes.astype(float)
    return SingleRows(name, codes, "level", times, index=index, levels=values.levels, declared=declared)


FACTORS, ORDERED = ("factor", "as.factor", "relevel", "C"), ("ordered", "as.ordered", "cut")


def _of_factor(name: str, function: str, values: Leveled, times: np.ndarray, index: pd.Index) -> SingleRows:
    """The levels that a function makes of a column, of which ``ordered()`` and ``cut()`` tell the order."""
    if function not in (*FACTORS, *ORDERED):
        raise DataError(f"The response {name} has several columns or levels; one number a row can be modelled.")
    used, codes = np.unique(values.codes, return_inverse=True)
    found = replace(values, codes=codes, levels=tuple(values.levels[code] for code in used))
    declared = values.levels if function in ORDERED or len(used) < len(values.levels) else ()
    return _of_levels(name, found, times, index, declared)


def refuse_levels(name: str, levels: tuple[Level, ...], ordered: bool = False) -> NoReturn:
    """Refuse a response of levels, of which none is said to be the success."""
    if ordered and len(levels) > 2:
        raise DataError(
            f"The response {name!r} holds ordered categories ({enumerate_names(levels, 6)}). "
            "Did you mean family='cumulative'? It models their order by thresholds."
        )
    text = all(isinstance(level, str) for level in levels)
    texts = Texts(name, list(levels))
    numbers = f" {texts.findings} {texts.remedy}" if text and texts.meaning == "numbers" else ""
    every = " Or family='categorical' models all of them." if len(levels) > 2 and not numbers else ""
    raise DataError(
        f"The response {name!r} holds {'text' if text else 'categories'} ({enumerate_names(levels, 4)}). "
        f"Say which one is a success: {_success(name, levels)}{numbers}{every}"
    )


def _success(name: str, levels: tuple[Level, ...]) -> str:
    """How a level is named as the success: one that sounds like it, else the last."""
    success = next((level for level in levels if str(level).casefold() in SUCCESSES), levels[-1])
    return f"write {quote(name)}['{success}'] for it in the formula, with family='bernoulli' or none."


WEIGHTS = " Weights say how many equal rows a row stands for; other weights are not there."
COUNTED = " Name a column of whole numbers, such as data.groupby(...).size() makes."


def read_counts(expression: Expression, frame: pd.DataFrame, instead: str = "") -> np.ndarray:
    """The counts that an expression of columns without missing values gives, a float a row; else a DataError.

    `instead` says there what fractions are to be written as.
    """
    for values in (Values(name, frame[name]) for name in expression.columns):
        if values.texts:
            values.texts.refuse_as_numbers(f"The response column {values.name!r}", ", not counts", COUNTED)
        if values.kind not in ("int", "float", "bool"):
            raise DataError(f"The response column {values.name!r} holds {values.kind}, not counts.{COUNTED}")
    counts = np.broadcast_to(np.asarray(calculate(expression, frame), dtype=float), (len(frame),)).copy()
    check_finite(str(expression), counts, frame.index)
    whole = np.round(counts)
    counts = np.where(np.abs(counts - whole) <= ROUNDING * np.abs(whole), whole, counts)
    wrongs = ((counts < 0, "negative"), (counts != whole, "fractional"), (counts > LARGEST, "too large to be exact"))
    remedies = {
        "fractional": instead, "negative": " A marker of what is missing has to be None.",
        "too large to be exact": " Count in larger units.",
    }  # fmt: skip
    for wrong, what in wrongs:
        if wrong.any():
            first = np.flatnonzero(wrong)[0]
            raise DataError(
                f"Counts are whole numbers from 0 on; {str(expression)!r} is {what} in {wrong.sum()} rows "
                f"({row_name(frame.index, first)}: {counts[first]:g}).{remedies[what]}"
            )
    return counts
