"""Spellings of other packages, each with the meaning that it has there."""

import pandas as pd
import pytest

import hiermod as hm
from hiermod.errors import FormulaError
from hiermod.formula.parser import parse


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
    ],
)
def test_what_is_read(text, meaning):
    assert parse(text) == parse(meaning)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("y ~ cs(x | g)", r"cs\(… \| g\) are not there.*us\(x \| g\)"),
        ("y ~ ar1(0 + f | g)", r"ar1\(… \| g\) are not there.*diag"),
        ("k | rate(t) ~ x", r"the term offset\(log\(t\)\)"),
        ("y | cens(b) ~ x", r"cens\(…\) are not there"),
        ("y ~ (1 | p | g) + (0 + x | p | g)", "are one block: write their terms in one bar"),
        ("y ~ C(f, contr.treatment(base=2))", r"relevel\(f, 'b'\)"),
        ("y ~ {1}", "arithmetic on columns"),
        ("y ~ ((1 | g)) * x", "cannot be multiplied"),
    ],
)
def test_what_is_refused_with_the_nearest(text, message):
    with pytest.raises(FormulaError, match=message):
        parse(text)


def test_the_id_of_a_block_that_is_a_column_too_is_said():
    rows = pd.DataFrame({"y": [0.5, 1.0, 2.5, 1.0] * 3, "g": list("aabb") * 3, "h": list("uvwuvw") * 2})
    model = hm.model("y ~ (1 | g | h)", rows)
    assert model.formula == "y ~ 1 + (1 | h)"
    assert any(
        "is not the column 'g'; two grouping factors stand in two bars, (1 | g) +" in one for one in model.notices
    )
    assert not any("block of effects" in one for one in hm.model("y ~ (1 | p | h)", rows).notices)
