"""A formula's expressions as expressions of the engine that holds the data; what functions learn is asked of it."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import narwhals as nw
import numpy as np

from hiermod.data.columns.functions import Elementwise, Learned, Leveling, options_of, transform_of
from hiermod.data.columns.texts import Texts
from hiermod.errors import DataError
from hiermod.formula.expressions import Arithmetic, Call, Column, Comparison, Expression, Negative, Number

MAX_TALLY = 50_000_000  # rows whose values a function may have to learn from one by one
OPERATORS: dict[str, Callable[[Any, Any], Any]] = {
    "+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv,
}  # fmt: skip
COMPARING: dict[str, Callable[[Any, Any], Any]] = {
    "==": operator.eq, "!=": operator.ne, "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
}  # fmt: skip


class NotInEngineError(Exception):
    """An expression that an engine cannot compute; the message names its function."""


class EngineRecipe:
    """Makes expressions of a lazy frame's columns; `states` keeps what functions learned, by the text of their call.

    Parameters
    ----------
    frame : narwhals.LazyFrame
        All rows of the columns that the formula reads.
    weight : str, optional
        The column of frequency weights, which functions learn with.
    """

    def __init__(self, frame: nw.LazyFrame[Any], weight: str | None) -> None:
        self._frame, self._weight = frame, weight
        self.states: dict[str, Any] = {}

    def columns(self, expression: Expression) -> list[nw.Expr]:
        """The numeric columns that an expression makes: one, or several of a basis.

        Raises
        ------
        NotInEngineError
            If one of its functions cannot be computed by the engine.
        """
        transform = transform_of(expression)
        if not isinstance(expression, Call) or isinstance(transform, Elementwise):
            return [self._number(expression)]
        if not isinstance(transform, Learned) or transform.engine is None:
            raise NotInEngineError(expression.function)
        x = self._number(expression.arguments[0])
        made = transform.engine(x, self._learned(expression, transform, x))
        return list(made) if transform.basis else [made]

    def codes(self, call: Call, transform: Leveling) -> nw.Expr:
        """The number of the level that a function gives each row; outside of all it is -1 or too large."""
        assert transform.engine is not None
        x, options = self._number(call.arguments[0]), options_of(call)
        learns = "breaks" in options and not isinstance(options["breaks"], list)
        values = self._values(x, call)[0] if learns else np.empty(0)
        state = self.states[str(call)] = transform.learn(str(call), values, **options)
        present = [is_present(self._frame, name) for name in call.columns]
        return nw.when(*present).then(transform.engine(x, state))

    def _number(self, expression: Expression) -> nw.Expr:
        match expression:
            case Column(name):
                return self._column(name)
            case Number(value):
                return nw.lit(float(value))
            case Negative(operand):
                return -self._number(operand)
            case Arithmetic(sign, left, right) if sign in OPERATORS:
                return OPERATORS[sign](self._number(left), self._number(right))
            case Arithmetic("^", left, Number(power)):
                return self._number(left) ** float(power)
            case Arithmetic("^", left, Negative(Number(power))):
                return self._number(left) ** -float(power)
            case Comparison(sign, left, right):
                try:
                    return COMPARING[sign](self._number(left), self._number(right)).cast(nw.Float64())
                except DataError as error:  # levels are compared in memory
                    raise NotInEngineError(str(expression)) from error
            case Call():
                transform = transform_of(expression)
                if isinstance(transform, Elementwise) and transform.engine is not None:
                    return transform.engine(self._number(expression.arguments[0]), **options_of(expression))
                if isinstance(transform, Elementwise):
                    raise NotInEngineError(expression.function)
                made = self.columns(expression)
                if len(made) == 1:
                    return made[0]
        raise NotInEngineError(str(expression))

    def _column(self, name: str) -> nw.Expr:
        dtype = self._frame.collect_schema()[name]
        if not (dtype.is_numeric() or dtype == nw.Boolean):
            why = ", with which nothing can be calculated"
            if dtype in (nw.String, nw.Categorical, nw.Enum):
                self._texts(name).refuse_as_numbers(f"The column {name!r}", why)
            raise DataError(f"The column {name!r} holds {dtype}{why}.")
        return nw.col(name).cast(nw.Float64())

    def _texts(self, name: str) -> Texts:
        """The distinct values of a column of text, counted by the engine."""
        text = nw.col(name).cast(nw.String()).alias("text")
        counted = self._frame.filter(is_present(self._frame, name)).select(text).group_by("text").agg(count=nw.len())
        counts = counted.sort("text").collect()
        return Texts(name, counts["text"].to_list(), counts["count"].to_numpy().astype(np.int64))

    def _learned(self, call: Call, transform: Learned, x: nw.Expr) -> Any:
        """What a function learns of its argument from all rows that have its columns."""
        text, options = str(call), options_of(call)
        if text not in self.states:
            if transform.learn_by_sums is not None:
                self.states[text] = transform.learn_by_sums(x, lambda value: self._sums(call, value), **options)
            else:
                self.states[text] = transform.learn(*self._values(x, call), **options)
        return self.states[text]

    def _sums(self, call: Call, value: nw.Expr) -> tuple[float, float]:
        """The weighted sum of a number over the rows that have it, and the sum of weights."""
        weight = nw.lit(1.0) if self._weight is None else nw.col(self._weight).cast(nw.Float64())
        rows = self._present(call).select(value=value, weight=weight)
        sums = rows.select(total=(nw.col("value") * nw.col("weight")).sum(), size=nw.col("weight").sum()).collect()
        return float(sums["total"][0]), float(sums["size"][0])

    def _values(self, x: nw.Expr, call: Call) -> tuple[np.ndarray, np.ndarray]:
        """The distinct values of a number and their weights, which come to Python."""
        weight = nw.lit(1.0) if self._weight is None else nw.col(self._weight).cast(nw.Float64())
        rows = self._present(call)
        count = int(rows.select(nw.len()).collect().item())
        if not count:
            raise DataError(f"{call}: no row with a weight has a value to learn from.")
        if count > MAX_TALLY:
            raise DataError(
                f"{call} learns from every value of its column, and {count:,} are too many. Use scale(), I() or log(), "
                "or add a column with the result to the data."
            )
        distinct = (
            rows.select(value=x, weight=weight).group_by("value").agg(nw.col("weight").sum()).sort("value").collect()
        )
        value, weights = distinct["value"].to_numpy(), distinct["weight"].to_numpy()
        return value[weights > 0].astype(float), weights[weights > 0].astype(float)

    def _present(self, call: Call) -> nw.LazyFrame[Any]:
        names = call.columns
        return self._frame.filter(*(is_present(self._frame, name) for name in names))


def is_present(frame: nw.DataFrame[Any] | nw.LazyFrame[Any], name: str) -> nw.Expr:
    """Whether a column has a value: neither null nor NaN."""
    present = ~nw.col(name).is_null()
    return present & ~nw.col(name).is_nan() if frame.collect_schema()[name].is_float() else present
