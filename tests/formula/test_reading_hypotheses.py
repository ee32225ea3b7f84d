"""Hypotheses as data: how they are read, and where they are refused."""

import math
import operator
import random

import pytest

from hiermod.errors import FormulaError
from hiermod.formula.expressions import Arithmetic, Column, Negative, Number
from hiermod.formula.hypotheses import read_hypothesis

NAMES = ["Intercept", "treated", "other", "treated:other", "log(x)", "x", "sd(1|country)",
         "cor(Intercept, treated|country)", "period[2]", "1|country[Canada]", "sigma", "a b"]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "parameters"),
    [
        ("treated > 0", ["treated"]),
        ("treated - other > 0", ["treated", "other"]),
        ("treated:other>0", ["treated:other"]),
        ("sd( 1 | country ) > 0.5", ["sd(1|country)"]),
        ("cor(Intercept,treated|country) < 0", ["cor(Intercept, treated|country)"]),
        ("period[2] < -1", ["period[2]"]),
        ("1|country[Canada] > 1", ["1|country[Canada]"]),
        ("log(x) > log(sigma)", ["log(x)", "sigma"]),  # a coefficient of that name comes before the function
        ("`a b` >= 0", ["a b"]),
        ("abs(treated - other) < 1e-1", ["treated", "other"]),
        ("0 < treated", ["treated"]),
        ("treated**2 * -other**-2 > pi / 3", ["treated", "other"]),
    ],
)
def test_the_longest_name_that_stands_there_is_read(text, parameters):
    assert list(read_hypothesis(text, NAMES).parameters) == parameters


@pytest.mark.parametrize(
    ("text", "message", "caret"),
    [
        ("treated = 0", "A single value has probability 0", "="),
        ("treated == 0", "A single value has probability 0", "="),
        ("treated != 0", "A single value has probability 0", "!"),
        ("treatd > 0", "no parameter 'treatd'. Did you mean 'treated'", "treatd"),
        ("treated", "A hypothesis compares", "d"),
        ("treated:x > 0", "no parameter 'treated:x'. Did you mean 'treated' or 'treated:other'", "treated:x"),
        ("sd(1|city) > 0", r"no parameter 'sd\(1\|city\)'. Did you mean 'sd\(1\|country\)'", "sd(1|city)"),
        ("system(x) > 0", r"no parameter 'system\(x\)'.*The functions are abs", "system(x)"),
        ("__import__('os') > 0", "no parameter", "__import__('os')"),
        ("0 < treated < 1", "One comparison makes a hypothesis", "<"),
        ("1 > 0", "No parameter stands in this hypothesis", "1"),
        ("treated > ", "A parameter or a number was expected", ""),
        ("(treated > 0", "A closing bracket was expected", ">"),
        ("treated other > 0", "This was not expected here: .* join expressions", "o"),
        ("treated > 0; x", "This was not expected here", ";"),
        ("", "A parameter or a number was expected", ""),
        ("(" * 60 + "treated" + ")" * 60 + " > 0", "nested more than 40 deep", "("),
        ("-" * 5000 + "treated > 0", "nested more than 40 deep", "-"),
    ],
)  # fmt: skip
def test_bad_texts_are_refused_with_a_caret_under_the_culprit(text, message, caret):
    with pytest.raises(FormulaError, match=message) as caught:
        read_hypothesis(text, NAMES)
    assert text[caught.value.start : caught.value.end].startswith(caret)


def test_what_is_no_text_is_refused():
    with pytest.raises(FormulaError, match="A hypothesis is a text, not int"):
        read_hypothesis(0, NAMES)


def test_errors_list_parameters_in_one_order_in_every_process():
    with pytest.raises(FormulaError, match="There is: 'ccc', 'ab', 'bb', 'ca'"):
        read_hypothesis("3 > 0", {"ca", "ab", "ccc", "bb"})


def test_pi_is_a_number_unless_a_parameter_has_that_name():
    assert read_hypothesis("x > pi", NAMES).parameters == ("x",)
    assert read_hypothesis("x > pi", [*NAMES, "pi"]).parameters == ("x", "pi")
    with pytest.raises(FormulaError, match="no parameter 'pie'"):
        read_hypothesis("x > pie", NAMES)


def test_both_signs_of_a_power_read_alike():
    one, other = (read_hypothesis(f"2 * x{sign}2{sign}-1 > 1", NAMES) for sign in ("^", "**"))
    assert (one.left, one.right) == (other.left, other.right)


VALUES = {"treated": 1.25, "other": -0.75, "x": 1.5, "sigma": 2.0}
OPERATORS = {"+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv, "^": math.pow}


def value_of(expression):
    match expression:
        case Number(value):
            return value
        case Column(name):
            return VALUES[name]
        case Negative(operand):
            return -value_of(operand)
        case Arithmetic(sign, left, right):
            return OPERATORS[sign](value_of(left), value_of(right))
    raise AssertionError(expression)


def depth(expression):
    return 1 + max(map(depth, expression.parts), default=0)


@pytest.mark.parametrize("size", [1, 2, 19, 20, 21, 40, 41, 333, 1200])
@pytest.mark.parametrize("operators", ["+-", "*/", "+-*/"])
def test_long_statements_mean_what_python_makes_of_them_and_are_not_deep(size, operators):
    rng = random.Random(size)
    for _ in range(5):
        parts = [rng.choice([*VALUES, "-x", "2", "(x - sigma)"]) for _ in range(size)]
        text = parts[0] + "".join(f"{rng.choice(operators)}{part}" for part in parts[1:])
        read = read_hypothesis(f"{text} > x", VALUES).left
        assert value_of(read) == pytest.approx(eval(text, {}, VALUES), rel=1e-9)
        assert depth(read) < 100
