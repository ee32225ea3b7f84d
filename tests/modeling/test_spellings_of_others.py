"""Formulas of betareg, pscl, brms and Bambi that are read once the family is known: which model they are of."""

import numpy as np
import pandas as pd
import pytest

import hiermod as hm
from hiermod.errors import FormulaError
from hiermod.formula.parts import without_bare_bar


@pytest.fixture(scope="module")
def frame():
    rng = np.random.default_rng(1)
    frame = pd.DataFrame(rng.multinomial(9, [0.2, 0.3, 0.5], 40), columns=["m.a", "m.b", "m.c"]).assign(n=9)
    frame["x"], frame["z"] = rng.normal(size=(2, 40))
    return frame.assign(y=rng.beta(2.0, 3.0, 40), k=rng.poisson(1.0, 40), g=np.repeat(list("uvwx"), 10))


def same(frame, text, reading, family):
    """The model of a formula, whose density is that of another's."""
    model, other = (hm.model(formula, frame, family) for formula in (text, reading))
    assert model.formula == other.formula
    assert list(model.prior_summary()["parameter"]) == list(other.prior_summary()["parameter"])
    return model


@pytest.mark.parametrize(
    ("text", "reading", "family", "said"),
    [
        ("y ~ x | z", "y ~ x; phi ~ z", "beta", r"linear predictor of phi \(log link\)"),
        ("y ~ x + (1 | g) | z + (1 | g)", "y ~ x + (1 | g); phi ~ z + (1 | g)", "beta_family", "phi"),
        ("y ~ x | 1", "y ~ x; phi ~ 1", "zero_one_inflated_beta", "phi"),
        ("k ~ x | z", "k ~ x; zi ~ z", "zero_inflated_poisson", r"linear predictor of zi \(logit link\)"),
        ("k ~ x | z", "k ~ x; hu ~ z", "hurdle_negbinomial(hu=probit)", "hu .*coefficients of the other sign"),
        ("k ~ x; psi ~ z", "k ~ x; zi ~ z", "zero_inflated_poisson", r"psi is Bambi's 1 - zi.*the other sign"),
    ],
)
def test_what_stands_behind_a_bar_is_of_another_parameter(frame, text, reading, family, said):
    model = same(frame, text, reading, family)
    assert any(pd.Series([notice]).str.contains(said)[0] for notice in model.notices)


def test_a_bar_without_brackets_stays_refused_where_it_may_be_of_groups(frame):
    with pytest.raises(FormulaError, match=r"two readings.*write brackets, \(1 \| g\).*y ~ x \+ 1; phi ~ g"):
        hm.model("y ~ x + 1 | g", frame, "beta")
    for family in ("poisson", None):
        with pytest.raises(FormulaError, match="A bar needs brackets"):
            hm.model("k ~ x | z", frame, family)
    for text in ("y ~ x || z", "y ~ x | z | n", "y ~ x | z; phi ~ n", "y ~ (x | g)", "y | weights(k) ~ x", "y ~ x $ z"):
        assert without_bare_bar(text, "phi") == text


def test_columns_of_a_matrix_are_the_counts_that_r_keeps_in_one(frame):
    model = same(frame, "m | trials(n) ~ x", "cbind(m.a, m.b, m.c) | trials(n) ~ x", "multinomial")
    assert any("are those of the matrix m" in notice for notice in model.notices)
    assert list(model.prior_summary()["parameter"]) == ["mub_Intercept", "mub_x", "muc_Intercept", "muc_x"]
    own = hm.model("bf(m | trials(n) ~ 1, muc ~ x)", frame, "multinomial")
    assert list(own.prior_summary()["parameter"]) == ["mub_Intercept", "muc_Intercept", "muc_x"]
    with pytest.raises(FormulaError, match="no column 'q'"):
        hm.model("q | trials(n) ~ x", frame, "multinomial")


def test_a_number_of_thresholds_names_categories_that_do_not_occur(frame):
    ratings = frame.assign(r=1 + frame["k"].clip(0, 2))
    model = same(ratings, "r | thres(4) ~ x", "ordered(r, levels = c(1, 2, 3, 4, 5)) ~ x", "cumulative")
    assert any("5 categories" in notice and "do not occur" in notice for notice in model.notices)
