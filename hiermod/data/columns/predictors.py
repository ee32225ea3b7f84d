"""The variables of a formula: how plain columns, and what functions make of columns, are understood as predictors."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from hiermod.data.columns.factors import coded
from hiermod.data.columns.functions import Recipe, Value, learn_from_all
from hiermod.data.columns.levels import encode
from hiermod.data.columns.steps import STEPS, numbers_between
from hiermod.data.columns.texts import MANY, Texts, alike_notices, sign_notices
from hiermod.data.columns.values import EXACT, Level, Leveled, Values, all_equal, rows_of
from hiermod.errors import DataError, FormulaError, HiermodError, did_you_mean, enumerate_names
from hiermod.formula.expressions import quote
from hiermod.formula.nodes import Formula

SHOWN = 8  # levels of an order


@dataclass(frozen=True)
class Numeric:
    """A numeric predictor; `integer` keeps whole numbers whole in tables."""

    name: str
    integer: bool

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns of cells that hold it."""
        return (self.name,)

    def column(self, values: pd.Series) -> np.ndarray:
        """The values as numbers; anything else is refused."""
        column = Values(self.name, values)
        if column.kind not in ("int", "float", "bool"):
            if column.texts:
                column.texts.refuse_as_numbers(f"The column {self.name!r}, numeric in the fitted data,")
            raise DataError(f"The column {self.name!r} was numeric in the fitted data and holds {column.kind} here.")
        numbers = column.numbers
        whole = self.integer and bool((numbers == np.round(numbers)).all())
        return numbers.astype(np.int64) if whole else numbers


@dataclass(frozen=True)
class Factor:
    """A categorical predictor; the first level is the reference of treatment contrasts, which `coding` names."""

    name: str
    levels: tuple[Level, ...]
    coding: str = "treatment"

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns of cells that hold it."""
        return (self.name,)

    def column(self, values: pd.Series) -> pd.Categorical:
        """The values as levels; an unknown one is refused."""
        codes = encode(values.rename(self.name), self.levels)
        if (codes < 0).any():
            unknown = str(values.iloc[int(np.flatnonzero(codes < 0)[0])])
            raise DataError(
                f"The column {self.name!r} holds {unknown!r}, a level that the fitted data did not have."
                f"{did_you_mean(unknown, self.levels)}"
            )
        return Leveled(codes, self.levels).categorical


@dataclass(frozen=True)
class Basis:
    """A predictor of several numeric columns, such as ``poly(x, 2)``; `named` are what they are called, if not 1, 2."""

    name: str
    count: int
    named: tuple[str, ...] = ()

    @property
    def labels(self) -> tuple[str, ...]:
        """What its columns are called: 1, 2, ..."""
        return self.named or tuple(str(number) for number in range(1, self.count + 1))

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns of cells that hold it: ``poly(x, 2)[1]``."""
        return tuple(f"{self.name}[{label}]" for label in self.labels)

    def column(self, values: pd.Series) -> np.ndarray:
        """A basis is made by its function alone."""
        raise DataError(f"{self.name} is made of other columns; give those.")


@dataclass(frozen=True)
class Steps(Basis):
    """Ordered levels, ``mo(x)``: a column for each level but the lowest, 1 from that level on and 0 below."""

    levels: tuple[Level, ...] = ()

    @property
    def labels(self) -> tuple[str, ...]:
        """The level that each step leads to."""
        return tuple(str(level) for level in self.levels[1:])

    def made(self, codes: np.ndarray) -> dict[str, np.ndarray]:
        """The columns of rows whose levels have these codes."""
        above = (codes[:, None] > np.arange(self.count)).astype(np.int64)
        return dict(zip(self.columns, above.T.copy(), strict=True))


Predictor = Numeric | Factor | Basis


def _read_numbers(values: Values) -> tuple[bool, np.ndarray]:
    """Whether numbers are exact whole ones, and the numbers: whole ones in as little memory as they came."""
    if values.kind == "int":
        plain = values.series.to_numpy()
        whole = plain if plain.dtype.kind in "iu" else values.series.to_numpy(dtype=np.int64)
        if max(-int(whole.min()), int(whole.max())) <= EXACT:
            return True, whole
    return False, values.numbers


def read_predictor(values: Values) -> tuple[Predictor, np.ndarray | pd.Categorical, list[str]]:
    """Understand a predictor column without missing values; return it, its values and notices."""
    name = values.name
    if values.kind in ("int", "float") and not values.encoded:
        integer, numbers = _read_numbers(values)
        if all_equal(numbers):
            raise DataError(f"The predictor {name!r} is constant ({numbers[0]:g} in every row). Leave it out.")
        return Numeric(name, integer), numbers, []
    if values.kind == "date":
        raise DataError(f"The predictor {name!r} holds dates. Add a numeric column, such as days since the first date.")
    if values.texts:
        refuse_numbers_as_levels(values.texts)
    leveled = values.leveled
    levels = leveled.levels
    if len(levels) < 2:
        raise DataError(f"The predictor {name!r} is constant ({str(levels[0])!r} in every row). Leave it out.")
    notices = [] if values.kind == "bool" or values.ordered else [f"{name}: reference level {str(levels[0])!r}"]
    notices += _text_notices(values, len(levels))
    if unused := values.unused:
        plural = "s" * (len(unused) > 1)
        notices.append(f"{name}: {len(unused)} level{plural} without rows left out: {enumerate_names(unused, 3)}")
    if values.ordered:
        notices.append(
            f"{name}: ordered levels are coded by polynomial contrasts; C({quote(name)}, treatment) takes levels"
        )
    return Factor(name, levels, leveled.coding), leveled.categorical, notices


def refuse_numbers_as_levels(texts: Texts) -> None:
    """Refuse text that is a number but for its form, a few markers or a few words, and more numbers than levels are.

    Raises
    ------
    DataError
    """
    if texts.meaning in ("gaps", "formatted", "stained") or (texts.wide and not texts.encoded):
        texts.refuse_as_labels(
            f"The predictor {texts.name!r}", f"If they are labels, say so in the formula: factor({quote(texts.name)})."
        )


def _text_notices(values: Values, levels: int) -> list[str]:
    """What is to be told of levels that may be meant otherwise."""
    name, notices = values.name, []
    if values.texts and values.texts.meaning == "numbers" and not values.encoded and levels > 2:
        notices.append(
            f"{name}: text that reads as numbers is taken as {levels:,} levels; pandas.to_numeric gives numbers"
        )
    if values.texts:
        notices += [*sign_notices(values.texts), *alike_notices(values.texts)]
    if levels > MANY:
        notices.append(f"{name}: {levels:,} levels, a coefficient each but the first; (1 | {quote(name)}) pools them")
    return notices


@dataclass(frozen=True, eq=False)
class EngineVariables:
    """Variables that an engine has made: those with a predictor are averaged, the others stand as codes of levels.

    `learned` are recipes of others, which are still to be applied, where rows that are not here have taught them.
    """

    recipes: Mapping[str, Recipe] = field(default_factory=dict)
    predictors: Mapping[str, Predictor] = field(default_factory=dict)
    learned: Mapping[str, Recipe] = field(default_factory=dict)


NOTHING = EngineVariables()


@dataclass(frozen=True, eq=False)
class Variables:
    """The variables on the rows used: how each is understood and made, its columns, and what to tell.

    `averaged` are those that an engine has averaged already.
    """

    predictors: dict[str, Predictor]
    recipes: dict[str, Recipe]
    columns: dict[str, Any]
    notices: tuple[str, ...]
    averaged: tuple[str, ...] = ()


def read_variables(
    formula: Formula, raw: pd.DataFrame, used: np.ndarray, weight: np.ndarray, made: EngineVariables = NOTHING
) -> Variables:
    """Understand every variable of a formula but those that an engine has averaged.

    As in R, functions learn from every row that has their own columns, also from those that `used` leaves out.
    """
    predictors: dict[str, Predictor] = {}
    recipes: dict[str, Recipe] = {}
    values: dict[str, Any] = {}
    notices: list[str] = []
    for name in formula.variables:
        if name in made.predictors:
            continue
        if name not in formula.expressions:
            predictors[name], values[name], remarks = read_predictor(Values(name, rows_of(raw[name], used)))
        else:
            with at(formula, name):
                recipes[name], value = _make(formula, name, raw, used, weight, made)
                made_of = recipes[name].labels
                predictors[name], columns, remarks = _understand(name, value, name in formula.all_offsets, made_of)
            values.update(columns)
        notices.extend(remarks)
    return Variables(predictors, recipes, values, tuple(notices))


def _make(
    formula: Formula, name: str, raw: pd.DataFrame, used: np.ndarray, weight: np.ndarray, made: EngineVariables
) -> tuple[Recipe, Value]:
    if name in made.recipes:
        recipe = made.recipes[name]
        return recipe, coded(name, raw[name][used].to_numpy(dtype=np.int64), recipe.states[name])
    recipe = made.learned.get(name) or learn_from_all(name, formula.expressions[name], raw, used, weight)
    return recipe, recipe.apply(rows_of(raw, used))


@contextlib.contextmanager
def at(formula: Formula, name: str) -> Iterator[None]:
    """Point into the formula where an error of a variable is known to come from."""
    try:
        yield
    except HiermodError as error:
        if name in formula.places:
            raise FormulaError(str(error), formula.text, *formula.places[name]) from error
        raise


def _understand(
    name: str, value: Value, is_offset: bool, labels: tuple[str, ...]
) -> tuple[Predictor, dict[str, Any], list[str]]:
    if is_offset and (isinstance(value, Leveled) or value.ndim > 1):
        raise DataError(f"{name} has levels or several columns; an offset is one number a row.")
    if isinstance(value, Leveled):
        return _understand_levels(name, value)
    if (value == value[:1]).all() and not is_offset:
        raise DataError(f"The predictor {name} is constant ({value.flat[0]:g} in every row). Leave it out.")
    if value.ndim == 1:
        return Numeric(name, False), {name: value}, []
    basis = Basis(name, value.shape[1], labels)
    return basis, dict(zip(basis.columns, value.T.copy(), strict=True)), []


def _understand_levels(name: str, value: Leveled) -> tuple[Predictor, dict[str, Any], list[str]]:
    occurring = np.unique(value.codes)
    levels = tuple(value.levels[code] for code in occurring)
    if len(levels) < 2:
        raise DataError(f"The predictor {name} is constant ({str(levels[0])!r} in every row). Leave it out.")
    said = value.coding == "treatment" and not isinstance(levels[0], bool)
    notices = [f"{name}: reference level {str(levels[0])!r}"] if said else []
    if value.coding == "poly":
        notices = [f"{name}: ordered levels are coded by polynomial contrasts"]
    if dropped := [level for code, level in enumerate(value.levels) if code not in occurring]:
        notices.append(f"{name}: levels without rows left out: {enumerate_names(dropped, 6)}")
    codes = np.searchsorted(occurring, value.codes)
    if value.coding == STEPS:
        steps = Steps(name, len(levels) - 1, levels=levels)
        return steps, steps.made(codes), [*notices, *_step_notices(steps)]
    return Factor(name, levels, value.coding), {name: Leveled(codes, levels).categorical}, notices


def _step_notices(steps: Steps) -> list[str]:
    """In which order the levels are, and what does not occur between them."""
    order = " < ".join([str(level) for level in steps.levels[:SHOWN]] + ["..."] * (len(steps.levels) > SHOWN))
    notices = [] if isinstance(steps.levels[0], int) else [f"{steps.name}: {order}"]
    if between := numbers_between(steps.levels):
        notices.append(f"{steps.name}: no row has {enumerate_names(between, 6)}; one step leads across")
    return notices


def _codes_of(value: Leveled, predictor: Steps) -> np.ndarray:
    """The codes of levels among those of the fitted rows; an unknown one is refused."""
    place = {level: code for code, level in enumerate(predictor.levels)}
    known = np.array([place.get(level, -1) for level in value.levels])[value.codes]
    if (known < 0).any():
        unknown = str(value.levels[value.codes[int(np.flatnonzero(known < 0)[0])]])
        raise DataError(
            f"{predictor.name} holds {unknown!r}, a level that the fitted rows did not have."
            f"{did_you_mean(unknown, predictor.levels)}"
        )
    return known


def apply_recipe(recipe: Recipe, predictor: Predictor, frame: pd.DataFrame) -> dict[str, Any]:
    """The columns of one variable on other rows, read as in the fitted data."""
    value = recipe.apply(frame)
    if isinstance(value, Leveled) and isinstance(predictor, Steps):
        return {**predictor.made(_codes_of(value, predictor))}
    if isinstance(value, Leveled):
        series = pd.Series([value.levels[code] for code in value.codes], dtype=object)
        return {predictor.name: predictor.column(series)}
    return dict(zip(predictor.columns, value.reshape(len(frame), -1).T.copy(), strict=True))


def read_sources(recipes: dict[str, Recipe], frame: pd.DataFrame, taken: set[str]) -> dict[str, Any]:
    """The columns behind recipes, as numbers or levels, where they are no variables themselves."""
    names = dict.fromkeys(name for recipe in recipes.values() for name in recipe.sources if name not in taken)
    columns = [Values(name, frame[name]) for name in names if name in frame]
    return {column.name: _plain(column) for column in columns if column.kind != "mixed"}


def _plain(values: Values) -> Any:
    if values.kind in ("int", "float") and not values.encoded:
        return values.series.to_numpy(dtype=np.int64 if values.kind == "int" else float)
    return values.leveled.categorical
