"""Expressions on columns: arithmetic, and calls of functions from the vocabulary. They are data and never code."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from hiermod.formula.tokens import NAME

CALL = re.compile(r"[\w.]+\(.*\)", re.DOTALL)
R_WORDS = (
    "if",
    "else",
    "repeat",
    "while",
    "function",
    "for",
    "next",
    "break",
    "TRUE",
    "FALSE",
    "NULL",
    "NA",
    "Inf",
    "NaN",
)
PYTHON_WORDS = (
    "True",
    "False",
    "None",
    "lambda",
    "import",
    "and",
    "or",
    "not",
    "is",
    "del",
    "def",
    "class",
    "return",
    "in",
)
KEYWORDS = frozenset((*R_WORDS, *PYTHON_WORDS))
BINDING = {"+": 1, "-": 1, "*": 2, "/": 2, "^": 4}
NEGATIVE = 3


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
        return "Inf" if math.isinf(self.value) else f"{Decimal(repr(self.value)):f}".removesuffix(".0")


@dataclass(frozen=True)
class Text:
    """A literal text, such as a level."""

    value: str

    def __str__(self) -> str:
        return f"'{self.value}'" if "'" not in self.value else f'"{self.value}"'


@dataclass(frozen=True)
class Flag:
    """``TRUE`` or ``FALSE``."""

    value: bool

    def __str__(self) -> str:
        return str(self.value).upper()


@dataclass(frozen=True)
class Vector:
    """``c(1, 2, 3)``: literal values, as options of functions take them."""

    items: tuple[Expression, ...]

    def __str__(self) -> str:
        return f"c({', '.join(map(str, self.items))})"


@dataclass(frozen=True)
class Negative:
    """``-x``."""

    operand: Expression

    def __str__(self) -> str:
        return f"-{_bracketed(self.operand, _binding(self.operand) < NEGATIVE)}"


@dataclass(frozen=True)
class Arithmetic:
    """``left operator right`` with one of ``+ - * / ^``."""

    operator: str
    left: Expression
    right: Expression

    def __str__(self) -> str:
        own = BINDING[self.operator]
        if self.operator == "^":
            left = _bracketed(self.left, _binding(self.left) <= own)
            return f"{left}^{_bracketed(self.right, _binding(self.right) < NEGATIVE)}"
        left = _bracketed(self.left, _binding(self.left) < own)
        right = _bracketed(self.right, _binding(self.right) <= own)
        return f"{left} {self.operator} {right}"


@dataclass(frozen=True)
class Call:
    """A function of the vocabulary with its arguments; `options` are those given by name."""

    function: str
    arguments: tuple[Expression, ...]
    options: tuple[tuple[str, Expression], ...] = ()

    def __str__(self) -> str:
        named = [f"{name}={value}" for name, value in self.options]
        return f"{self.function}({', '.join([*map(str, self.arguments), *named])})"


Literal = Number | Text | Flag | Vector
Expression = Column | Number | Text | Flag | Vector | Negative | Arithmetic | Call


def _binding(expression: Expression) -> int:
    """How tightly an expression's own operator binds; more than any operator where it has none."""
    match expression:
        case Arithmetic(operator):
            return BINDING[operator]
        case Negative():
            return NEGATIVE
    return 5


def _bracketed(expression: Expression, needed: bool) -> str:
    return f"({expression})" if needed else str(expression)


def columns(expression: Expression) -> Iterator[str]:
    """Yield the column names of an expression, in order of appearance."""
    match expression:
        case Column(name):
            yield name
        case Arithmetic(_, left, right):
            yield from columns(left)
            yield from columns(right)
        case Negative(operand):
            yield from columns(operand)
        case Call(_, arguments, options):
            for argument in (*arguments, *(value for _, value in options)):
                yield from columns(argument)


def calls(expression: Expression) -> set[str]:
    """The functions that an expression calls."""
    match expression:
        case Arithmetic(_, left, right):
            return calls(left) | calls(right)
        case Negative(operand):
            return calls(operand)
        case Call(function, arguments):
            return {function}.union(*(calls(argument) for argument in arguments))
    return set()


def quote(name: str) -> str:
    """Write a variable as a formula needs it: in backticks unless it is a plain name or a call."""
    plain = NAME.fullmatch(name) and name not in KEYWORDS
    return name if plain or CALL.fullmatch(name) else f"`{name}`"
