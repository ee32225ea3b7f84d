"""A formula's expressions as expressions of the engine that holds the data; what functions learn is asked of it."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import narwhals as nw
import numpy as np

from hiermod.data.columns import bases, factors
from hiermod.data.columns.functions import LEARNED, cut_options, options_of
from hiermod.errors import DataError
from hiermod.formula.expressions import Arithmetic, Call, Column, Expression, Negative, Number
from hiermod.formula.vocabulary import REGISTERED

WIDTH = 1.0
MAX_TALLY = 50_000_000  # rows whose values a function may have to learn from one by one
OPERATORS: dict[str, Callable[[Any, Any], Any]] = {
    "+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv,
}  # fmt: skip
ELEMENTWISE: dict[str, Callable[..., nw.Expr]] = {
    "I": lambda x: x,
    "log": lambda x, base=None: x.log() if base is None else x.log() / float(np.log(base)),
    "log10": lambda x: x.log() / float(np.log(10.0)),
    "log2": lambda x: x.log() / float(np.log(2.0)),
    "log1p": lambda x: (x + 1.0).log(),
    "exp": lambda x: x.exp(),
    "expm1": lambda x: x.exp() - 1.0,
    "sqrt": lambda x: x.sqrt(),
    "abs": lambda x: x.abs(),
    "sin": lambda x: x.sin(),
    "cos": lambda x: x.cos(),
    "tan": lambda x: x.sin() / x.cos(),
}


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
        if not isinstance(expression, Call) or expression.function in ELEMENTWISE:
            return [self._number(expression)]
        if expression.function not in LEARNED or expression.function in REGISTERED:
            raise NotInEngineError(expression.function)
        x, state = self._learned(expression)
        if expression.function in ("scale", "standardize", "center"):
            return [(x - state["center"]) / state["scale"]]
        if expression.function == "poly":
            return list(bases.polynomials(x, state))
        return _splines(x, expression.function, state)

    def codes(self, call: Call) -> nw.Expr:
        """The number of the interval of ``cut`` that each row falls into; outside of all it is -1 or too large."""
        x, options = self._number(call.arguments[0]), cut_options(call)
        values = self._values(x, call)[0] if not isinstance(options["breaks"], list) else np.empty(0)
        state = self.states[str(call)] = factors.learn_cut(str(call), values, **options)
        edges = state["edges"]
        above = [x > edge if state["right"] else x >= edge for edge in edges]
        if state["lowest"]:
            place = 0 if state["right"] else -1
            above[place] = x >= edges[0] if state["right"] else x > edges[-1]
        code = sum((own.cast(nw.Int64()) for own in above[1:]), above[0].cast(nw.Int64())) - 1
        present = [is_present(self._frame, name) for name in call.columns]
        return nw.when(*present).then(code)

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
            case Call(function) if function in ELEMENTWISE and function not in REGISTERED:
                return ELEMENTWISE[function](self._number(expression.arguments[0]), **options_of(expression))
            case Call():
                own = self.columns(expression)
                if len(own) == 1:
                    return own[0]
        raise NotInEngineError(str(expression))

    def _column(self, name: str) -> nw.Expr:
        dtype = self._frame.collect_schema()[name]
        if not (dtype.is_numeric() or dtype == nw.Boolean):
            raise DataError(f"The column {name!r} holds {dtype}, with which nothing can be calculated.")
        return nw.col(name).cast(nw.Float64())

    def _learned(self, call: Call) -> tuple[nw.Expr, Any]:
        """The argument of a function, and what the function learns of it from all rows that have its columns."""
        x, options = self._number(call.arguments[0]), options_of(call)
        text = str(call)
        if text not in self.states:
            if call.function in ("scale", "standardize", "center"):
                scale = {"scale": False} if call.function == "center" else {}
                self.states[text] = self._scale(x, call, **{**options, **scale})
            else:
                self.states[text] = LEARNED[call.function][0](*self._values(x, call), **options)
        return x, self.states[text]

    def _scale(self, x: nw.Expr, call: Call, center: Any = True, scale: Any = True) -> Any:
        """`bases.learn_scale`, by sums that the engine makes."""
        asked = isinstance(center, bool) and center
        middle = 0.0 if isinstance(center, bool) else float(center)
        if asked:
            for _ in range(2):
                total, size = self._sums(call, x - middle)
                middle += total / size
        if not isinstance(scale, bool):
            return {"center": middle, "scale": float(scale)}
        if not scale:
            return {"center": middle, "scale": 1.0}
        squares, size = self._sums(call, (x - middle) ** 2)
        return {"center": middle, "scale": float(np.sqrt(squares / (size - 1.0)))}

    def _sums(self, call: Call, value: nw.Expr) -> tuple[float, float]:
        """The weighted sum of a number over the rows that have it, and the sum of weights."""
        weight = nw.lit(1.0) if self._weight is None else nw.col(self._weight).cast(nw.Float64())
        rows = self._present(call).select(value=value, weight=weight)
        found = rows.select(total=(nw.col("value") * nw.col("weight")).sum(), size=nw.col("weight").sum()).collect()
        return float(found["total"][0]), float(found["size"][0])

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
        found = (
            rows.select(value=x, weight=weight).group_by("value").agg(nw.col("weight").sum()).sort("value").collect()
        )
        value, own = found["value"].to_numpy(), found["weight"].to_numpy()
        return value[own > 0].astype(float), own[own > 0].astype(float)

    def _present(self, call: Call) -> nw.LazyFrame[Any]:
        names = call.columns
        return self._frame.filter(*(is_present(self._frame, name) for name in names))


def is_present(frame: nw.LazyFrame[Any], name: str) -> nw.Expr:
    """Whether a column has a value: neither null nor NaN."""
    present = ~nw.col(name).is_null()
    return present & ~nw.col(name).is_nan() if frame.collect_schema()[name].is_float() else present


def _splines(x: nw.Expr, function: str, state: bases.State) -> list[nw.Expr]:
    """Splines as what they are, a polynomial on each interval between knots."""
    from scipy.interpolate import BSpline, PPoly

    degree = state.get("degree", 3)
    knots = np.array(state["knots"])
    each = [PPoly.from_spline(BSpline(knots, own, degree)) for own in np.eye(len(knots) - degree - 1)]
    edges = np.unique(knots)
    parts = np.searchsorted(each[0].x, edges[:-1], side="right") - 1
    weights = np.stack([own.c[:, parts] for own in each[state["skip"] :]], axis=-1)  # powers × intervals × columns
    if function == "ns":
        weights = weights @ np.array(state["free"])
    return [
        _piecewise(x, edges, weights[:, :, column], straight=function == "ns") for column in range(weights.shape[2])
    ]


def _piecewise(x: nw.Expr, edges: np.ndarray, weights: np.ndarray, straight: bool) -> nw.Expr:
    """A polynomial on each interval (highest power first, from its left edge); outside, the ends go on."""
    if straight:
        weights, edges = _with_lines(weights, edges)
    made = [_horner(x - float(edge), own) for edge, own in zip(edges[:-1], weights.T, strict=True)]
    result = made[-1]
    for edge, own in zip(edges[1:-1][::-1], made[:-1][::-1], strict=True):
        result = nw.when(x < float(edge)).then(own).otherwise(result)
    return result


def _with_lines(weights: np.ndarray, edges: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Add an interval on either side on which the polynomial goes on as a straight line."""
    step = edges[-1] - edges[-2]
    last = np.poly1d(weights[:, -1])
    left = np.array([0.0, 0.0, weights[-2, 0], weights[-1, 0]])
    right = np.array([0.0, 0.0, last.deriv()(step), last(step)])
    left[-1] -= left[-2] * WIDTH  # its left edge stands before the first knot
    return np.column_stack([left, weights, right]), np.array([edges[0] - WIDTH, *edges, np.inf])


def _horner(x: nw.Expr, weights: np.ndarray) -> nw.Expr:
    result = x * 0.0 + float(weights[0])
    for weight in weights[1:]:
        result = result * x + float(weight)
    return result
