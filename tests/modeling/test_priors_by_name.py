"""Priors of a single level, of variances and precisions, cut off at bounds: which parameter they reach, and how."""

import numpy as np
import pandas as pd
import pytest
from modeling_tools import QUICK, spec_and_notices, spec_of
from scipy import stats

import hiermod as hm
from hiermod.errors import PriorError
from hiermod.modeling.bambi.bridge import build_bambi
from hiermod.modeling.model_priors import prior_summary
from hiermod.modeling.pymc.model import build_model
from hiermod.priors.distributions import Prior

RNG = np.random.default_rng(2)
DATA = pd.DataFrame(
    {
        "y": RNG.normal(size=60),
        "x": RNG.normal(5.0, 1.0, 60),
        "b": RNG.integers(0, 2, 60),
        "period": np.arange(60) % 4 + 1,
        "herd": RNG.choice(list("abcde"), 60),
    }
).astype({"period": "category"})
FORMULA = "y ~ b + period + poly(x, 2) + (period || herd)"
STUDENT = "StudentT(3, 0"


def priors_of(priors, text=FORMULA):
    return spec_of(text, DATA, "gaussian", priors).priors


def texts(priors):
    return [str(prior) for prior in priors]


def test_the_closest_key_gives_the_prior():
    table = priors_of({"period": "Normal(0, 1)", "period[3]": "Normal(2, 3)", "poly(x,2)[2]": "Cauchy(0, 1)"})
    assert texts(table["period"]) == ["Normal(0, 1)", "Normal(2, 3)", "Normal(0, 1)"]
    assert [prior.name for prior in table["poly(x, 2)"]] == ["StudentT", "Cauchy"]
    table = priors_of(
        {"sd": "Exponential(1)", "sd(period|herd)": "HalfNormal(2)", "sd(period[3]|herd)": "HalfNormal(3)"}
    )
    assert texts(table["1|herd_sigma"]) == ["Exponential(1)"]
    assert texts(table["period|herd_sigma"]) == ["HalfNormal(2)", "HalfNormal(3)", "HalfNormal(2)"]


def test_columns_of_an_interaction_and_of_all_levels():
    table = priors_of({"b:period[3]": "Normal(0, 9)"}, "y ~ b*period")
    assert str(table["b:period"][1]) == "Normal(0, 9)"
    table = priors_of({"period[1]": "Normal(0, 9)", "Intercept": "Normal(1, 2)"}, "y ~ 0 + period")
    assert texts(table["period"]) == ["Normal(0, 9)", *["Normal(1, 2)"] * 3]


@pytest.mark.parametrize(("key", "power"), [("var(1|herd)", 2.0), ("prec(Intercept | herd)", -2.0)])
def test_variance_and_precision_of_a_standard_deviation(key, power):
    (prior,) = priors_of({key: "Gamma(2, 3)"})["1|herd_sigma"]
    assert prior == Prior("Gamma", (2.0, 3.0), power=power)
    x = np.random.default_rng(3).gamma(2.0, 1.0, 1000)
    expected = stats.gamma(2.0, scale=1.0 / 3.0).logpdf(x**power) + np.log(abs(power) * x ** (power - 1.0))
    seen = prior.log_density(x)
    np.testing.assert_allclose(seen - seen[0], expected - expected[0], rtol=1e-10, atol=1e-10)


def test_the_table_of_priors_says_what_a_precision_means_for_the_standard_deviation():
    table = prior_summary(spec_of(FORMULA, DATA, "gaussian", {"prec(sigma)": "Gamma(2, 3)"})).set_index("parameter")
    assert table.loc["sigma", "prior"] == "Gamma(2, 3) of the precision"
    exact = [stats.gamma(2.0, scale=1.0 / 3.0).ppf(p) ** -0.5 for p in (0.5, 0.975, 0.025)]
    said = "standard deviation {:.3g}, 95 % {:.3g} to {:.3g}".format(*exact)
    assert table.loc["sigma", "stated_at"] == said


@pytest.mark.parametrize(
    ("given", "read", "said"),
    [
        ("Normal(0, 2)", "HalfNormal(2)", "'sd' is above 0, so that Normal\\(0, 2\\) is read as its half"),
        ("StudentT(3, 0, 2)", "HalfStudentT(3, 2)", "read as its half"),
        ("Cauchy(0, 2)", "HalfCauchy(2)", "read as its half"),
        ("Laplace(0, 2)", "Exponential(0.5)", "read as its half"),
        ("Logistic(0, 2)", "Logistic(0, 2, lower=0)", "cut off there"),
        ("Normal(1, 0.5)", "Normal(1, 0.5, lower=0)", "cut off there: Normal\\(1, 0.5, lower=0\\)"),
        ("Normal(0, 1, upper=3)", "Normal(0, 1, lower=0, upper=3)", "cut off there"),
        ("Uniform(-1, 5)", "Uniform(0, 5)", "cut off there"),
        ("Uniform(0, 5)", "Uniform(0, 5)", None),
        ("Normal(1, 0.5, lower=0)", "Normal(1, 0.5, lower=0)", None),
        ("Normal(1, 0.5, lower=0.5)", "Normal(1, 0.5, lower=0.5)", None),
        ("Beta(2, 3)", "Beta(2, 3)", None),
    ],
)
def test_priors_of_positive_parameters(given, read, said):
    spec, notices = spec_and_notices("y ~ (1 | herd)", DATA, "gaussian", {"sd": given})
    assert str(spec.priors["1|herd_sigma"][0]) == read
    found = [notice for notice in notices if notice.startswith("'sd'")]
    assert len(found) == (said is not None)
    if said is not None:
        assert pd.Series(found).str.contains(said).all()


def test_the_class_of_slopes_of_brms_is_named():
    with pytest.raises(PriorError, match="brms's class of slopes, is 'slope' here"):
        priors_of({"b": "Normal(0, 1)"}, "y ~ period + (1 | herd)")


@pytest.mark.parametrize(
    ("priors", "match"),
    [
        ({"period[9]": "Normal(0, 1)"}, r"no parameter 'period\[9\]'.*columns are: 'period\[2\]', 'period\[3\]', 'per"),
        ({"period[1]": "Normal(0, 1)"}, r"'period\[1\]' to give a prior: 1 is the level that others are compared with"),
        ({"sd(period[9]|herd)": "HalfNormal(1)"}, r"columns are: 'sd\(period\[2\]\|herd\)'"),
        ({"poly(x, 2)[3]": "Normal(0, 1)"}, r"columns are: 'poly\(x, 2\)\[1\]', 'poly\(x, 2\)\[2\]'"),
        ({"var(1|farm)": "HalfNormal(1)"}, r"no parameter 'var\(1\|farm\)'"),
        ({"var(b)": "HalfNormal(1)"}, "'b' is no standard deviation, so give a prior of 'b' itself"),
        ({"var(1|herd)": "HalfNormal(1)", "sd(1|herd)": "HalfNormal(1)"},
         r"'var\(1\|herd\)' and 'sd\(1\|herd\)' speak of the same parameter. Keep one"),
        ({"poly(x,2)[1]": "Normal(0, 1)", "poly(x, 2)[1]": "Normal(0, 2)"}, "speak of the same parameter"),
        ({"sigma": "HalfNormal(1)", "prec(sigma)": "Gamma(1, 1)"}, "speak of the same parameter"),
        ({"sd": "Uniform(-3, -1)"}, r"'sd' is above 0, and Uniform\(-3, -1\) has nothing there. Write HalfNormal"),
        ({"sd": "Normal(-9, 1)"}, r"'sd' is above 0, and Normal\(-9, 1\) has next to nothing there"),
        ({"sigma": "Normal(0, 1, upper=-1)"}, "'sigma' is above 0, and .* has nothing there"),
        ({"prec(sigma)": "Uniform(-2, -1)"}, r"'prec\(sigma\)' is above 0"),
        ({"b": "Normal(0, 1, lower=9)"}, r"Normal\(0, 1\) has next to nothing between the bounds"),
        ({"b": "Normal(0, 1, lower=2, upper=1)"}, "lower must be below upper"),
        ({"b": "Normal(0, 1, 2)"}, "too many numbers"),
        ({"b": "Beta(1, 1, lower=0.5)"}, "'lower' in .* is unknown"),
        ({"cor": "LKJ(2, lower=0)"}, "'lower' in .* is unknown"),
    ],
)  # fmt: skip
def test_refusals(priors, match):
    with pytest.raises(PriorError, match=match):
        priors_of(priors, "y ~ b + period + poly(x, 2) + (period | herd)")


@pytest.mark.parametrize("text", ["Flat()", "flat", "HalfFlat()", " improper ( ) "])
def test_a_flat_prior_is_refused_with_what_to_write_instead(text):
    spread = float(DATA["y"].std(ddof=0))
    for key, wide in (
        ("b", f"StudentT(3, 0, {25.0 * spread:.4g})"),
        ("sd(1|herd)", f"HalfNormal({10.0 * spread:.4g})"),
    ):
        with pytest.raises(PriorError, match=r"is no distribution.*Write a wide prior instead") as caught:
            priors_of({key: text})
        assert f"'{wide}'" in str(caught.value)
        assert str(priors_of({key: wide})[{"b": "b"}.get(key, "1|herd_sigma")][0]) == wide
    with pytest.raises(PriorError, match=r"no parameter 'bb'.*Did you mean 'b'"):
        priors_of({"bb": text})


@pytest.mark.parametrize(
    ("text", "priors"),
    [
        ("y ~ b + period", {"b": "Normal(1, 1, lower=0)", "period[3]": "Normal(0, 2)", "sigma": "Normal(1, 2)"}),
        ("y ~ x * period + (1 | herd)", {"period[3]": "Normal(0, 2)", "var(1|herd)": "Exponential(1)"}),
        ("y ~ b + (b | herd)", {"prec(b|herd)": "Gamma(2, 2)", "sd(1|herd)": "Uniform(0, 3)"}),
        ("y ~ b + (0 + period || herd)", {"var(period[2]|herd)": "InverseGamma(2, 2)"}),
    ],
)  # fmt: skip
def test_bambis_model_has_the_same_priors(text, priors):
    spec = spec_of(text, DATA, "gaussian", priors)
    ours, theirs = build_model(spec), build_bambi(spec).backend.model
    densities = ours.compile_logp(mode=QUICK), theirs.compile_logp(mode=QUICK)
    names = {variable.name: ours.rvs_to_values[variable].name for variable in ours.free_RVs}
    assert set(names) == {variable.name for variable in theirs.free_RVs}
    start, rng, differences = ours.initial_point(), np.random.default_rng(1), []
    for _ in range(3):
        point = {name: value + rng.normal(0.0, 0.3, np.shape(value)) for name, value in start.items()}
        values = {theirs.rvs_to_values[each].name: point[names[each.name]] for each in theirs.free_RVs}
        differences.append(densities[0](point) - densities[1](values))
    assert np.ptp(differences) < 1e-9


def test_labels_of_any_letters_are_keys():
    levels = ["a/b", "x[1]", "p|q", "r)", "s: t"]
    data = DATA.assign(f=np.array(levels)[np.arange(60) % 5])
    for label in sorted(levels)[1:]:
        priors = {f"f[{label}]": "Normal(7, 8)", f"sd(f[{label}]|herd)": "HalfNormal(9)"}
        spec = spec_of("y ~ f + (f || herd)", data, "gaussian", priors)
        assert texts(spec.priors["f"]).count("Normal(7, 8)") == 1
        assert texts(spec.priors["f|herd_sigma"]).count("HalfNormal(9)") == 1


def test_a_flat_prior_of_pooled_rates_is_refused_with_advice():
    data = pd.DataFrame({"s": [1, 2, 3], "n": [9, 9, 9], "g": list("abc")})
    with pytest.raises(PriorError, match="Without 'rate' among the priors it is flat"):
        hm.model("s/n ~ (1 | g)", data, pooling="beta", priors={"rate": "Flat()"})
    with pytest.raises(PriorError, match="takes no prior that is cut off"):
        hm.model("s/n ~ (1 | g)", data, pooling="beta", priors={"size": "Gamma(2, 1, lower=1)"})
