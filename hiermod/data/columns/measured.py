"""Responses that are known with an error each: standard errors, or weights of precision."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

from hiermod.data.columns.functions import calculate
from hiermod.data.columns.responses import ResponseRows, SingleRows, read_response
from hiermod.data.columns.texts import row_name
from hiermod.data.columns.values import Values, check_finite
from hiermod.errors import DataError
from hiermod.formula.nodes import Formula, Measured


@dataclass(frozen=True, eq=False)
class MeasuredRows(SingleRows):
    """Numbers that are known with an `error` each: a standard error, or one over the root of a weight of precision."""

    error: np.ndarray = field(kw_only=True)
    measured: Measured | None = None

    @property
    def binary(self) -> bool:
        """A number that is known with an error is no outcome."""
        return False

    @property
    def parts(self) -> dict[str, np.ndarray]:
        """The response of each row."""
        return {"value": self.values, "error": self.error}

    def chosen(self, keep: np.ndarray) -> MeasuredRows:
        """The rows in `keep`."""
        index = self.index[keep] if len(self.index) else self.index
        return replace(self, values=self.values[keep], times=self.times[keep], index=index, error=self.error[keep])


def measured_response(formula: Formula, frame: pd.DataFrame) -> ResponseRows:
    """The response of rows without missing values, with its errors where a formula names them."""
    rows = read_response(formula, frame)
    if formula.measured is None or not isinstance(rows, SingleRows):
        return rows
    kept = ("name", "values", "kind", "times", "transformed", "index", "levels")
    shown = {part: getattr(rows, part) for part in kept}
    return MeasuredRows(**shown, error=read_errors(formula.measured, frame), measured=formula.measured)


def read_errors(measured: Measured, frame: pd.DataFrame) -> np.ndarray:
    """The standard error of each row; of weights of precision, one over their root.

    Raises
    ------
    DataError
        If one is not above 0.
    """
    for values in (Values(name, frame[name]) for name in measured.expression.columns):
        if values.texts:
            values.texts.refuse_as_numbers(f"The column {values.name!r} of {measured}", ", not numbers")
        if values.kind not in ("int", "float"):
            raise DataError(f"The column {values.name!r} of {measured} holds {values.kind}, not numbers.")
    numbers = np.broadcast_to(np.asarray(calculate(measured.expression, frame), dtype=float), (len(frame),))
    check_finite(str(measured.expression), numbers, frame.index)
    wrong = np.flatnonzero(numbers <= 0.0)
    weights = measured.kind == "weighted"
    if len(wrong):
        what, remedy = ("Weights of precision", "Leave out rows without weight.") if weights else (
            "Standard errors", "Leave these rows out, or give them the error that they have."
        )  # fmt: skip
        raise DataError(
            f"{what} are above 0; {str(measured.expression)!r} is {numbers[wrong[0]]:g} in {len(wrong):,} "
            f"row{'s' * (len(wrong) != 1)} ({row_name(frame.index, int(wrong[0]))}). {remedy}"
        )
    return numbers**-0.5 if weights else numbers
