"""Names that results and posteriors need are no names of columns; calls are printed in one way."""

import re

import pytest

from hiermod.errors import FormulaError
from hiermod.formula.parser import canonical, check_names, fill_dot, parse, with_columns


@pytest.mark.parametrize("name", ["chain", "draw", "row", "Intercept", "sigma", "__obs__"])
@pytest.mark.parametrize("text", ["y ~ {}", "y ~ (1 | {})", "y ~ log({})", "{} ~ 1", "y ~ offset({})"])
def test_of_a_posterior_nowhere(name, text):
    with pytest.raises(FormulaError, match=rf"results use the name '{name}' themselves.*'{name}': '{name}_'") as caught:
        check_names(parse(text.format(name)))
    assert name in caught.value.text[caught.value.start : caught.value.end]


@pytest.mark.parametrize("name", ["estimate", "lower", "upper", "contrast", "prob_beats", "prob_rope", "expected_loss"])
def test_of_results_as_predictors_and_groups_alone(name):
    check_names(parse(f"{name} ~ x"))
    for text in ("y ~ {}", "y ~ (1 | {})", "y ~ x:{}"):
        with pytest.raises(FormulaError, match=f"results use the name '{name}'"):
            check_names(parse(text.format(name)))


def test_dots_are_no_columns():
    with pytest.raises(FormulaError, match="looks like a part of a formula"):
        parse("y ~ `.`")
    with pytest.raises(FormulaError, match=r"results use the name '\.\.'"):
        check_names(parse("y ~ `..`"))


@pytest.mark.parametrize(
    ("name", "printed"),
    [("poly(x,2)", "poly(x, 2)"), ("log( x )", "log(x)"), ("x", "x"), ("f(", "f("), ("no(x", "no(x"), ("f(x)", "f(x)")],
)  # fmt: skip
def test_calls_are_printed_in_one_way(name, printed):
    assert canonical(name) == printed


def test_the_dot_stands_for_columns_that_have_no_other_place():
    formula = parse("y | weights(w) ~ . + (1 | g)")
    assert str(fill_dot(formula, ["y", "x", "w", "g", "z"])) == "y | weights(w) ~ x + z + (1 | g)"
    assert with_columns(formula, ["a"]).predictor_columns == ("a",)
    rated = parse("k | rate(e) ~ .")
    assert set(fill_dot(rated, ["k", "e", "x"]).common_variables) == {"x"}
    with pytest.raises(FormulaError, match=r"no other columns for '\.'") as caught:
        fill_dot(formula, ["y", "w", "g"])
    assert formula.text[caught.value.start : caught.value.end] == "."


@pytest.mark.parametrize(
    ("text", "words"),
    [("y ~ my col", "holds a blank stands in backticks"), ("y ~ x 2", r"joined by .* \^\.$"), ("y ~ x )", r"\^\.$")],
)  # fmt: skip
def test_backticks_are_advised_for_names_alone(text, words):
    with pytest.raises(FormulaError, match="This was not expected here") as caught:
        parse(text)
    assert re.search(words, str(caught.value).split("\n")[0])


def test_a_fault_at_the_end_is_marked_at_the_end():
    with pytest.raises(FormulaError, match="Write '~ 1' for an intercept alone") as caught:
        parse("y ~ x - x - 1")
    assert caught.value.start == len("y ~ x - x - 1") - 1
