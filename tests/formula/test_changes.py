"""R's `update` on formulas: what R itself says of `update.formula` where it has the terms."""

import pytest

from hiermod.errors import FormulaError
from hiermod.formula.parser import changed, parse

OLD = "y ~ x + z + (1 | g) + (0 + x | h)"

# the right column is what R 4 gives for update(y ~ ..., ...), written as hiermod spells it; bars as lme4 keeps them
CASES = [
    (". ~ .", OLD),
    ("~ .", OLD),
    ("~ . + w", "y ~ x + z + w + (1 | g) + (0 + x | h)"),
    (". ~ . - x", "y ~ z + (1 | g) + (0 + x | h)"),
    (". ~ . - (1 | g)", "y ~ x + z + (0 + x | h)"),
    (". ~ . - (1|g) + (1 + x|g)", "y ~ x + z + (0 + x | h) + (1 + x | g)"),
    (". ~ . - 1", "y ~ 0 + x + z + (1 | g) + (0 + x | h)"),
    ("log(.) ~ .", "log(y) ~ x + z + (1 | g) + (0 + x | h)"),
    ("u ~ .", "u ~ x + z + (1 | g) + (0 + x | h)"),
    ("u ~ v", "u ~ v"),
    (". ~ w + .", "y ~ w + x + z + (1 | g) + (0 + x | h)"),
]


@pytest.mark.parametrize(("change", "expected"), CASES)
def test_dots_stand_for_what_was(change, expected):
    assert parse(changed(change, parse(OLD))) == parse(expected)


def test_without_bars_dots_can_be_multiplied():
    old = parse("y ~ a + b")
    assert parse(changed("~ .:w", old)) == parse("y ~ a:w + b:w")
    assert parse(changed("~ . * w", old)) == parse("y ~ (a + b) * w")
    assert parse(changed("~ .^2", old)) == parse("y ~ a + b + a:b")


def test_no_intercept_stays_and_can_be_given_back():
    old = parse("y ~ 0 + x + (1 | g)")
    assert parse(changed("~ . + w", old)) == parse("y ~ 0 + x + w + (1 | g)")
    assert parse(changed("~ . + 1", old)) == parse("y ~ 1 + x + (1 | g)")


def test_responses_of_two_parts_weights_and_odd_names():
    assert parse(changed("~ . + x", parse("s/n ~ (1 | g)"))) == parse("s/n ~ x + (1 | g)")
    assert parse(changed(". ~ . + x", parse("y | weights(w) ~ (1 | g)"))) == parse("y | weights(w) ~ x + (1 | g)")
    odd = parse("`a ~ b` ~ `x . y` + (1 | `g + h`)")
    assert parse(changed(". ~ . + `.z`", odd)) == parse("`a ~ b` ~ `x . y` + `.z` + (1 | `g + h`)")
    assert parse(changed("~ . - (1 | `g + h`)", odd)) == parse("`a ~ b` ~ `x . y`")


def test_one_of_nested_bars_can_go():
    assert parse(changed("~ . - (1 | a:b)", parse("y ~ (1 | a/b)"))) == parse("y ~ (1 | a)")
    assert parse(changed("~ . - (1 | a/b)", parse("y ~ x + (1 | a/b)"))) == parse("y ~ x")
    assert parse(changed("~ . - (1 | g)", parse("y ~ (1 | g)"))) == parse("y ~ 1")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("~ . - (1 | k)", r"There is no bar \(1 \| k\) to take away. There is: \(1 \| g\), \(0 \+ x \| h\)"),
        ("~ . * w", "can be added, but not multiplied"),
        ("~ w - .", "can be added, but not multiplied or taken away"),
    ],
)
def test_what_cannot_be_changed_is_refused_with_a_caret(change, message):
    with pytest.raises(FormulaError, match=message) as caught:
        changed(change, parse(OLD))
    assert "^" in str(caught.value)


def test_a_two_part_response_is_not_put_into_a_function():
    with pytest.raises(FormulaError, match="The dot stands for the response s/n, which no function takes"):
        changed("log(.) ~ .", parse("s/n ~ (1 | g)"))


@pytest.mark.parametrize("text", ["y ~ x", "y", "y ~ x ~ z", "log(y) ~ poly(x, 2) + (1 | g)", "`a.b` ~ `c.d`"])
def test_a_text_without_dots_is_the_same_formula(text):
    assert changed(text, parse(OLD)).split() == text.split()


@pytest.mark.parametrize(
    ("change", "culprit"), [("~ . - (1 | k) + w", "(1 | k)"), ("~ w * .", "."), ("~ w - .", "."), ("~ I(.) + w", ".")]
)
def test_the_caret_of_a_change_stands_under_the_culprit(change, culprit):
    with pytest.raises(FormulaError, match="bar") as caught:
        changed(change, parse(OLD))
    assert change[caught.value.start : caught.value.end] == culprit


def test_brackets_hold_sums_together():
    old = parse("y ~ a + b + (1 | g)")
    assert parse(changed("~ . + (c + d):e", old)) == parse("y ~ a + b + (c + d):e + (1 | g)")
    assert parse(changed("~ . + poly(c, 2) - a", old)) == parse("y ~ b + poly(c, 2) + (1 | g)")
    assert parse(changed("y['a - b'] ~ .", parse("y ~ a"))) == parse("y['a - b'] ~ a")
    assert parse(changed("~ . - (1 || g)", parse("y ~ a + (1 || g)"))) == parse("y ~ a")
