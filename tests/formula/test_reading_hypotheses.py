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


@pytest.mark.parametrize("space", ["", " "])
@pytest.mark.parametrize("name", ["abs", "exp", "expit", "inv_logit", "log", "logit", "plogis", "qlogis", "sqrt"])
def test_each_function_is_read_as_itself(name, space):
    read = read_hypothesis(f"{name}{space}(sigma) - 1 > 0", NAMES).left
    assert (read.operator, read.left.function, read.left.arguments) == ("-", name, (Column("sigma"),))


@pytest.mark.parametrize("sign", [">", "<", ">=", "<="])
def test_each_sign_is_read_as_itself(sign):
    read = read_hypothesis(f"x {sign} sigma", NAMES)
    assert (read.left, read.sign, read.right, read.text) == (Column("x"), sign, Column("sigma"), f"x {sign} sigma")
    assert read.quantity == read.left
    assert read_hypothesis(f"0 {sign} sigma", NAMES).quantity == Column("sigma")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("2^-x^2 > 1", 2.0 ** -(1.5**2)), ("-x^2 > 1", -(1.5**2)), ("2^+x > 1", 2.0**1.5),
        ("+x > 1", 1.5), ("--x > 1", 1.5),
        ("(x) > 1", 1.5), ("((x + 1)) * 2 > 1", 5.0), ("x - sigma - 1 > 1", -1.5), ("x / sigma / 2 > 1", 0.375),
        ("x - -sigma > 1", 3.5), ("x * (sigma - 1)^2 > 1", 1.5), (".5 * x > 1", 0.75), ("1e1 - x > 1", 8.5),
        ("x ** 2 - 1 > 1", 1.25), ("x * sigma + 1 > 1", 4.0), ("1 + x * sigma > 1", 4.0),
    ],
)  # fmt: skip
def test_operators_bind_as_in_r(text, value):
    assert value_of(read_hypothesis(text, VALUES).left) == pytest.approx(value, rel=1e-12)


def test_lengths_and_depths_end_where_they_are_said_to():
    most = "x" + " " * (20_000 - 5) + " > 0"
    assert len(most) == 20_000
    assert read_hypothesis(most, NAMES).text == "x > 0"
    with pytest.raises(FormulaError, match="more than 20,000 characters") as caught:
        read_hypothesis(f"{most} ", NAMES)
    assert caught.value.start == 20_000
    assert read_hypothesis("-" * 39 + "x > 0", NAMES).parameters == ("x",)
    assert read_hypothesis(" + ".join(["(x)"] * 60) + " > 0", NAMES).parameters == ("x",)
    with pytest.raises(FormulaError, match="nested more than 40 deep"):
        read_hypothesis("-" * 40 + "x > 0", NAMES)


@pytest.mark.parametrize(
    ("text", "message", "start", "end"),
    [
        ("`treatd` > 0", "no parameter 'treatd'. Did you mean 'treated'", 0, 1),
        ("x + `a b > 0", "no parameter 'a b > '", 4, 5),
        ("2 * treatd > 0", "no parameter 'treatd'. Did you mean 'treated'", 4, 10),
        ("x > cor(a, b)", r"no parameter 'cor\(a, b\)'\.(?!.*functions)", 4, 13),
        ("foo(x) > 0", r"no parameter 'foo\(x\)'.*The functions are abs, exp, expit, inv_logit, log,", 0, 6),
        ("x[2] > 0", r"no parameter 'x\[2\]'", 0, 4),
        ("x2 > 0", "no parameter 'x2'", 0, 2),
        ("x(2) > 0", r"no parameter 'x\(2\)'", 0, 4),
        ("x|g > 0", r"no parameter 'x\|g'", 0, 3),
        ("1 > 0", "No parameter stands in this hypothesis. There is", 0, 1),
        ("x > 0 > 1", "One comparison makes a hypothesis", 6, 7),
        ("x >= = 0", "A parameter or a number was expected", 5, 6),
        ("x == 0", "A single value has probability 0", 2, 3),
        ("x >== 0", "A single value has probability 0", 4, 5),
        ("x", r"add '> 0' or '< 0'", 0, 1),
        ("exp(x > 0", "closing bracket was expected", 6, 7),
    ],
)
def test_the_caret_stands_where_the_fault_begins(text, message, start, end):
    with pytest.raises(FormulaError, match=message) as caught:
        read_hypothesis(text, NAMES)
    assert (caught.value.start, caught.value.end) == (start, end)
