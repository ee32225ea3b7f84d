"""Expressions on columns: arithmetic, and calls of functions from the vocabulary. They are data and never code."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property

INNER = r"[\w.\u0300-\u036f]"  # of names; accents that stand for themselves, as macOS writes them, are among them
NAME = re.compile(rf"(?:[^\W\d]|\.(?![0-9])){INNER}*")
CALL = re.compile(rf"{INNER}+\(.*\)", re.DOTALL)
KEYWORDS = frozenset((
    "if", "else", "repeat", "while", "function", "for", "next", "break", "TRUE", "FALSE", "NULL", "NA", "Inf", "NaN",
    "True", "False", "None", "lambda", "import", "and", "or", "not", "is", "del", "def", "class", "return", "in",
))  # fmt: skip
BINDING = {"+": 1, "-": 1, "*": 2, "/": 2, "^": 4}
NEGATIVE = 3


class Expression:
    """A value on each row: a column, a literal, or what an operator or a function makes of others, its parts."""

    @property
    def parts(self) -> tuple[Expression, ...]:
        """The expressions that it is made of."""
        return ()

    @cached_property
    def columns(self) -> tuple[str, ...]:
        """The columns it reads, in order of appearance."""
        return distinct(name for part in self.parts for name in part.columns)

    @cached_property
    def functions(self) -> frozenset[str]:
        """The functions it calls."""
        return frozenset(name for part in self.parts for name in part.functions)


@dataclass(frozen=True)
class Column(Expression):
    """A column of the data, by name."""

    name: str

    def __str__(self) -> str:
        return quote(self.name)

    @cached_property
    def columns(self) -> tuple[str, ...]:
        """Itself."""
        return (self.name,)


@dataclass(frozen=True)
class Number(Expression):
    """A literal number."""

    value: float

    def __str__(self) -> str:
        return "Inf" if math.isinf(self.value) else f"{Decimal(repr(self.value)):f}".removesuffix(".0")


@dataclass(frozen=True)
class Text(Expression):
    """A literal text, such as a level."""

    value: str

    def __str__(self) -> str:
        return f"'{self.value}'" if "'" not in self.value else f'"{self.value}"'


@dataclass(frozen=True)
class Flag(Expression):
    """``TRUE`` or ``FALSE``."""

    value: bool

    def __str__(self) -> str:
        return str(self.value).upper()


@dataclass(frozen=True)
class Vector(Expression):
    """``c(1, 2, 3)``: literal values, as options of functions take them."""

    items: tuple[Expression, ...]

    def __str__(self) -> str:
        return f"c({', '.join(map(str, self.items))})"


@dataclass(frozen=True)
class Negative(Expression):
    """``-x``."""

    operand: Expression

    def __str__(self) -> str:
        return f"-{_bracketed(self.operand, _binding(self.operand) < NEGATIVE)}"

    @property
    def parts(self) -> tuple[Expression, ...]:
        """What the sign stands before."""
        return (self.operand,)


@dataclass(frozen=True)
class Arithmetic(Expression):
    """``left operator right`` with one of ``+ - * / ^``."""

    operator: str
    left: Expression
    right: Expression

    def __str__(self) -> str:
        binding = BINDING[self.operator]
        if self.operator == "^":
            left = _bracketed(self.left, _binding(self.left) <= binding)
            return f"{left}^{_bracketed(self.right, _binding(self.right) < NEGATIVE)}"
        left = _bracketed(self.left, _binding(self.left) < binding)
        right = _bracketed(self.right, _binding(self.right) <= binding)
        return f"{left} {self.operator} {right}"

    @property
    def parts(self) -> tuple[Expression, ...]:
        """Both sides."""
        return (self.left, self.right)


@dataclass(frozen=True)
class Comparison(Expression):
    """``left operator right`` with one of ``== != < <= > >=``: true or false on each row."""

    operator: str
    left: Expression
    right: Expression

    def __str__(self) -> str:
        return f"{self.left} {self.operator} {self.right}"

    @property
    def parts(self) -> tuple[Expression, ...]:
        """Both sides."""
        return (self.left, self.right)


@dataclass(frozen=True)
class Call(Expression):
    """A function of the vocabulary with its arguments; `options` are those given by name."""

    function: str
    arguments: tuple[Expression, ...]
    options: tuple[tuple[str, Expression], ...] = ()

    def __str__(self) -> str:
        named = [f"{name}={value}" for name, value in self.options]
        return f"{self.function}({', '.join([*map(str, self.arguments), *named])})"

    @property
    def parts(self) -> tuple[Expression, ...]:
        """Its arguments and the values of its options."""
        return (*self.arguments, *(value for _, value in self.options))

    @cached_property
    def functions(self) -> frozenset[str]:
        """Its function and those of its arguments."""
        return super().functions | {self.function}


def _binding(expression: Expression) -> int:
    """How tightly an expression's own operator binds; more than any operator where it has none."""
    match expression:
        case Arithmetic(operator):
            return BINDING[operator]
        case Negative():
            return NEGATIVE
        case Comparison():
            return 0
    return 5


def _bracketed(expression: Expression, needed: bool) -> str:
    return f"({expression})" if needed else str(expression)


def is_comparison(expression: Expression) -> bool:
    """Whether it is ``I(x > 2)``, true or false on each row."""
    match expression:
        case Call("I", (Comparison(),)):
            return True
    return False


def compares(expression: Expression) -> bool:
    """Whether a comparison stands somewhere in it."""
    return isinstance(expression, Comparison) or any(map(compares, expression.parts))


def distinct(names: Iterable[str]) -> tuple[str, ...]:
    """Each name once, in order of appearance."""
    return tuple(dict.fromkeys(names))


def quote(name: str) -> str:
    """Write a variable as a formula needs it: in backticks unless it is a plain name or a call."""
    plain = NAME.fullmatch(name) and name not in KEYWORDS
    return name if plain or CALL.fullmatch(name) else f"`{name}`"
