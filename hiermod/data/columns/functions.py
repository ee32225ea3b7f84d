"""How a formula's functions make variables of columns: learned once from the fitted rows, then applied to any rows.

`TRANSFORMS` says how each function of the vocabulary is computed, on rows in memory and, where it can, by the engine
that holds the data. To add one: its record here, and how it is written in `hiermod.formula.vocabulary`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import narwhals as nw
import numpy as np
import pandas as pd

from hiermod.data.columns import bases, factors, processes, smooths, steps
from hiermod.data.columns.levels import match_level
from hiermod.data.columns.values import Leveled, Values
from hiermod.errors import DataError
from hiermod.formula import vocabulary
from hiermod.formula.expressions import (
    Arithmetic,
    Call,
    Column,
    Comparison,
    Expression,
    Flag,
    Negative,
    Number,
    Text,
    Vector,
    compares,
    is_comparison,
)

Value = np.ndarray | Leveled
OPERATORS: dict[str, Callable[[Any, Any], Any]] = {
    "+": np.add, "-": np.subtract, "*": np.multiply, "/": np.divide, "^": np.power,
    "==": np.equal, "!=": np.not_equal, "<": np.less, "<=": np.less_equal, ">": np.greater, ">=": np.greater_equal,
}  # fmt: skip


@dataclass(frozen=True)
class Elementwise:
    """A function of each number alone: ``compute(x, **options)``, and the same by an engine's expressions."""

    compute: Callable[..., Any]
    engine: Callable[..., nw.Expr] | None = None


@dataclass(frozen=True)
class Learned:
    """A function that learns from all rows: ``learn(x, weight, **options)`` gives the state of ``apply(x, state)``.

    `engine` applies by an engine's expressions, which are several for a `basis`; `learn_by_sums` learns from weighted
    sums alone, others from the distinct values of x. Options in `beside` are columns, which both are given by name;
    `labels` are what a basis calls its columns, where that is not 1, 2, ...
    """

    learn: Callable[..., Any]
    apply: Callable[[np.ndarray, Any], np.ndarray]
    engine: Callable[[nw.Expr, Any], Any] | None = None
    learn_by_sums: Callable[..., Any] | None = None
    basis: bool = True
    beside: tuple[str, ...] = ()
    labels: Callable[[Any], tuple[str, ...]] | None = None


@dataclass(frozen=True)
class Leveling:
    """A function that makes levels: ``learn(name, values, **options)`` is the state of ``apply(name, values, state)``.

    Where there is `arrange`, the options set the order or the coding of the levels made. One that takes numbers has an
    `engine`: the levels' codes by an engine's expression.
    """

    learn: Callable[..., Any]
    apply: Callable[[str, Any, Any], Leveled]
    arrange: Callable[..., Leveled] | None = None
    engine: Callable[[nw.Expr, Any], nw.Expr] | None = None


def _ordered(name: str, values: Any, state: Any) -> Leveled:
    return factors.apply_factor(name, values, state, "poly")


SCALE = Learned(bases.learn_scale, bases.apply_scale, bases.apply_scale, bases.learn_scale_by_sums, basis=False)
CENTER = replace(
    SCALE, learn=partial(bases.learn_scale, scale=False), learn_by_sums=partial(bases.learn_scale_by_sums, scale=False)
)
FACTOR = Leveling(factors.learn_factor, factors.apply_factor)
TRUTHS = {"levels": [False, True], "labels": [False, True]}  # what a comparison has learned, whatever the rows
COMPARED = Leveling(
    lambda name, values: TRUTHS,
    lambda name, values, state: Leveled(values.astype(np.int64), (False, True)),
    engine=lambda x, state: x.cast(nw.Int64()),
)
TRANSFORMS: dict[str, Elementwise | Learned | Leveling] = {
    "I": Elementwise(lambda x: x, lambda x: x),
    "log": Elementwise(
        lambda x, base=None: np.log(x) if base is None else np.log(x) / np.log(base),
        lambda x, base=None: x.log() if base is None else x.log() / float(np.log(base)),
    ),
    "log10": Elementwise(np.log10, lambda x: x.log() / float(np.log(10.0))),
    "log2": Elementwise(np.log2, lambda x: x.log() / float(np.log(2.0))),
    "log1p": Elementwise(np.log1p, lambda x: (x + 1.0).log()),
    "exp": Elementwise(np.exp, lambda x: x.exp()),
    "expm1": Elementwise(np.expm1, lambda x: x.exp() - 1.0),
    "sqrt": Elementwise(np.sqrt, lambda x: x.sqrt()),
    "abs": Elementwise(np.abs, lambda x: x.abs()),
    "sin": Elementwise(np.sin, lambda x: x.sin()),
    "cos": Elementwise(np.cos, lambda x: x.cos()),
    "tan": Elementwise(np.tan, lambda x: x.sin() / x.cos()),
    "round": Elementwise(lambda x, digits=0: np.round(x, int(digits))),
    "scale": SCALE,
    "standardize": SCALE,
    "center": CENTER,
    "poly": Learned(bases.learn_poly, bases.apply_poly, bases.polynomials),
    "bs": Learned(bases.learn_bs, bases.apply_bs, bases.engine_splines),
    "ns": Learned(bases.learn_ns, bases.apply_ns, bases.engine_splines),
    "s": Learned(smooths.learn_smooth, smooths.apply_smooth, beside=("by",), labels=smooths.smooth_labels),
    "hsgp": Learned(processes.learn_process, processes.apply_process, beside=("by",), labels=processes.process_labels),
    "cut": Leveling(factors.learn_cut, factors.apply_cut, engine=factors.engine_cut),
    "factor": FACTOR,
    "as.factor": FACTOR,
    "ordered": replace(FACTOR, apply=_ordered),
    "as.ordered": replace(FACTOR, apply=_ordered),
    "relevel": replace(FACTOR, arrange=factors.relevel),
    "C": replace(FACTOR, arrange=factors.contrasted),
    "mo": Leveling(steps.learn_steps, steps.apply_steps),
}


def transform_of(expression: Expression) -> Elementwise | Learned | Leveling | None:
    """How the function that an expression calls at last is computed; None of a user's own, and where it calls none."""
    if not isinstance(expression, Call) or expression.function in vocabulary.REGISTERED:
        return None
    return COMPARED if is_comparison(expression) else TRANSFORMS.get(expression.function)


def options_of(call: Call) -> dict[str, Any]:
    """The options of a call by name, as plain values, but for those that are columns; what does not fit is refused."""
    kinds = vocabulary.FUNCTIONS[call.function].options
    given = {**dict(zip(kinds, call.arguments[1:], strict=False)), **dict(call.options)}
    options = {name: _literal(value) for name, value in given.items() if not value.columns}
    for name, value in options.items():
        if not _fits(value, kinds[name]):
            raise DataError(f"{call.function}(): {name} cannot be {value!r}. It is {kinds[name]}.")
    return options


def _fits(value: Any, kind: str) -> bool:
    """Whether an option is what the vocabulary says that it may be."""
    flag = isinstance(value, bool)
    number = isinstance(value, int | float) and not flag
    numbers = number or (isinstance(value, list) and all(_fits(item, vocabulary.NUMBER) for item in value))
    fitting = {vocabulary.FLAG: flag, vocabulary.NUMBER: number, vocabulary.FLAG_OR_NUMBER: flag or number}
    return {**fitting, vocabulary.NUMBERS: numbers, vocabulary.ANY: True}[kind]


def _literal(expression: Expression) -> Any:
    match expression:
        case Number(value):
            return int(value) if np.isfinite(value) and value == int(value) else value
        case Text(value) | Flag(value):
            return value
        case Negative(operand):
            return -_literal(operand)
        case Vector(items):
            return [_literal(item) for item in items]
    raise DataError(f"{expression} cannot be an option: options are numbers, texts, TRUE and FALSE.")


@dataclass(frozen=True, eq=False)
class Recipe:
    """How one variable is made; `states` is what its functions learned, by the text of their call."""

    name: str
    expression: Expression
    states: dict[str, Any]

    @property
    def registered(self) -> bool:
        """Whether it calls a function that a user registered."""
        return not self.expression.functions <= set(vocabulary.FUNCTIONS)

    @property
    def stepped(self) -> bool:
        """Whether one of its functions has no slope."""
        functions = self.expression.functions & set(vocabulary.FUNCTIONS)
        return compares(self.expression) or any(vocabulary.FUNCTIONS[name].stepped for name in functions)

    @property
    def sources(self) -> tuple[str, ...]:
        """The columns it is made of."""
        return self.expression.columns

    @property
    def labels(self) -> tuple[str, ...]:
        """What it calls its columns; none where they are numbered."""
        transform = transform_of(self.expression)
        if not isinstance(transform, Learned) or transform.labels is None:
            return ()
        return transform.labels(self.states[self.name])

    def apply(self, frame: pd.DataFrame) -> Value:
        """The variable on rows without missing values: numbers, shape ``(rows,)`` or ``(rows, columns)``, or levels.

        Raises
        ------
        DataError
            Where the result is no finite number, or a level is unknown.
        """
        return _Evaluation(self.expression, frame, self.states, None).checked(self.name)


def learn(name: str, expression: Expression, frame: pd.DataFrame, weight: np.ndarray) -> Recipe:
    """Let an expression's functions learn from rows without missing values, each counted as `weight` says."""
    states: dict[str, Any] = {}
    _Evaluation(expression, frame, states, weight).checked(name)
    return Recipe(name, expression, states)


def learn_from_all(
    name: str, expression: Expression, raw: pd.DataFrame, used: np.ndarray, weight: np.ndarray
) -> Recipe:
    """Learn from all rows that have the columns; where those that are not `used` stand in the way, from the used."""
    rows = weight > 0
    for column in expression.columns:
        rows = rows & ~Values(column, raw[column]).missing
    try:
        return learn(name, expression, raw[rows], weight[rows])
    except DataError:
        if not (rows & ~used).any():
            raise
        return learn(name, expression, raw[used], weight[used])


def calculate(expression: Expression, frame: pd.DataFrame) -> Any:
    """The value of arithmetic on columns, as numbers; not checked."""
    with np.errstate(all="ignore"):
        return _Evaluation(expression, frame, {}, None).number(expression)


LEVELS = " Make a column of numbers first; the column itself, without a function, stands for its levels."
DAYS = " Make numbers of it first: (data[{0!r}] - data[{0!r}].min()).dt.days."


class _Evaluation:
    """Evaluates one expression on one frame; learns where it is given weights."""

    def __init__(
        self, expression: Expression, frame: pd.DataFrame, states: dict[str, Any], weight: np.ndarray | None
    ) -> None:
        self._expression, self._frame, self._states, self._weight = expression, frame, states, weight
        self._columns = {name: Values(name, frame[name]) for name in expression.columns if name in frame}

    def checked(self, name: str) -> Value:
        expression = self._expression
        for column in self._columns.values():
            _ = column.kind == "float" and column.numbers  # infinity is refused
        with np.errstate(all="ignore"):
            value = self._value(expression)
        if isinstance(value, Leveled):
            return value
        if isinstance(value, Values):
            value = self._numbers(value, str(expression))
        value = np.broadcast_to(np.asarray(value, dtype=float), (len(self._frame), *np.shape(value)[1:]))
        wrong = np.flatnonzero(~np.isfinite(value).reshape(len(value), -1).all(axis=1))
        if len(wrong) == len(value):
            raise DataError(f"{name} is a finite number in no row. Leave it out, or choose another function.")
        if len(wrong):
            row = self._frame.iloc[wrong[0]]
            at = ", ".join(f"{column} = {row[column]}" for column in expression.columns)
            raise DataError(
                f"{name} is no finite number in {len(wrong)} rows (the first has {at}). "
                "Leave those rows out, or choose another function."
            )
        return value

    def _value(self, expression: Expression) -> Any:
        match expression:
            case Column(name):
                return self._columns[name]
            case Number(value):
                return value
            case Negative(operand):
                return -self.number(operand)
            case Arithmetic(operator, left, right):
                return OPERATORS[operator](self.number(left), self.number(right))
            case Comparison():
                return np.broadcast_to(self._compared(expression), (len(self._frame),))
            case Call():
                return self._call(expression)
        raise DataError(f"{expression} is no number that could be calculated with.")

    def _compared(self, comparison: Comparison) -> np.ndarray:
        """Whether it holds on each row; a column is equal to a literal that names its level."""
        left, right, equal = comparison.left, comparison.right, comparison.operator in ("==", "!=")
        if isinstance(left, Text | Flag) or (isinstance(right, Column) and isinstance(left, Number)):
            left, right = right, left
        if equal and isinstance(left, Column) and isinstance(right, Text | Flag | Number):
            values = self._columns[left.name]
            if not isinstance(right, Number) or values.kind not in ("int", "float", "bool") or values.encoded:
                text = right.value if isinstance(right, Text) else str(right)
                levels = values.leveled.levels
                meant = match_level(text, levels, left.name)
                same = np.array([meant is not None and level == meant for level in levels])
                return same[values.leveled.codes] == (comparison.operator == "==")
        return OPERATORS[comparison.operator](self.number(comparison.left), self.number(comparison.right))

    def number(self, expression: Expression) -> Any:
        """One number, or one for each row; anything else is refused."""
        return self._numbers(self._value(expression), str(expression))

    def _numbers(self, value: Any, name: str) -> Any:
        if isinstance(value, Leveled) or (isinstance(value, np.ndarray) and value.ndim > 1):
            raise DataError(f"{name} has several columns or levels, so it cannot be calculated with.")
        if isinstance(value, Values):
            if value.texts:
                value.texts.refuse_as_numbers(f"The column {name!r}", ", with which nothing can be calculated", LEVELS)
            if value.kind not in ("int", "float", "bool") or (value.encoded and self._weight is not None):
                remedy = DAYS.format(name) if value.kind == "date" else LEVELS
                raise DataError(
                    f"The column {name!r} holds {value.kind}, with which nothing can be calculated.{remedy}"
                )
            return value.series.to_numpy(dtype=float)
        return value.astype(float) if isinstance(value, np.ndarray) and value.dtype == bool else value

    def _call(self, call: Call) -> Value:
        if call.function in vocabulary.REGISTERED:
            return self._registered(call)
        if call.function not in TRANSFORMS:
            raise DataError(f"The function {call.function!r} is not registered here: call hiermod.register first.")
        try:
            transform = COMPARED if is_comparison(call) else TRANSFORMS[call.function]
            return self._known(call, transform, options_of(call))
        except (TypeError, ValueError, IndexError, OverflowError) as error:
            raise DataError(f"{call} cannot be computed: {error}.") from error

    def _known(self, call: Call, transform: Elementwise | Learned | Leveling, options: dict[str, Any]) -> Value:
        if isinstance(transform, Leveling):
            return self._leveled(call, transform, options)
        x = np.broadcast_to(self.number(call.arguments[0]), (len(self._frame),)).astype(float)
        if isinstance(transform, Elementwise):
            return np.asarray(transform.compute(x, **options))
        beside = {
            name: self._value(value) for name, value in call.options if name in transform.beside and value.columns
        }
        state = self._state(call, lambda: transform.learn(x, self._weight, **beside, **options))
        return transform.apply(x, state, **beside)

    def _leveled(self, call: Call, transform: Leveling, options: dict[str, Any]) -> Leveled:
        name, values = str(call), self._value(call.arguments[0])
        if transform.engine is not None:
            values = self._numbers(values, str(call.arguments[0]))
        learning = {} if transform.arrange else options
        leveled = transform.apply(name, values, self._state(call, lambda: transform.learn(name, values, **learning)))
        return transform.arrange(name, leveled, **options) if transform.arrange else leveled

    def _registered(self, call: Call) -> np.ndarray:
        arguments = [np.array(self.number(argument), dtype=float) for argument in call.arguments]
        try:
            returned = np.asarray(vocabulary.REGISTERED[call.function](*arguments))
            result = returned.astype(float) if returned.dtype.kind != "c" else None
        except Exception as error:
            raise DataError(f"{call}: the registered function failed: {error!r}.") from error
        if result is None:
            raise DataError(
                f"{call}: the registered function returned complex numbers. Return their real part, or another real "
                "number of them, such as np.abs(...)."
            )
        if result.shape != (len(self._frame),):
            raise DataError(
                f"{call}: the registered function returned the shape {result.shape}, not one number for each of "
                f"{len(self._frame)} rows."
            )
        return result

    def _state(self, call: Call, learn_it: Callable[[], Any]) -> Any:
        if self._weight is not None:
            self._states[str(call)] = learn_it()
        return self._states[str(call)]
