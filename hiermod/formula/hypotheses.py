"""Reads hypotheses such as ``treated - other > 0``: arithmetic on named parameters, never evaluated as code."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from hiermod.errors import FormulaError, did_you_mean
from hiermod.formula.expressions import Arithmetic, Call, Column, Expression, Negative, Number, distinct
from hiermod.formula.reader import MAX_LENGTH, NUMBER

FUNCTIONS = ("abs", "exp", "expit", "inv_logit", "log", "logit", "plogis", "qlogis", "sqrt")
CONSTANTS = {"pi": math.pi}
SIGNS = (">=", "<=", ">", "<")
MAX_DEPTH = 40
LONG = 20  # operands of a sum or a product
WORD = re.compile(r"[\w.]")
UNKNOWN = re.compile(r"[\w.|:]+(?:\([^()]*\)|\[[^\]]*\])?")
POINT = (
    "A single value has probability 0 under a continuous posterior. Ask for a side (treated > 0), or for a range of "
    "values that count as equal: abs(treated) < 0.1."
)


@dataclass(frozen=True)
class Hypothesis:
    """A comparison of two expressions, whose columns are parameters."""

    text: str
    left: Expression
    sign: str
    right: Expression

    @property
    def parameters(self) -> tuple[str, ...]:
        """The parameters it is about."""
        return distinct((*self.left.columns, *self.right.columns))

    @property
    def quantity(self) -> Expression:
        """What is compared: the left side, or the right one where the left holds no parameter, as in ``0 < x``."""
        return self.left if self.left.columns else self.right


def read_hypothesis(text: str, names: Iterable[str]) -> Hypothesis:
    """Read a hypothesis.

    Parameters
    ----------
    text : str
        Two expressions with ``>``, ``<``, ``>=`` or ``<=`` between them. Expressions are made of parameters, numbers,
        ``+ - * / ^`` (or ``**``), brackets, the constant ``pi`` and the functions ``abs exp log sqrt expit logit``
        (``inv_logit plogis qlogis`` too).
    names : iterable of str
        The parameters. The longest name that fits is taken, white space aside; one between backticks is taken whole.

    Raises
    ------
    FormulaError
        With a caret under what cannot be read.

    Examples
    --------
    >>> read_hypothesis("sd(1|g) > 2 * sigma", ["sd(1|g)", "sigma"]).parameters
    ('sd(1|g)', 'sigma')
    """
    if not isinstance(text, str):
        raise FormulaError(f"A hypothesis is a text, not {type(text).__name__}.", f"<{type(text).__name__}>", 0)
    return _Scanner(text, names).hypothesis()


class _Scanner:
    """A cursor over the text of a hypothesis."""

    def __init__(self, text: str, names: Iterable[str]) -> None:
        self.text, self.place, self.depth = text, 0, 0
        self.names = sorted(set(names), key=lambda name: (-len(name), name))
        self.squeezed = [(name, "".join(name.split())) for name in self.names]

    def hypothesis(self) -> Hypothesis:
        if len(self.text) > MAX_LENGTH:
            raise self.error(f"This hypothesis has more than {MAX_LENGTH:,} characters.", MAX_LENGTH)
        left = self.sum()
        sign = self.comparison()
        right = self.sum()
        self.skip()
        if self.place < len(self.text):
            if self.text[self.place] in "<>=":
                raise self.error("One comparison makes a hypothesis. For a range: abs(x - middle) < half its width.")
            raise self.error("This was not expected here.")
        hypothesis = Hypothesis(" ".join(self.text.split()), left, sign, right)
        if not hypothesis.parameters:
            raise self.error(f"No parameter stands in this hypothesis.{did_you_mean('', self.names)}", 0)
        return hypothesis

    def comparison(self) -> str:
        self.skip()
        for sign in SIGNS:
            if self.text.startswith(sign, self.place):
                self.place += len(sign)
                if self.text.startswith("=", self.place):
                    raise self.error(POINT)
                return sign
        if self.text.startswith(("=", "!="), self.place):
            raise self.error(POINT)
        if self.place < len(self.text):
            raise self.error("This was not expected here: + - * / or ^ join expressions, > or < compares them.")
        raise self.error("A hypothesis compares: add '> 0' or '< 0'.", max(0, len(self.text) - 1))

    def sum(self) -> Expression:
        return self.chain(self.product, "+-")

    def product(self) -> Expression:
        return self.chain(self.signed, "*/")

    def chain(self, part: Callable[[], Expression], operators: str) -> Expression:
        operands, signs = [part()], [operators[0]]
        while not self.stands("**") and (operator := self.take(operators)):
            signs.append(operator)
            operands.append(part())
        return _joined(operands, signs, operators)

    def signed(self) -> Expression:
        self.deeper()
        sign = self.take("+-")
        operand = self.signed() if sign else self.power()
        self.depth -= 1
        return Negative(operand) if sign == "-" else operand

    def power(self) -> Expression:
        base = self.value()
        return Arithmetic("^", base, self.signed()) if self.take_power() else base

    def take_power(self) -> bool:
        if self.stands("**"):
            self.place += 2
            return True
        return bool(self.take("^"))

    def value(self) -> Expression:
        self.skip()
        if self.text.startswith("`", self.place):
            return self.quoted()
        if name := self.name():
            return Column(name)
        if number := NUMBER.match(self.text, self.place):
            self.place = number.end()
            return Number(float(number.group()))
        if self.take("("):
            return self.closed(self.sum())
        for function in FUNCTIONS:
            if re.compile(rf"{function}\s*\(").match(self.text, self.place):
                self.place = self.text.index("(", self.place) + 1
                return Call(function, (self.closed(self.sum()),))
        for constant, size in CONSTANTS.items():
            if self.text.startswith(constant, self.place) and not self.goes_on(self.place + len(constant)):
                self.place += len(constant)
                return Number(size)
        raise self.unknown()

    def closed(self, inside: Expression) -> Expression:
        self.skip()
        if not self.take(")"):
            raise self.error("A closing bracket was expected here.")
        return inside

    def quoted(self) -> Column:
        end = self.text.find("`", self.place + 1)
        name = self.text[self.place + 1 : end]
        if end < 0 or name not in self.names:
            raise self.error(f"There is no parameter {name!r}.{did_you_mean(name, self.names)}")
        self.place = end + 1
        return Column(name)

    def name(self) -> str | None:
        """The longest parameter that stands here; what goes on after it would be another name."""
        for name, squeezed in self.squeezed:
            end = self.end_of(squeezed)
            if end is not None and not self.goes_on(end):
                self.place = end
                return name
        return None

    def end_of(self, squeezed: str) -> int | None:
        place = self.place
        for character in squeezed:
            while place < len(self.text) and self.text[place].isspace():
                place += 1
            if place >= len(self.text) or self.text[place] != character:
                return None
            place += 1
        return place

    def goes_on(self, end: int) -> bool:
        if end >= len(self.text):
            return False
        after, last = self.text[end], self.text[end - 1]
        return after in "[|:" or (bool(WORD.match(last)) and (bool(WORD.match(after)) or after == "("))

    def take(self, characters: str) -> str:
        self.skip()
        if self.place < len(self.text) and self.text[self.place] in characters:
            self.place += 1
            return self.text[self.place - 1]
        return ""

    def stands(self, text: str) -> bool:
        self.skip()
        return self.text.startswith(text, self.place)

    def skip(self) -> None:
        while self.place < len(self.text) and self.text[self.place].isspace():
            self.place += 1

    def deeper(self) -> None:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise self.error(f"Signs and brackets are nested more than {MAX_DEPTH} deep.")

    def unknown(self) -> FormulaError:
        match = UNKNOWN.match(self.text, self.place)
        if not match:
            return self.error("A parameter or a number was expected here.")
        name = match.group()
        return self.error(f"There is no parameter {name!r}.{_near(name, self.names)}", None, match.end())

    def error(self, message: str, start: int | None = None, end: int | None = None) -> FormulaError:
        return FormulaError(message, self.text, self.place if start is None else start, end)


def _joined(operands: Sequence[Expression], signs: Sequence[str], operators: str) -> Expression:
    """A sum or a product of signed operands: from left to right where it is short, else the two halves of it.

    So a long one is not deep, and whoever walks through it does not run out of stack.
    """
    direct, inverse = operators[0], operators[1]
    if len(operands) > LONG:
        middle = len(operands) // 2
        halves = [_joined(operands[part], signs[part], operators) for part in (slice(middle), slice(middle, None))]
        return Arithmetic(direct, *halves)
    first, *rest = operands
    expression = first
    if signs[0] == inverse:
        expression = Negative(first) if inverse == "-" else Arithmetic(inverse, Number(1.0), first)
    for sign, operand in zip(signs[1:], rest, strict=True):
        expression = Arithmetic(sign, expression, operand)
    return expression


def _near(name: str, names: Sequence[str]) -> str:
    called = name.partition("(")[0]
    if "(" in name and called not in ("sd", "cor"):
        return f"{did_you_mean(name, names)} The functions are {', '.join(FUNCTIONS)}."
    return did_you_mean(name, names)
