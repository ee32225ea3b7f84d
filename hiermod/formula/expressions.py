"""Simple arithmetic on columns, as it may stand on the left side of a formula."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from hiermod.formula.tokens import NAME

OPERATORS: dict[str, Callable[[Any, Any], Any]] = {
    "+": lambda left, right: left + right,
    "-": lambda left, right: left - right,
    "*": lambda left, right: left * right,
    "/": lambda left, right: left / right,
}


@dataclass(frozen=True)
class Column:
    """A column of the data, by name."""

    name: str

    def __str__(self) -> str:
        return quote(self.name)


@dataclass(frozen=True)
class Number:
    """A literal number."""

    value: float

    def __str__(self) -> str:
        return f"{Decimal(repr(self.value)):f}".removesuffix(".0")


@dataclass(frozen=True)
class Arithmetic:
    """``left operator right`` with one of ``+ - * /``."""

    operator: str
    left: Expression
    right: Expression

    def __str__(self) -> str:
        left, right = self._side(self.left, loose="+-"), self._side(self.right, loose="+-*/")
        return f"{left} {self.operator} {right}"

    def _side(self, side: Expression, loose: str) -> str:
        if not isinstance(side, Arithmetic):
            return str(side)
        needs_brackets = side.operator in loose and (self.operator in "*/" or side is self.right)
        return f"({side})" if needs_brackets else str(side)


Expression = Column | Number | Arithmetic


def columns(expression: Expression) -> Iterator[str]:
    """Yield the column names of an expression, in order of appearance."""
    match expression:
        case Column(name):
            yield name
        case Arithmetic(_, left, right):
            yield from columns(left)
            yield from columns(right)


def evaluate(expression: Expression, lookup: Callable[[str], Any]) -> Any:
    """Evaluate an expression, each column's values being given by `lookup`."""
    match expression:
        case Column(name):
            return lookup(name)
        case Number(value):
            return value
        case Arithmetic(operator, left, right):
            return OPERATORS[operator](evaluate(left, lookup), evaluate(right, lookup))


def quote(name: str) -> str:
    """Write a column name as a formula needs it: in backticks unless it is a plain name."""
    return name if NAME.fullmatch(name) else f"`{name}`"
