"""Reads what is known of censored and truncated responses: a kind of each row, and the bounds between which it lies."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

from hiermod.data.columns.functions import calculate
from hiermod.data.columns.responses import SingleRows
from hiermod.data.columns.texts import row_name
from hiermod.data.columns.values import Values, check_finite
from hiermod.errors import DataError, did_you_mean, enumerate_names
from hiermod.formula.expressions import Column, Comparison, Expression
from hiermod.formula.nodes import Bounds

EVENT, RIGHT, LEFT, INTERVAL = 0.0, 1.0, -1.0, 2.0  # brms's codes
WORDS = {"none": EVENT, "right": RIGHT, "left": LEFT, "interval": INTERVAL}
CODES = "0 or 'none' (observed), 1 or 'right', -1 or 'left', 2 or 'interval', as brms codes it"
OF_SURV = "Surv(time, event) has 1 or True for an event and 0 or False for a right-censored time, or 2 and 1"
PARTS = ("value", "code", "end", "least", "most")  # of a response, as tables of rows name them
DENIED = (  # words of rows that are not censored
    "no",
    "false",
    "f",
    "n",
    "observed",
    "event",
    "dead",
    "died",
    "uncensored",
)  # words of rows that are not censored
DIGITS = ("0", "1", "-1", "2")
NAMES = {RIGHT: "right-censored", LEFT: "left-censored", INTERVAL: "in an interval"}


@dataclass(frozen=True, eq=False)
class BoundedRows(SingleRows):
    """Numbers some of which are known by bounds alone, or were recorded between bounds alone.

    `code` is brms's: 0 observed, 1 above the value, -1 below it, 2 between it and `upper`, which elsewhere is the
    value. `least` and `most` are infinite where nothing was left out.
    """

    code: np.ndarray = field(kw_only=True)
    upper: np.ndarray = field(kw_only=True)
    least: np.ndarray = field(kw_only=True)
    most: np.ndarray = field(kw_only=True)

    @property
    def parts(self) -> dict[str, np.ndarray]:
        """What rows of one cell share of the response."""
        return dict(zip(PARTS, (self.values, self.code, self.upper, self.least, self.most), strict=True))

    @property
    def constant(self) -> bool:
        """Whether one observed value is all there is."""
        return super().constant and not self.code.any()

    @property
    def binary(self) -> bool:
        """Numbers with bounds are no rates."""
        return False

    @property
    def notice(self) -> str:
        """How many responses were observed, so that a reversed code is seen."""
        if not self.code.any():
            return ""
        counts = {name: int(self.times[self.code == code].sum()) for code, name in NAMES.items()}
        told = ", ".join(f"{count:,} {name}" for name, count in counts.items() if count)
        events = int(self.times[self.code == EVENT].sum())
        return f"{events:,} event{'s' * (events != 1)}, {told}"

    def chosen(self, keep: np.ndarray) -> BoundedRows:
        """The rows in `keep`."""
        index = self.index[keep] if len(self.index) else self.index
        bounds = {name: getattr(self, name)[keep] for name in ("code", "upper", "least", "most")}
        return replace(self, values=self.values[keep], times=self.times[keep], index=index, **bounds)


def with_bounds(rows: SingleRows, bounds: Bounds, frame: pd.DataFrame) -> BoundedRows:
    """The response with what is known of it by bounds.

    Raises
    ------
    DataError
        On a code that is not known or mixed with another coding, an end of an interval that is missing or not above
        its beginning, bounds of truncation the wrong way round, and responses outside of them.
    """
    if rows.kind == "level":
        raise DataError(
            f"The response {rows.name!r} holds categories, and censored or truncated responses are numbers. Leave "
            "what stands behind '|' out."
        )
    count = len(rows.values)
    if bounds.code is None:
        code = np.zeros(count)
    else:
        code = _events(bounds.code, frame) if bounds.events else _codes(bounds.code, frame)
    upper = rows.values.copy()
    if bounds.upper is not None:
        ends = _numbers(bounds.upper, frame, "The end of an interval")
        upper[code == INTERVAL] = ends[code == INTERVAL]
    least, most = (
        np.full(count, end) if part is None else _numbers(part, frame, f"The bound {name} of trunc()")
        for part, end, name in ((bounds.least, -np.inf, "lb"), (bounds.most, np.inf, "ub"))
    )
    made = BoundedRows(
        rows.name, rows.values, rows.kind, rows.times, rows.transformed, rows.index,
        code=code, upper=upper, least=least, most=most,
    )  # fmt: skip
    _refuse_intervals(made, bounds)
    _refuse_outside(made)
    _refuse_nothing_observed(made, bounds)
    return _within_limits(made)


def _within_limits(rows: BoundedRows) -> BoundedRows:
    """Beyond a value, but recorded up to `most` alone, is between the two; so is below a value and above `least`."""
    right = (rows.code == RIGHT) & np.isfinite(rows.most)
    left = (rows.code == LEFT) & np.isfinite(rows.least)
    upper = np.where(right, rows.most, rows.upper)
    code = np.where(right | left, INTERVAL, rows.code)
    return replace(rows, values=np.where(left, rows.least, rows.values), upper=upper, code=code)


def _numbers(expression: Expression, frame: pd.DataFrame, what: str) -> np.ndarray:
    """A number a row; NaN where a plain column has none."""
    if isinstance(expression, Column):
        values = Values(expression.name, frame[expression.name])
        if values.kind not in ("int", "float", "bool"):
            raise DataError(f"{what} is a number; the column {expression.name!r} holds {values.kind}.")
        return pd.to_numeric(frame[expression.name]).to_numpy(dtype=float, na_value=np.nan)
    numbers = np.broadcast_to(np.asarray(calculate(expression, frame), dtype=float), (len(frame),)).copy()
    check_finite(str(expression), numbers, frame.index)
    return numbers


def _codes(expression: Expression, frame: pd.DataFrame) -> np.ndarray:
    """The codes as brms has them, from numbers, from true for right-censored, or from words."""
    if isinstance(expression, Comparison):
        return np.asarray(calculate(expression, frame), dtype=float)
    if not isinstance(expression, Column):
        return _known(str(expression), _numbers(expression, frame, "A censoring code"), frame)
    values = Values(expression.name, frame[expression.name])
    if values.kind in ("int", "float", "bool"):
        return _known(expression.name, values.numbers, frame)
    values.refuse_unread()
    texts = [str(value).strip().casefold() for value in frame[expression.name]]
    unknown = [place for place, text in enumerate(texts) if text not in WORDS]
    if unknown:
        found = frame[expression.name].iloc[unknown[0]]
        raise DataError(
            f"cens({expression}): {found!r} ({row_name(frame.index, unknown[0])}) is no censoring code."
            f"{did_you_mean(str(found), WORDS)} The codes are {CODES}. {_instead(expression, frame)}"
        )
    return np.array([WORDS[text] for text in texts])


def _instead(column: Column, frame: pd.DataFrame) -> str:
    """What to do about words that are no codes: mixed ones, numbers that are text, or two of the user's own."""
    words = list(dict.fromkeys(str(word).strip() for word in frame[column.name]))
    digits = [word for word in words if word in DIGITS]
    if digits and len(digits) < len(words):
        return f"Numbers and words are mixed, {enumerate_names(words, 4)}: keep one coding."
    if digits:
        return f"The numbers are text: data[{column.name!r}] = data[{column.name!r}].astype(int)."
    own = [word for word in words if word.casefold() not in WORDS]
    said = [word for word in own if word.casefold() not in DENIED]
    return f"Of two other words: cens({column} == {(said or own)[0]!r}), true for a right-censored row."


def _known(name: str, numbers: np.ndarray, frame: pd.DataFrame) -> np.ndarray:
    wrong = np.flatnonzero(~np.isin(numbers, [*NAMES, EVENT]))
    if len(wrong):
        raise DataError(
            f"cens({name}): {numbers[wrong[0]]:g} ({row_name(frame.index, wrong[0])}) is no censoring code. The codes "
            f"are {CODES}."
        )
    return numbers.astype(float)


def _events(expression: Expression, frame: pd.DataFrame) -> np.ndarray:
    """The codes from R's: 1 for an event, or 2 where 1 is right-censored."""
    if isinstance(expression, Column):
        values = Values(expression.name, frame[expression.name])
        values.refuse_unread()
        if values.kind not in ("int", "float", "bool"):
            raise DataError(
                f"{OF_SURV}; the column {expression.name!r} holds {values.kind}. Write "
                f"Surv(time, {expression} == {str(frame[expression.name].iloc[0])!r}), true for an event."
            )
        numbers = values.numbers
    else:
        numbers = np.asarray(calculate(expression, frame), dtype=float)
    found = [float(number) for number in np.unique(numbers)]
    if not set(found) <= {0.0, 1.0} and not set(found) <= {1.0, 2.0}:
        mixed = " 0, 1 and 2 are two codings; keep one." if set(found) == {0.0, 1.0, 2.0} else ""
        raise DataError(
            f"{OF_SURV}; {expression} holds {enumerate_names([f'{number:g}' for number in found], 5)}.{mixed} "
            "Left-censored times and intervals are coded as in brms: time | cens(code, end)."
        )
    return np.where(numbers == max(1.0, found[-1]), EVENT, RIGHT)


def _refuse_intervals(rows: BoundedRows, bounds: Bounds) -> None:
    """Refuse intervals without an end, or whose end is not above their beginning."""
    inside = rows.code == INTERVAL
    if inside.any() and bounds.upper is None:
        both = set(np.unique(rows.code)) <= {RIGHT, INTERVAL}
        hint = f" Codes 1 and 2 are R's for censored and event: write Surv({rows.name}, {bounds.code})." if both else ""
        raise DataError(f"Code 2 is an interval, whose end is missing: {rows.name} | cens({bounds.code}, end).{hint}")
    place = np.flatnonzero(inside & ~np.isfinite(rows.upper))
    if len(place):
        raise DataError(
            f"The interval of {row_name(rows.index, place[0])} has no end: {bounds.upper} is {rows.upper[place[0]]:g} "
            f"there. Beyond {rows.values[place[0]]:g} without an end is code 1, right-censored."
        )
    place = np.flatnonzero(inside & (rows.upper <= rows.values))
    if len(place):
        raise DataError(
            f"The interval of {row_name(rows.index, place[0])} goes from {rows.name} = {rows.values[place[0]]:g} to "
            f"{bounds.upper} = {rows.upper[place[0]]:g}, which is not above it. Swap the two; one value is code 0."
        )


def _refuse_outside(rows: BoundedRows) -> None:
    """Refuse bounds of truncation that are missing or the wrong way round, and responses outside of them."""
    wrong = np.flatnonzero(~(rows.least < rows.most))
    if len(wrong):
        raise DataError(
            f"trunc(): lb must be below ub; {row_name(rows.index, wrong[0])} has lb = {rows.least[wrong[0]]:g} and "
            f"ub = {rows.most[wrong[0]]:g}."
        )
    low = np.where(rows.code == LEFT, rows.upper, rows.values)
    wrong = np.flatnonzero((low < rows.least) | (rows.upper > rows.most))
    if len(wrong):
        raise DataError(
            f"trunc(): {rows.name} is {rows.values[wrong[0]]:g} in {row_name(rows.index, wrong[0])}, outside of the "
            f"bounds {rows.least[wrong[0]]:g} and {rows.most[wrong[0]]:g} beyond which none was recorded. Mend the "
            "bounds, or code what is known to lie beyond a limit as censored."
        )


def _refuse_nothing_observed(rows: BoundedRows, bounds: Bounds) -> None:
    """Refuse rows that are all censored on one side."""
    if bounds.code is not None and len(set(rows.code)) == 1 and rows.code[0] in (RIGHT, LEFT):
        reversed_ = f"Surv({rows.name}, 1 - {bounds.code})" if bounds.events else f"cens(1 - {bounds.code})"
        raise DataError(
            f"Every {rows.name} is {NAMES[rows.code[0]]}: there is no event. If the code is the other way round, write "
            f"{reversed_}."
        )
