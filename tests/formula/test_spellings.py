"""Spellings of other packages, each with the meaning that it has there."""

import pandas as pd
import pytest

import hiermod as hm
from hiermod.errors import FormulaError
from hiermod.formula.parser import parse
from tests.truth import REFERENCE


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ("y ~ us(x | g)", "y ~ (x | g)"),
        ("y ~ z + diag(0 + x | g) + (1 | h)", "y ~ z + (0 + x || g) + (1 | h)"),
        ("y ~ x + (1 | ID | g)", "y ~ x + (1 | g)"),
        ("y ~ x + (x | 2 | g)", "y ~ x + (x | g)"),
        ("y ~ ((1 | g))", "y ~ (1 | g)"),
        ("y ~ x + ((1 | g) + (0 + x | g))", "y ~ x + (1 | g) + (0 + x | g)"),
        ("y ~ (1 | (f/g)/h)", "y ~ (1 | f/g/h)"),
        ("y ~ (1 | (g/h))", "y ~ (1 | g/h)"),
        ("y ~ splines::ns(x, 3) + base::log(x)", "y ~ ns(x, 3) + log(x)"),
        ("y ~ {x + z}", "y ~ I(x + z)"),
        ("y ~ C(f, Treatment(reference='b'))", "y ~ relevel(f, 'b')"),
        ("y ~ C(f, contr.Treatment)", "y ~ C(f, contr.treatment)"),
        ("y ~ C(f, levels=['b', 'a'])", "y ~ factor(f, levels=c('b', 'a'))"),
        ("(b == 1) ~ x", "b['1'] ~ x"),
        ("b == 'yes' ~ x", "b['yes'] ~ x"),
        ("(k > 5) ~ x", "I(k > 5) ~ x"),
        ("y ~ (x + 1)", "y ~ x"),
        ("y ~ (x + 0)/z", "y ~ 0 + x + x:z"),
        ("y ~ (1 + x)*(0 + z)", "y ~ 0 + x*z"),
        ("y ~ ((1 + x) | g)", "y ~ (x | g)"),
        ("y ~ x + +z + -1", "y ~ 0 + x + z"),
        ("y ~ (1 | g/(h + f))", "y ~ (1 | g) + (1 | g:h) + (1 | g:f)"),
        ("y ~ (1 | (g + h)/f)", "y ~ (1 | g) + (1 | h) + (1 | g:h:f)"),
        ("y ~ (0 + Intercept + x | g)", "y ~ (1 + x | g)"),
        ("y ~ C(f, contr.treatment(base = 2))", "y ~ relevel(f, 2)"),
        ("y ~ C(f, contr.treatment(3, base = 2))", "y ~ relevel(f, 2)"),
        ("y ~ C(f, contr.treatment, base = 2)", "y ~ relevel(f, 2)"),
        ("y ~ C(f, contr.treatment(3))", "y ~ C(f, contr.treatment)"),
        ("y ~ C(f, contr.treatment(n = 3, base = 2))", "y ~ relevel(f, 2)"),
        ("y ~ C(f, contr.treatment(base = 'b'))", "y ~ relevel(f, 'b')"),
        ("y ~ C(f, Treatment(2))", "y ~ relevel(f, '2')"),
        ("y ~ C(f, Sum, levels=['b', 'a'])", "y ~ C(factor(f, levels=c('b', 'a')), contr.sum)"),
        ("y ~ C(f, Treatment('a'), levels=['b', 'a'])", "y ~ relevel(factor(f, levels=c('b', 'a')), 'a')"),
        ("y*2 ~ x", "I(y * 2) ~ x"),
        ("-y ~ x", "I(-y) ~ x"),
        ("y ~ {x > 2}", "y ~ I(x > 2)"),
        ("k | rate(t) + weights(w) ~ x", "k | weights(w) + rate(t) ~ x"),
        ("censored(t, s) ~ x", "t | cens(s) ~ x"),
        ("censored(low, high, s) ~ x", "low | cens(s, high) ~ x"),
        ("censored(t, s == 'late') ~ x", "t | cens(s == 'late') ~ x"),
        ("truncated(y, lb=0, ub=m) ~ x", "y | trunc(lb = 0, ub = m) ~ x"),
        ("truncated(log(y), 0) ~ x", "log(y) | trunc(lb = 0) ~ x"),
        ("weighted(y, w) ~ x", "y | weights(w) ~ x"),
        ("counts(a, b, c) ~ x", "cbind(a, b, c) ~ x"),
        ("y | thres(3) ~ x", "ordered(y, levels=c(1, 2, 3, 4)) ~ x"),
        ("y | cat(3) + weights(w) ~ x", "ordered(y, levels=c(1, 2, 3)) | weights(w) ~ x"),
        ("bf(y ~ x, center = FALSE)", "y ~ 0 + Intercept + x"),
        ("bf(y ~ x + (1 | g), sigma ~ z, center = TRUE, nl = FALSE)", "y ~ x + (1 | g); sigma ~ z"),
        ("bf(y ~ 0 + x, center = FALSE, sparse = TRUE, decomp = 'QR')", "y ~ 0 + x"),
    ],
)
def test_what_is_read(text, meaning):
    assert parse(text) == parse(meaning)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("y ~ cs(x | g)", r"cs\(… \| g\) are not there.*us\(x \| g\)"),
        ("y ~ ar1(0 + f | g)", r"ar1\(… \| g\) are not there.*diag"),
        ("k | rate(2) ~ x", "An exposure is made of a column"),
        ("s/n | rate(t) ~ x", "which has no trials"),
        ("y ~ (1 | p | g) + (0 + x | p | g)", "are one block: write their terms in one bar"),
        ("y ~ {1}", "arithmetic on columns"),
        ("y ~ ((1 | g)) * x", "cannot be multiplied"),
        ("y | mi() ~ x", "missing responses are not imputed. The nearest"),
        ("y ~ x * cs(z)", "Effects on each threshold, cs.*stand alone"),
        ("y ~ x + ar(t, g)", "Autocorrelated residuals, ar.*The nearest"),
        ("y ~ mi(x)", "Missing values are not imputed.*The nearest"),
        ("y ~ me(x, s)", "error of measurement.*The nearest"),
        ("y ~ mm(a, b)", "Multi-membership.*The nearest"),
        ("constrained(t, 0) ~ x", r"Surv\(time, event\) or y \| trunc\(lb = 0\), not constrained"),
        ("y ~ censored(t, s)", r"time \| cens\(code\), Surv\(time, event\)"),
        ("censored(t, 1) ~ x", "A column that says which rows are censored"),
        ("censored(t) ~ x", "takes the response and, after a comma"),
        ("weighted(t, w) | trunc(lb = 0) ~ x", "Write one of them"),
        ("y | thres(th, gr) ~ x", "takes the number of thresholds, which all rows share"),
        ("y | thres(1) ~ x", "From 3 to 100 categories"),
        ("s/n | thres(4) ~ x", "stands beside a column of whole numbers"),
        ("bf(y ~ x, center = 1)", "center= of bf\\(\\) is TRUE or FALSE"),
        ("mvbind(y, z) ~ x", "Fit a model for each"),
        ("y ~ nl(x)", "no function 'nl'. There is: "),
        ("y ~ sm(x)", "no function 'sm'. There is: "),
        ("y ~ min(x)", "no function 'min'. There is: "),
        ("y ~ sqr(x)", "Did you mean 'sqrt'"),
        ("y ~ us(x)", r"before a bar, as in us\(x \| g\)"),
        ("y ~ x + z + -z", "Two signs in a row"),
        ("y ~ x - -z", "Two signs in a row"),
        ("y ~ bs(x, knots=knots)", r"Write what knots holds in its place: knots=c\(1, 2\)"),
        ("y ~ C(f, levels=lv)", r"levels=c\('a', 'b'\)"),
    ],
)
def test_what_is_refused_with_the_nearest(text, message):
    with pytest.raises(FormulaError, match=message):
        parse(text)


def test_random_formulas_are_read_as_r_reads_them_or_refused():
    rows = pd.read_csv(REFERENCE / "terms.csv", keep_default_na=False)
    read = 0
    for right, intercept, terms in rows.itertuples(index=False):
        try:
            formula = parse(f"y ~ {right}")
        except FormulaError:
            continue
        theirs = {frozenset(term.split(":")) for term in terms.split()}
        assert ({frozenset(term.variables) for term in formula.common}, formula.intercept) == (theirs, bool(intercept))
        read += 1
    assert read > 900


def test_the_id_of_a_block_that_is_a_column_too_is_said():
    rows = pd.DataFrame({"y": [0.5, 1.0, 2.5, 1.0] * 3, "g": list("aabb") * 3, "h": list("uvwuvw") * 2})
    model = hm.model("y ~ (1 | g | h)", rows)
    assert model.formula == "y ~ 1 + (1 | h)"
    assert any(
        "is not the column 'g'; two grouping factors stand in two bars, (1 | g) +" in one for one in model.notices
    )
    assert not any("block of effects" in one for one in hm.model("y ~ (1 | p | h)", rows).notices)
