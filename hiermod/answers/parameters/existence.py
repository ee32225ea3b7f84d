"""Which statements about parameters have a posterior mean: powers, products, exponentials and shares of heavy tails."""

from __future__ import annotations

import math
import operator
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from hiermod.formula.expressions import Arithmetic, Call, Column, Expression, Negative, Number
from hiermod.modeling.moments import exponential_limits
from hiermod.modeling.protocol import ModelSpec


@dataclass(frozen=True)
class Moments:
    """Which powers of expressions have posterior means.

    Parameters
    ----------
    finite : mapping of str to float
        By parameter, the power from which on it has none.
    rates : mapping of str to (float, float)
        By coefficient with a heavy-tailed prior, the largest c for which exp(c·b), and exp(-c·b), has one.
    """

    finite: Mapping[str, float]
    rates: Mapping[str, tuple[float, float]]

    @staticmethod
    def of(spec: ModelSpec, *statements: Expression) -> Moments:
        """Those of a model, as far as its priors are known, for some statements."""
        exponential = any("exp" in statement.functions for statement in statements)
        return Moments(spec.finite_moments, exponential_limits(spec) if exponential else {})

    def power(self, expression: Expression) -> float:
        """The power from which on an expression has no posterior mean, as far as is known; 0 where nothing is."""
        match expression:
            case Number():
                return np.inf
            case Column(name):
                return self.finite.get(name, self.finite.get(name.split("[")[0], np.inf))
            case Negative(inner) | Call("abs", (inner,)):
                return self.power(inner)
            case Call("exp", (inner,)):
                return self._of_exponential(inner)
            case Call("sqrt", (inner,)):
                return 2.0 * self.power(inner)
            case Arithmetic(sign, left, right):
                return self._of_arithmetic(sign, left, right)
        return np.inf  # logarithms, and shares

    def _of_arithmetic(self, sign: str, left: Expression, right: Expression) -> float:
        first, second = self.power(left), self.power(right)
        if sign in "+-":
            return min(first, second)
        if sign == "*":
            return first if np.isinf(second) else second if np.isinf(first) else first * second / (first + second)
        if sign == "/":
            return np.inf if _is_share(left, right) else 0.0 if right.columns else first
        if (exponent := constant(right)) is None:
            return 0.0
        return np.inf if exponent == 0.0 else first / exponent if exponent > 0.0 else 0.0

    def _of_exponential(self, inner: Expression) -> float:
        """The exponential of one coefficient times a number; of others, that of their priors."""
        if not (set(inner.columns) & set(self.rates)):
            return min((self.power(Column(name)) for name in inner.columns), default=np.inf)
        sign, held = 1.0, inner
        while not isinstance(held, Column):
            match held:
                case Negative(operand):
                    sign, held = -sign, operand
                case Arithmetic("*", left, right) if not left.columns and (number := constant(left)) is not None:
                    sign, held = sign * number, right
                case Arithmetic("*" | "/" as mark, left, right) if (number := constant(right)) not in (None, 0.0):
                    sign, held = sign * number if mark == "*" else sign / number, left
                case Arithmetic("+" | "-", left, right) if not right.columns:
                    held = left
                case _:
                    return 0.0
        limit = self.rates[held.name][0 if sign > 0.0 else 1]
        return limit / abs(sign) + (limit > 0.0) * ROUNDING if sign else np.inf


ROUNDING = 1e-9
OPERATORS = {"+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv, "^": math.pow}


def constant(expression: Expression) -> float | None:
    """The number that an expression without parameters is."""
    match expression:
        case Number(value):
            return value
        case Negative(operand):
            number = constant(operand)
            return None if number is None else -number
        case Arithmetic(sign, left, right):
            first, second = constant(left), constant(right)
            if first is None or second is None:
                return None
            try:
                return OPERATORS[sign](first, second)
            except (ArithmeticError, ValueError):
                return None
    return None


def _is_share(part: Expression, whole: Expression) -> bool:
    """Whether the whole is the part with squares, standard deviations and numbers added to it: a share, as an ICC."""
    added = _summands(whole)
    mine = _summands(part)
    if not set(map(str, mine)) <= set(map(str, added)):
        return False
    return all(_is_positive(one) for one in added)


def _summands(expression: Expression) -> list[Expression]:
    if isinstance(expression, Arithmetic) and expression.operator == "+":
        return [*_summands(expression.left), *_summands(expression.right)]
    return [expression]


def _is_positive(expression: Expression) -> bool:
    match expression:
        case Column(name):
            return name.startswith("sd(") or name.endswith("_sigma") or name == "sigma"
        case Arithmetic("^", _, Number(power)) if power % 2 == 0:
            return True
        case Arithmetic("*" | "/" | "^" | "+", left, right):
            return _is_positive(left) and _is_positive(right)
        case Call("exp" | "abs" | "sqrt"):
            return True
    number = constant(expression)
    return number is not None and number >= 0.0
