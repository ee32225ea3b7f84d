"""How a formula's functions make variables of columns: learned once from the fitted rows, then applied to any rows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from hiermod.data.columns import bases, factors
from hiermod.data.columns.factors import Leveled
from hiermod.data.columns.levels import kind_of
from hiermod.data.sources.frames import check_finite
from hiermod.errors import DataError
from hiermod.formula.expressions import (
    Arithmetic,
    Call,
    Column,
    Expression,
    Flag,
    Negative,
    Number,
    Text,
    Vector,
)
from hiermod.formula.vocabulary import REGISTERED, SIGNATURES


def options_of(call: Call) -> dict[str, Any]:
    """The options of a call by name, as plain values; those that do not fit are refused."""
    names = SIGNATURES[call.function].options
    placed = dict(zip(names, call.arguments[1:], strict=False))
    options = {name: _literal(value) for name, value in {**placed, **dict(call.options)}.items()}
    for name, value in options.items():
        if name in KINDS and not KINDS[name](value):
            raise DataError(f"{call.function}(): {name} cannot be {value!r}. It is {WORDS[KINDS[name]]}.")
    return options


def cut_options(call: Call) -> dict[str, Any]:
    """The options of ``cut`` as `factors.learn_cut` calls them."""
    return {{"include.lowest": "lowest"}.get(name, name): value for name, value in options_of(call).items()}


def _is_flag(value: Any) -> bool:
    return isinstance(value, bool)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_flag_or_number(value: Any) -> bool:
    return _is_flag(value) or _is_number(value)


def _are_numbers(value: Any) -> bool:
    return _is_number(value) or (isinstance(value, list) and all(map(_is_number, value)))


WORDS: dict[Callable[[Any], bool], str] = {
    _is_flag: "TRUE or FALSE", _is_number: "a number", _is_flag_or_number: "TRUE, FALSE or a number",
    _are_numbers: "a number or several: c(1, 2)",
}  # fmt: skip
KINDS: dict[str, Callable[[Any], bool]] = {
    "raw": _is_flag, "intercept": _is_flag, "right": _is_flag, "include.lowest": _is_flag,
    "center": _is_flag_or_number, "scale": _is_flag_or_number,
    "base": _is_number, "digits": _is_number, "df": _is_number, "degree": _is_number,
    "knots": _are_numbers, "breaks": _are_numbers,
}  # fmt: skip


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


Value = np.ndarray | Leveled
OPERATORS: dict[str, Callable[[Any, Any], Any]] = {
    "+": np.add, "-": np.subtract, "*": np.multiply, "/": np.divide, "^": np.power,
}  # fmt: skip
ELEMENTWISE: dict[str, Callable[..., Any]] = {
    **{
        name: getattr(np, name)
        for name in ("log10", "log2", "log1p", "exp", "expm1", "sqrt", "abs", "sin", "cos", "tan")
    },
    "I": lambda x: x,
    "log": lambda x, base=None: np.log(x) if base is None else np.log(x) / np.log(base),
    "round": lambda x, digits=0: np.round(x, int(digits)),
}  # fmt: skip
LEARNED: dict[str, tuple[Callable[..., Any], Callable[..., np.ndarray]]] = {
    "scale": (bases.learn_scale, bases.apply_scale),
    "standardize": (bases.learn_scale, bases.apply_scale),
    "center": (lambda x, weight: bases.learn_scale(x, weight, scale=False), bases.apply_scale),
    "poly": (bases.learn_poly, bases.apply_poly),
    "bs": (bases.learn_bs, bases.apply_bs),
    "ns": (bases.learn_ns, bases.apply_ns),
}


@dataclass(frozen=True, eq=False)
class Recipe:
    """How one variable is made; `states` is what its functions learned, by the text of their call."""

    name: str
    expression: Expression
    states: dict[str, Any]

    @property
    def registered(self) -> bool:
        """Whether it calls a function that a user registered."""
        return not self.expression.functions <= set(SIGNATURES)

    @property
    def sources(self) -> tuple[str, ...]:
        """The columns it is made of."""
        return self.expression.columns

    def apply(self, frame: pd.DataFrame) -> Value:
        """The variable on rows without missing values: numbers, shape ``(rows,)`` or ``(rows, columns)``, or levels.

        Raises
        ------
        DataError
            Where the result is no finite number, or a level is unknown.
        """
        return _Kitchen(frame, self.states, None).checked(self.name, self.expression)


def learn(name: str, expression: Expression, frame: pd.DataFrame, weight: np.ndarray) -> Recipe:
    """Let an expression's functions learn from rows without missing values, each counted as `weight` says."""
    states: dict[str, Any] = {}
    _Kitchen(frame, states, weight).checked(name, expression)
    return Recipe(name, expression, states)


def calculate(expression: Expression, frame: pd.DataFrame) -> Any:
    """The value of arithmetic on columns, as numbers; not checked."""
    with np.errstate(all="ignore"):
        return _Kitchen(frame, {}, None).number(expression)


class _Kitchen:
    """Evaluates one expression on one frame; learns where it is given weights."""

    def __init__(self, frame: pd.DataFrame, states: dict[str, Any], weight: np.ndarray | None) -> None:
        self._frame, self._states, self._weight = frame, states, weight

    def checked(self, name: str, expression: Expression) -> Value:
        for column in expression.columns:
            if column in self._frame and kind_of(self._frame[column]) == "float":
                check_finite(column, self._frame[column].to_numpy(dtype=float))
        with np.errstate(all="ignore"):
            value = self._value(expression)
        if isinstance(value, Leveled):
            return value
        if isinstance(value, pd.Series):
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
                return self._frame[name]
            case Number(value):
                return value
            case Negative(operand):
                return -self.number(operand)
            case Arithmetic(operator, left, right):
                return OPERATORS[operator](self.number(left), self.number(right))
            case Call():
                return self._call(expression)
        raise DataError(f"{expression} is no number that could be calculated with.")

    def number(self, expression: Expression) -> Any:
        """One number, or one for each row; anything else is refused."""
        return self._numbers(self._value(expression), str(expression))

    def _numbers(self, value: Any, name: str) -> Any:
        if isinstance(value, Leveled) or (isinstance(value, np.ndarray) and value.ndim > 1):
            raise DataError(f"{name} has several columns or levels, so it cannot be calculated with.")
        if isinstance(value, pd.Series):
            coded = isinstance(value.dtype, pd.CategoricalDtype)
            if kind_of(value) not in ("int", "float", "bool") or (coded and self._weight is not None):
                raise DataError(f"The column {name!r} holds {kind_of(value)}, with which nothing can be calculated.")
            return value.to_numpy(dtype=float)
        return value

    def _call(self, call: Call) -> Value:
        if call.function in REGISTERED:
            return self._registered(call)
        if call.function not in SIGNATURES:
            raise DataError(f"The function {call.function!r} is not registered here: call hiermod.register first.")
        try:
            return self._known(call, options_of(call))
        except (TypeError, ValueError, IndexError, OverflowError) as error:
            raise DataError(f"{call} cannot be computed: {error}.") from error

    def _known(self, call: Call, options: dict[str, Any]) -> Value:
        if SIGNATURES[call.function].factor:
            return self._leveled(call, options)
        x = np.broadcast_to(self.number(call.arguments[0]), (len(self._frame),)).astype(float)
        if call.function in ELEMENTWISE:
            return ELEMENTWISE[call.function](x, **options)
        how, use = LEARNED[call.function]
        return use(x, self._state(call, lambda: how(x, self._weight, **options)))

    def _registered(self, call: Call) -> np.ndarray:
        arguments = [np.array(self.number(argument), dtype=float) for argument in call.arguments]
        try:
            result = np.asarray(REGISTERED[call.function](*arguments), dtype=float)
        except Exception as error:
            raise DataError(f"{call}: the registered function failed: {error!r}.") from error
        if result.shape != (len(self._frame),):
            raise DataError(
                f"{call}: the registered function returned the shape {result.shape}, not one number for each of "
                f"{len(self._frame)} rows."
            )
        return result

    def _leveled(self, call: Call, options: dict[str, Any]) -> Leveled:
        name, source = str(call), self._value(call.arguments[0])
        if call.function == "relevel":
            state = self._state(call, lambda: factors.learn_factor(name, source))
            return factors.relevel(name, factors.apply_factor(name, source, state), **options)
        if call.function == "C":
            state = self._state(call, lambda: factors.learn_factor(name, source))
            return factors.contrasted(name, factors.apply_factor(name, source, state), **options)
        if call.function == "cut":
            x = self._numbers(source, str(call.arguments[0]))
            options = cut_options(call)
            return factors.apply_cut(name, x, self._state(call, lambda: factors.learn_cut(name, x, **options)))
        coding = "poly" if call.function == "ordered" else "treatment"
        return factors.apply_factor(
            name, source, self._state(call, lambda: factors.learn_factor(name, source, **options)), coding
        )

    def _state(self, call: Call, learn_it: Callable[[], Any]) -> Any:
        if self._weight is not None:
            self._states[str(call)] = learn_it()
        return self._states[str(call)]
