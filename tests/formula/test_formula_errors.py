"""What is refused, with which words, and with the caret under which part of the text."""

import time

import pytest

from hiermod.errors import FormulaError, HiermodError
from hiermod.formula.parser import check_names, parse


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
        ("(1 > 0) ~ x", "names no column", "(1 > 0)"),
        ("Surv(-0, e) ~ x", "names no column", "Surv(-0, e)"),
        ("1/2 ~ x", "names no column", "1/2"),
        ("cbind(1, 2, 3) ~ x", "names no column", "cbind(1, 2, 3)"),
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
        ("y ~ (1 | g * h)", "For a.b write", "*"),
        ("y ~ (1 g)", "A bar is missing", "1 g"),
        ("y ~ (1 | 1)", "grouping factor was expected", "1"),
        ("y ~ (1 | a/a)", "nested in itself", "a"),
        ("y ~ (1 | a:a)", "names a column twice", "a"),
        ("y ~ (1 | a:b:c:d:e:f)", "at most 5", "(1 | a:b:c:d:e:f)"),
        ("y ~ (1 | g) * x", "cannot be multiplied", "*"),
        ("y ~ x * (1 | g)", "cannot be multiplied", "("),
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
        ("y ~ (x + 1):f", "has two readings", "(x + 1):f"),
        ("y ~ x:(1 + f)", "has two readings", "x:(1 + f)"),
        ("y ~ x > 3", r"stands in I\(\)", ">"),
        ("y ~ (x > 3)", r"stands in I\(\)", ">"),
        ("y ~ I(1 < x < 3)", "One comparison at a time", "<"),
        ("y ~ I(f < 'b')", "is no number", "<"),
        ("s * n ~ x", r"As arithmetic: I\(s \* n\)", "s * n"),
        ("y ~ .5", "only numbers in a sum", ".5"),
        ("y ~ 1e5", "only numbers in a sum", "1e5"),
        ("y ~ 2nd", "not a number, nor a name", "2"),
        # sums and products
        ("y ~ x +", "A term was expected", "+"),
        ("y ~ * x", "A term was expected", "*"),
        ("y ~ x z", "joined by", "z"),
        ("y ~ x - z", "no term z before this", "z"),
        ("y ~ -x", "no term x before this", "x"),
        ("y ~ x^99", "whole number from 1 to 20", "99"),
        ("y ~ (a + b)^2.5", "whole number from 1 to 20", "2.5"),
        ("y ~ (a + b)^n", "stands a whole number", "n"),
        ("y ~ x %of% g", "only operator between percent signs", "%"),
        ("y ~ x %% g", "only operator between percent signs", "%"),
        ("y ~ y", "stands on the right side too", "y"),
        ("y ~ xy + y", "stands on the right side too", "y"),
        ("y ~ x + (1 | y)", "stands on the right side too", "y"),
        ("y ~ x + (y | g)", "stands on the right side too", "y"),
        ("`the y` ~ x + `the y`", "stands on the right side too", "`the y`"),
        ("s/n ~ x + s", "stands on the right side too", "s"),
        # functions and code
        ("y ~ log()", "a column was expected", "log()"),
        ("y ~ log(2)", "a column was expected", "log(2)"),
        ("y ~ log(x, bse=2)", "no option 'bse'.*takes base", "bse"),
        ("y ~ log(x, z)", "no names of what stands elsewhere", "log(x, z)"),
        ("y ~ poly(x, 2, degree=3)", "given twice", "poly(x, 2, degree=3)"),
        ("y ~ poly(x, degree=3, 2)", "after those without", "2"),
        ("y ~ poly(x, 2, TRUE, 4)", "takes one column and degree, raw", "poly(x, 2, TRUE, 4)"),
        ("y ~ cut(x)", "'breaks' is missing", "cut(x)"),
        ("y ~ lag(x)", "no function 'lag'.*hiermod.register", "lag"),
        ("y ~ sqr(x)", "Did you mean 'sqrt'", "sqr"),
        ("y ~ te(x, z)", r"Smooths of several columns.*s\(a\) \+ s\(b\)", "te"),
        ("y ~ c(x, z)", "holds numbers or texts", "(x, z)"),
        ("y ~ C(f, foo)", "no contrasts foo", "C(f, foo)"),
        ("y ~ x - offset(z)", "stands alone", "offset(z)"),
        ("y ~ x:offset(z)", "stands alone", "offset"),
        ("y ~ (offset(x) | g)", "cannot vary", "(offset(x) |"),
        ("y ~ I(.)", "cannot be calculated with", "."),
        ("y ~ (1 | factor(g))", "cannot stand here", "factor"),
        ("y ~ __import__(os)", "no function '__import__'", "__import__"),
        ("y ~ __import__('os')", "no function '__import__'", "__import__"),
        ("y ~ eval(x)", "no function 'eval'", "eval"),
        ("y ~ x.__class__()", "no function 'x.__class__'", "x.__class__"),
        ("y ~ I(x.__class__())", "no function 'x.__class__'", "x.__class__"),
        ("y ~ lambda x: x", "joined by", "x"),
        ("y ~ log(lambda: x)", "closing bracket", ":"),
        ("y ~ I(9^9^9^9^9)", "a column was expected", "I(9^9^9^9^9)"),
        ("y ~ [x]", "A term was expected", "["),
        ("y ~ x[0]", "not expected here", "["),
        ("y ~ `f(x)`", "looks like a part of a formula", "`f(x)`"),
        ("y ~ x; z", "The linear predictor of another parameter reads", "z"),
        ("y ~ x # z", "has no meaning", "#"),
        ("y ~ 'x'", "A term was expected", "'x'"),
        ("y ~ 'x", "quote is never closed", "'"),
        ("y ~ ``", "backtick", "`"),
        ("y ~ `x", "backtick", "`"),
        ("y ~ x\x00", "has no meaning", " "),
        # responses
        ("5 ~ x", "not a response", "5"),
        ("a/b/c ~ x", "not a response", "a/b/c"),
        ("y['a' ~ x", "square bracket was expected", "~"),
        ("y[] ~ x", "the level that counts", "]"),
        ("s/n | trials(n) ~ x", "has trials already", "|"),
        ("y | weights(2) ~ x", "column of frequency weights", "2"),
        ("cbind(s) ~ x", "takes two parts", ")"),
        ("p(s, ) ~ x", "column or a number was expected", ")"),
        ("y | x ~ z", "stands trials", "x"),
        ("s | trials ~ x", "stands trials", "trials"),
        ("s | trials(n ~ x", "closing bracket was expected", "~"),
        ("trials(n) ~ x", "no function 'trials'", "trials"),
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
    text = "y ~ " + " + ".join(f"x{place}" for place in range(100)) + " + x^y + " + "z + " * 100 + "w"
    error = refused(text, "stands a whole number")
    assert marked(error) == "y"
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
    "a long sum in a function": ("y ~ I(" + "+".join(["x"] * 9000) + ")", "too long"),
    "a chain of powers": ("y ~ I(x" + "^2" * 9000 + ")", "too long"),
    "an option twice": ("y ~ poly(x, degree=2, degree=3)", "'degree' is given twice"),
    "a chain of signs": ("y ~ I(" + "-" * 9000 + "x)", "too long"),
    "nested functions": ("y ~ " + "log(" * 3000 + "x" + ")" * 3000, "nested more than"),
    "powers of sums": ("y ~ (" + "+".join(MANY[:60]) + ")^20", "more than 500 terms"),
    "many quotes": ("y ~ " + "'" * 9001, "quote is never closed"),
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
    assert formula.variables == (name, "x")
    assert formula.grouping_columns == (name,)


@pytest.mark.parametrize("depth", [1, 10, 39])
def test_reasonable_nesting_is_read(depth):
    assert parse("y ~ " + "(" * depth + "x" + ")" * depth) == parse("y ~ x")


@pytest.mark.parametrize(
    "name", ["chain", "draw", "row", "sigma", "Intercept", "estimate", "lower", "upper", "contrast"]
)
@pytest.mark.parametrize("text", ["y ~ {}", "y ~ x + (1 | {})", "y ~ ({} | g)", "y ~ x:{}"])
def test_names_that_results_need_are_refused_with_a_remedy(name, text):
    with pytest.raises(FormulaError, match=f"Rename the column: data.rename.columns=.*'{name}_'") as caught:
        check_names(parse(text.format(name)))
    drawn, carets = str(caught.value).split("\n")[-2:]
    assert drawn[carets.index("^") : len(carets)] == name


@pytest.mark.parametrize("name", ["chain", "draw", "sigma", "Intercept"])
def test_a_response_may_not_bear_a_parameters_name(name):
    with pytest.raises(FormulaError, match="results use the name"):
        check_names(parse(f"{name} ~ x"))
