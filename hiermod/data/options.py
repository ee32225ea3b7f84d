"""The options of a formula's functions, as plain values of the right kind."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from hiermod.errors import DataError
from hiermod.formula.expressions import Call, Expression, Flag, Negative, Number, Text, Vector
from hiermod.formula.vocabulary import SIGNATURES


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
