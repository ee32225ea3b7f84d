"""What is refused, with which words, and with the caret under which part of the text."""

import time

import pytest

from hiermod.errors import FormulaError, HiermodError
from hiermod.formula.parser import parse


def refused(text, match):
    with pytest.raises(FormulaError, match=match) as caught:
        parse(text)
    return caught.value


def marked(error):
    """The part of the drawn text that stands above the carets."""
    drawn, carets = str(error).split("\n")[-2:]
    start = carets.index("^")
    assert set(carets.strip()) == {"^"}
    return drawn[start : start + carets.count("^")]


@pytest.mark.parametrize(
    ("text", "match", "culprit"),
    [
        # no formula at all
        ("y", "no '~'", "y"),
        ("y x", "no '~'", "x"),
        ("~", "no response", "~"),
        ("~ x", "no response", "~"),
        ("y ~", "A term was expected", "~"),
        ("y ~ x ~ z", "second '~'", "~"),
        ("y = x", "'~' between response and terms, not '='", "="),
        ("y ~ 0", "no term on the right side", "0"),
        ("y ~ x - x - 1", "no term on the right side", "1"),
        # bars
        ("y ~ 1 | g", "brackets round it", "|"),
        ("y ~ x || g", "brackets round it", "||"),
        ("y ~ (1 | g) | h", "brackets round it", "|"),
        ("y ~ (|g)", "nothing before the bar", "|"),
        ("y ~ (1 |)", "grouping factor was expected", ")"),
        ("y ~ (0 | g)", "no effect before the bar", "(0 |"),
        ("y ~ (x - x - 1 | g)", "no effect before the bar", "(x - x - 1 |"),
        ("y ~ (1 | g | h)", "second bar", "|"),
        ("y ~ (1 | g + h)", "one grouping factor", "+"),
        ("y ~ (1 | g * h)", "one grouping factor", "*"),
        ("y ~ (1 | (g))", "grouping factor was expected", "("),
        ("y ~ (1 | 1)", "grouping factor was expected", "1"),
        ("y ~ (1 | a/a)", "nested in itself", "a"),
        ("y ~ (1 | a:a)", "names a column twice", "a"),
        ("y ~ (1 | a:b:c:d:e:f)", "at most 5", "(1 | a:b:c:d:e:f)"),
        ("y ~ (1 | g) * x", "cannot be multiplied", "*"),
        ("y ~ x * (1 | g)", "cannot be multiplied", "("),
        ("y ~ ((1 | g))", "stand inside brackets", "("),
        ("y ~ (x + (1 | g) | h)", "stand inside brackets", "("),
        ("y ~ x - (1 | g)", "cannot be subtracted", "(1 | g)"),
        ("y ~ (1 | g) + (x | g)", "stands in two bars", "(x | g)"),
        ("y ~ (1 | g) + (1 | g)", "stands in two bars", "(1 | g)"),
        ("y ~ (1 | a:b) + (1 | b:a)", "stands in two bars", "(1 | b:a)"),
        ("y ~ (1 | a/b) + (1 | a)", "stands in two bars", "(1 | a)"),
        # brackets
        ("y ~ (x", "never closed", "("),
        ("y ~ (x + (1 | g)", "stand inside brackets", "("),
        ("y ~ x)", "not expected here", ")"),
        ("y ~ ()", "A term was expected", ")"),
        ("cbind(s, f ~ x", "closing bracket was expected", "~"),
        # numbers
        ("y ~ 2", "only numbers in a sum", "2"),
        ("y ~ x + 2*z", "only numbers in a sum", "2"),
        ("y ~ 1.5", "only numbers in a sum", "1.5"),
        ("y ~ x - 0", "only numbers in a sum", "0"),
        ("y ~ 1:x", "cannot be multiplied", ":"),
        ("y ~ x:1", "cannot be multiplied", "1"),
        ("y ~ (0 + x)", "outside of brackets", "0"),
        ("y ~ (x - 1)*f", "outside of brackets", "1"),
        ("y ~ ((0 + x) | g)", "outside of brackets", "0"),
        ("y ~ .5", "number cannot stand here", "."),
        ("y ~ 1e5", "has no meaning", "1"),
        # sums and products
        ("y ~ x +", "A term was expected", "+"),
        ("y ~ x + + z", "A term was expected", "+"),
        ("y ~ * x", "A term was expected", "*"),
        ("y ~ x z", "joined by", "z"),
        ("y ~ x - z", "no term z before this", "z"),
        ("y ~ -x", "no term x before this", "x"),
        ("y ~ a/b", "read in groups alone", "/"),
        ("y ~ x^2", "Powers are not read", "^"),
        ("y ~ x**2", "Powers are not read", "**"),
        ("y ~ (a + b)^2", "Powers are not read", "^"),
        ("y ~ x %in% g", "%in% is not read", "%"),
        ("y ~ y", "stands on the right side too", "y"),
        ("y ~ xy + y", "stands on the right side too", "y"),
        ("y ~ x + (1 | y)", "stands on the right side too", "y"),
        ("y ~ x + (y | g)", "stands on the right side too", "y"),
        ("`the y` ~ x + `the y`", "stands on the right side too", "`the y`"),
        ("s/n ~ x + s", "stands on the right side too", "s"),
        # functions and code
        ("y ~ log(x)", "functions do not belong", "log"),
        ("y ~ I(x + 1)", "functions do not belong", "I"),
        ("y ~ C(f)", "functions do not belong", "C"),
        ("y ~ offset(x)", "functions do not belong", "offset"),
        ("y ~ poly(x, 2)", "functions do not belong", "poly"),
        ("y ~ (1 | factor(g))", "functions do not belong", "factor"),
        ("log(y) ~ x", "not read as a response", "log"),
        ("y ~ __import__(os)", "functions do not belong", "__import__"),
        ("y ~ __import__('os')", "Quotes have no meaning", "'"),
        ("y ~ eval(x)", "functions do not belong", "eval"),
        ("y ~ x.__class__()", "functions do not belong", "x.__class__"),
        ("y ~ [x]", "has no meaning", "["),
        ("y ~ x[0]", "has no meaning", "["),
        ("y ~ {x}", "has no meaning", "{"),
        ("y ~ x; z", "has no meaning", ";"),
        ("y ~ x # z", "has no meaning", "#"),
        ("y ~ 'x'", "Quotes have no meaning", "'"),
        ('y ~ "x"', "Quotes have no meaning", '"'),
        ("y ~ ``", "backtick", "`"),
        ("y ~ `x", "backtick", "`"),
        ("y ~ x\x00", "has no meaning", " "),
        # responses
        ("5 ~ x", "not a response", "5"),
        ("y + 1 ~ x", "not a response", "y + 1"),
        ("a/b/c ~ x", "not a response", "a/b/c"),
        ("-y ~ x", "column or a number was expected", "-"),
        ("cbind(s) ~ x", "takes two parts", ")"),
        ("cbind(s, f, g) ~ x", "closing bracket was expected", ","),
        ("p(s, ) ~ x", "column or a number was expected", ")"),
        ("y | x ~ z", "stands trials", "x"),
        ("s | trials ~ x", "stands trials", "trials"),
        ("s | trials(n ~ x", "closing bracket was expected", "~"),
        ("trials(n) ~ x", "not read as a response", "trials"),
    ],
)
def test_refusals_say_why_and_where(text, match, culprit):
    error = refused(text, match)
    assert isinstance(error, HiermodError)
    assert 0 <= error.start < error.end <= len(text)
    assert marked(error) == culprit


@pytest.mark.parametrize("value", [None, 3, b"y ~ x", ["y ~ x"], object()])
def test_a_formula_is_a_text(value):
    refused(value, "A formula is a text, not")


def test_the_empty_text_is_refused():
    refused("", "was expected here")
    refused("   \n", "was expected here")


def test_a_long_formula_is_shown_around_the_culprit():
    text = "y ~ " + " + ".join(f"x{place}" for place in range(100)) + " + x^2 + " + "z + " * 100 + "w"
    error = refused(text, "Powers")
    assert marked(error) == "^"
    assert max(map(len, str(error).splitlines())) < 120


MANY = [f"x{place}" for place in range(3300)]
SUMS = [f"({'+'.join(f'{letter}{place}' for place in range(400))})" for letter in "abcdefgh"]
HOSTILE = {
    "a megabyte": ("y ~ " + "x + " * 250_000 + "x", "at most 20,000"),
    "a megabyte of spaces": ("y ~ x" + " " * 1_000_000, "at most 20,000"),
    "a megabyte without a break": ("y" * 1_000_000, "at most 20,000"),
    "products": ("y ~ " + "*".join(MANY), "more than 500 terms"),
    "products of sums": ("y ~ " + "*".join(SUMS), "more than 500 terms"),
    "products inside a bar": ("y ~ (" + "*".join(MANY[:40]) + " | g)", "more than 500 terms"),
    "many terms": ("y ~ " + "+".join(MANY), "more than 500 terms"),
    "open brackets": ("y ~ " + "(" * 9000, "nested more than"),
    "deep brackets": ("y ~ " + "(" * 5000 + "x" + ")" * 5000, "nested more than"),
    "open brackets in the response": ("(" * 9000 + " ~ x", "nested more than"),
    "a long response": ("/".join(["a"] * 9000) + " ~ x", "too long"),
    "deep nesting of groups": ("y ~ (1 | " + "/".join(MANY) + ")", "at most 5"),
    "wide crossing of groups": ("y ~ (1 | " + ":".join(MANY) + ")", "at most 5"),
    "terms taken away": ("y ~ " + "-".join(["x"] * 9000), "no term x before"),
    "a number that overflows": ("s/" + "9" * 400 + " ~ x", "too large"),
}


@pytest.mark.parametrize(("text", "match"), HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_texts_are_refused_quickly_with_a_short_message(text, match):
    start = time.perf_counter()
    error = refused(text, match)
    assert time.perf_counter() - start < 3.0
    assert len(str(error)) < 1000


@pytest.mark.parametrize(
    "name", ["__class__", "__import__", "lambda", "import", "None", "True", "exec", "pm", "np", "self"]
)
def test_names_that_are_code_elsewhere_are_names_of_columns_here(name):
    formula = parse(f"y ~ {name} + {name}:x + (1 | {name})")
    assert formula.predictors() == (name, "x")
    assert formula.grouping_columns() == (name,)


@pytest.mark.parametrize("depth", [1, 10, 39])
def test_reasonable_nesting_is_read(depth):
    assert parse("y ~ " + "(" * depth + "x" + ")" * depth) == parse("y ~ x")
