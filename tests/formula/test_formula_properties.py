"""Properties that hold for every formula, and agreement with formulae's parser."""

import pytest
from formula_strategies import (
    PLAIN_GROUPS,
    PLAIN_PREDICTORS,
    SYMBOL_SOUP,
    WORD_SOUP,
    formulas,
)
from formulae import model_description
from formulae.terms import Intercept
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from hiermod.errors import FormulaError
from hiermod.formula.expressions import CALL, NAME, quote
from hiermod.formula.parser import parse


def refusal(text):
    try:
        parse(text)
    except FormulaError as error:
        return error
    return None


def parse_or_none(text):
    """The formula, or None where it is refused with a caret inside the text."""
    error = refusal(text)
    if error is None:
        return parse(text)
    assert 0 <= error.start <= len(text)
    assert error.start < error.end
    assert "^" in str(error).splitlines()[-1]
    return None


@settings(max_examples=200, deadline=None)
@given(formulas())
def test_a_formula_survives_printing(text):
    formula = parse_or_none(text)
    assume(formula is not None)
    again = parse(str(formula))
    assert again == formula
    assert str(again) == str(formula)


@settings(max_examples=200, deadline=None)
@given(formulas())
def test_only_emptied_sums_of_the_grammar_are_refused(text):
    error = refusal(text)
    emptied = ("no effect before the bar", "no term on the right side")
    assert error is None or any(message in str(error) for message in emptied)


@settings(max_examples=300, deadline=None)
@given(st.one_of(SYMBOL_SOUP, WORD_SOUP))
def test_any_text_is_read_or_refused(text):
    formula = parse_or_none(text)
    if formula is not None:
        assert parse(str(formula)) == formula


@settings(max_examples=200, deadline=None)
@given(formulas(), st.data())
def test_any_typing_error_is_read_or_refused(text, data):
    place = data.draw(st.integers(0, len(text)))
    length = data.draw(st.integers(0, 3))
    piece = data.draw(st.text(st.sampled_from(list("~+-*/:|()` 01xg,^%'")), max_size=3))
    formula = parse_or_none(text[:place] + piece + text[place + length :])
    if formula is not None:
        assert parse(str(formula)) == formula


@settings(max_examples=150, deadline=None)
@given(st.text(min_size=1).filter(lambda name: "`" not in name and name != "." and not CALL.fullmatch(name)))
def test_any_column_name_can_be_written(name):
    written = name if NAME.fullmatch(name) else f"`{name}`"
    assume(quote("y" + name) != "y" + name or NAME.fullmatch("y" + name))
    assert parse(f"{quote('y' + name)} ~ {written} + (1 | {written})").variables == (name,)


def variables(part):
    """The variables of one of formulae's terms."""
    return frozenset() if isinstance(part, Intercept) else frozenset(part.name.split(":"))


def described(text):
    """Formulae's reading: common terms and varying effects as sets of variables (empty: intercept)."""
    try:
        description = model_description(text)
    except Exception:  # formulae stumbles over some texts: nothing to compare then
        return None
    common = {variables(term) for term in description.common_terms}
    return common, {(variables(effect.expr), variables(effect.factor)) for effect in description.group_terms}


def read(text):
    """The same of our own reading."""
    formula = parse(text)
    common = {frozenset(term.variables) for term in formula.common}
    varying = {(frozenset(term.variables), frozenset(bar.factors)) for bar in formula.groups for term in bar.terms}
    return common | ({frozenset()} if formula.intercept else set()), varying


@settings(max_examples=150, deadline=None)
@given(formulas(["y"], PLAIN_PREDICTORS, PLAIN_GROUPS, subtraction=False))
def test_terms_agree_with_formulae(text):
    expected = described(text)
    assume(expected is not None and refusal(text) is None)
    assert read(text) == expected


@pytest.mark.parametrize("text", ["y ~ x + (1 | a/b)", "y ~ (x | a/b)", "y ~ 0 + x*z + (x*z | a:b)", "y ~ x*z - 1 - x"])
def test_formulae_agrees_on_nesting_and_subtraction(text):
    assert read(text) == described(text)


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ("y ~ 1 + (x + z - 1 | g)", "y ~ 1 + (0 + x + z | g)"),
        ("y ~ x:z + z:x - x:z", "y ~ 1"),
    ],
)
def test_where_formulae_differs_from_r_this_follows_r(text, meaning):
    assert read(text) == described(meaning) != described(text)
