"""Default priors: their numbers, computed here from the raw rows."""

import numpy as np
import pandas as pd
import pytest
from modeling_tools import spec_of

RNG = np.random.default_rng(11)
SIZE = 90
DATA = pd.DataFrame(
    {
        "x": RNG.normal(2015.0, 6.0, SIZE).round(1),
        "z": RNG.normal(-1.0, 0.3, SIZE).round(2),
        "i": RNG.integers(0, 2, SIZE),
        "b": RNG.choice([True, False], SIZE),
        "f": RNG.choice(["p", "q", "r"], SIZE),
        "g": RNG.integers(0, 6, SIZE),
        "h": RNG.choice(["u", "v"], SIZE),
    }
)
DATA["y"] = 40.0 + 2.0 * RNG.normal(size=SIZE)
DATA["success"] = RNG.integers(0, 2, SIZE)
DATA["count"] = RNG.poisson(4.0, SIZE)
MEAN, SD = DATA["y"].mean(), DATA["y"].std(ddof=0)


def assert_prior(priors, name, *expected):
    """A variable's entries have the prior, whose numbers are the same for all or a list of one for each."""
    assert {prior.name for prior in priors} == {name}
    for own, other in zip(np.transpose([prior.arguments for prior in priors]), expected, strict=True):
        np.testing.assert_allclose(own, other, rtol=1e-12, atol=1e-12)
        assert np.ndim(other) == 0 or len(own) == len(other)


def sd(values):
    return np.std(np.asarray(values, dtype=float), ddof=0)


def test_identity_link():
    priors = spec_of("y ~ x + i + b + f + (1 + x | g)", DATA).priors
    assert_prior(priors["Intercept"], "StudentT", 3, MEAN, 2.5 * SD)
    assert_prior(priors["x"], "StudentT", 3, 0, 2.5 * SD / sd(DATA["x"]))
    assert_prior(priors["i"], "StudentT", 3, 0, 2.5 * SD)
    assert_prior(priors["b"], "StudentT", 3, 0, 2.5 * SD)
    assert_prior(priors["f"], "StudentT", 3, 0, [2.5 * SD] * 2)
    assert_prior(priors["1|g_sigma"], "HalfNormal", SD)
    assert_prior(priors["x|g_sigma"], "HalfNormal", SD / sd(DATA["x"]))
    assert_prior(priors["1+x|g_cor"], "LKJ", 2)
    assert_prior(priors["sigma"], "Exponential", 1 / SD)


@pytest.mark.parametrize("family", ["bernoulli", "bernoulli(probit)", "binomial(cloglog)"])
def test_links_of_rates_are_conservative(family):
    priors = spec_of("success ~ x + i + f + (1 + x | g)", DATA, family).priors
    assert_prior(priors["Intercept"], "StudentT", 3, 0, 1)
    assert_prior(priors["x"], "StudentT", 3, 0, 1 / sd(DATA["x"]))
    assert_prior(priors["i"], "StudentT", 3, 0, 1)
    assert_prior(priors["f"], "StudentT", 3, 0, [1, 1])
    assert_prior(priors["1|g_sigma"], "HalfNormal", 1)
    assert_prior(priors["x|g_sigma"], "HalfNormal", 1 / sd(DATA["x"]))
    assert_prior(priors["1+x|g_cor"], "LKJ", 2)
    assert set(priors) == {"Intercept", "x", "i", "f", "1|g_sigma", "x|g_sigma", "1+x|g_cor"}


def test_a_log_link_centres_the_intercept_at_the_raw_rate():
    priors = spec_of("count ~ x + (1 | g)", DATA, "poisson").priors
    assert_prior(priors["Intercept"], "StudentT", 3, np.log((DATA["count"].sum() + 0.5) / SIZE), 1)
    assert_prior(priors["x"], "StudentT", 3, 0, 1 / sd(DATA["x"]))
    assert_prior(priors["1|g_sigma"], "HalfNormal", 1)


def test_counts_of_a_negative_binomial_have_the_priors_of_poisson():
    own, other = (spec_of("count ~ x + (1 | g)", DATA, family).priors for family in ("negbinomial", "poisson"))
    assert_same_numbers(own, other)
    assert_prior(own["1|g_sigma"], "HalfNormal", 1)
    assert_prior(own["alpha"], "InverseGamma", 0.4, 0.3)


def test_rates_of_a_beta_binomial_have_the_priors_of_rates():
    frame = DATA.assign(s=DATA["count"], n=DATA["count"] + 2)
    priors = spec_of("s/n ~ x + (1 | g)", frame, "beta_binomial").priors
    assert_prior(priors["Intercept"], "StudentT", 3, 0, 1)
    assert_prior(priors["x"], "StudentT", 3, 0, 1 / weighted_sd(frame["x"], frame["n"]))
    assert_prior(priors["kappa"], "InverseGamma", 0.4, 0.3)


def weighted_sd(values, weights):
    return np.sqrt(np.average((values - np.average(values, weights=weights)) ** 2, weights=weights))


def test_a_student_response_has_the_priors_of_a_gaussian_one():
    own, other = (spec_of("y ~ x + f + (1 + x | g)", DATA, family).priors for family in ("student", "gaussian"))
    assert_same_numbers(own, other)
    assert_prior(own["nu"], "Gamma", 2, 0.1)


def test_a_gamma_response_has_no_unit():
    """Measured in thousandths, the intercept's prior moves by the log of a thousand and nothing else does."""
    for unit in (1.0, 1e-3):
        frame = DATA.assign(p=np.exp(DATA["x"] - DATA["x"].mean()) * unit)
        priors = spec_of("p ~ x + (1 | g)", frame, "gamma").priors
        assert_prior(priors["Intercept"], "StudentT", 3, np.log(frame["p"].mean()), 1)
        assert_prior(priors["1|g_sigma"], "HalfNormal", 1)
        assert_prior(priors["alpha"], "InverseGamma", 0.4, 0.3)


def test_an_exposure_moves_the_intercept_of_a_gamma_response():
    frame = DATA.assign(p=np.exp(DATA["x"] - DATA["x"].mean()), hours=np.where(DATA["i"] == 1, 2.0, 5.0))
    priors = spec_of("p ~ x + offset(log(hours))", frame, "gamma").priors
    expected = np.log(frame["p"].sum() / frame["hours"].sum())
    assert_prior(priors["Intercept"], "StudentT", 3, expected, 1)


def test_a_far_away_predictor_does_not_blow_up_its_priors():
    """The trap: a year of about 2015 gave an intercept's prior with a scale of hundreds on the logit."""
    priors = spec_of("success ~ x + (1 | g)", DATA).priors
    assert_prior(priors["1|g_sigma"], "HalfNormal", 1)
    assert_prior(priors["Intercept"], "StudentT", 3, 0, 1)


def test_products_are_scaled_by_their_centred_columns():
    priors = spec_of("y ~ x*z + x*f", DATA).priors
    x, z = DATA["x"] - DATA["x"].mean(), DATA["z"] - DATA["z"].mean()
    assert_prior(priors["x:z"], "StudentT", 3, 0, 2.5 * SD / sd(x * z))
    expected = [2.5 * SD / sd(x * (DATA["f"] == level)) for level in "qr"]
    assert_prior(priors["x:f"], "StudentT", 3, 0, expected)


def test_products_of_indicators_are_zero_one_columns():
    priors = spec_of("y ~ f*b + i*f", DATA).priors
    assert_prior(priors["f:b"], "StudentT", 3, 0, [2.5 * SD] * 2)
    assert_prior(priors["i:f"], "StudentT", 3, 0, [2.5 * SD] * 2)


def test_varying_slopes_are_scaled_by_their_own_uncentred_columns():
    priors = spec_of("y ~ x + (x:z | g) + (0 + f:x | h)", DATA).priors
    assert_prior(priors["x:z|g_sigma"], "HalfNormal", SD / sd(DATA["x"] * DATA["z"]))
    assert_prior(priors["f:x|h_sigma"], "HalfNormal", [SD / sd(DATA["x"] * (DATA["f"] == level)) for level in "pqr"])


def test_varying_factors_have_a_sd_for_each_column():
    priors = spec_of("y ~ f + (1 + f | g) + (0 + b | h)", DATA).priors
    assert_prior(priors["f|g_sigma"], "HalfNormal", [SD, SD])
    assert_prior(priors["b|h_sigma"], "HalfNormal", [SD, SD])


@pytest.mark.parametrize(("text", "name", "size"), [("0 + f", "f", 3), ("0 + f:b", "f:b", 6), ("0 + x + f", "f", 3)])
def test_without_an_intercept_the_full_set_of_indicators_takes_its_prior(text, name, size):
    priors = spec_of(f"y ~ {text}", DATA).priors
    assert_prior(priors[name], "StudentT", 3, MEAN, 2.5 * SD)
    assert spec_of(f"y ~ {text}", DATA).common.slices()[name].stop >= size


def test_only_one_set_of_indicators_takes_the_intercepts_prior():
    priors = spec_of("y ~ 0 + f + h + f:h", DATA).priors
    assert_prior(priors["f"], "StudentT", 3, MEAN, 2.5 * SD)
    assert_prior(priors["h"], "StudentT", 3, 0, 2.5 * SD)
    assert_prior(priors["f:h"], "StudentT", 3, 0, [2.5 * SD] * 2)
    priors = spec_of("y ~ 0 + f:h + g:b", DATA.assign(g=DATA["g"].astype(str))).priors
    assert_prior(priors["f:h"], "StudentT", 3, MEAN, 2.5 * SD)
    assert all(prior.arguments[1] == 0 for prior in priors["g:b"])


def test_with_an_intercept_indicators_are_slopes():
    assert_prior(spec_of("y ~ f:h", DATA).priors["f:h"], "StudentT", 3, 0, [2.5 * SD] * 6)


@pytest.mark.parametrize("family", ["gaussian", "poisson"])
def test_compression_changes_no_prior(family):
    data = pd.concat([DATA, DATA, DATA[::2]], ignore_index=True)
    text = "count ~ x*z + f + (1 + x | g) + (1 | h)"
    cells, rows = (spec_of(text, data, family, compress=compress) for compress in (True, False))
    assert len(cells.cells) < len(rows.cells)
    assert_same_priors(cells, rows)


def assert_same_priors(one, other):
    assert one.common.centres == pytest.approx(other.common.centres, rel=1e-12)
    assert one.priors.keys() == other.priors.keys()
    assert_same_numbers(one.priors, other.priors)


def assert_same_numbers(one, other):
    for name, expected in other.items():
        assert_prior(one[name], expected[0].name, *np.transpose([prior.arguments for prior in expected]))


def test_counts_proportions_and_rows_of_the_same_data_have_the_same_priors():
    size = 40
    table = pd.DataFrame(
        {
            "x": RNG.normal(50.0, 3.0, size),
            "z": RNG.normal(size=size),
            "f": RNG.choice(["p", "q"], size),
            "g": RNG.integers(0, 5, size),
            "n": RNG.integers(1, 30, size),
        }
    )
    table["s"] = RNG.binomial(table["n"], 0.3)
    table["failures"], table["rate"] = table["n"] - table["s"], table["s"] / table["n"]
    rows = table.loc[table.index.repeat(table["n"])].copy()
    rows["y"] = np.concatenate([np.arange(n) < s for s, n in zip(table["s"], table["n"], strict=True)]).astype(int)
    right = "x*z + x*f + (1 + x | g)"
    expected = spec_of(f"y ~ {right}", rows.sample(frac=1.0, random_state=1))
    assert len(rows) > 5 * size
    for text in ("s/n", "cbind(s, failures)", "p(rate * n, n)", "s | trials(n)"):
        assert_same_priors(spec_of(f"{text} ~ {right}", table), expected)
    # and they are those of the rows, not of the table's lines
    weighted = np.average(table["x"], weights=table["n"])
    assert expected.common.centres["x"] == pytest.approx(weighted, rel=1e-12)
    assert abs(weighted - table["x"].mean()) > 0.01
    assert_prior(expected.priors["x"], "StudentT", 3, 0, 1 / sd(rows["x"]))


def test_priors_do_not_depend_on_the_order_of_rows():
    text = "y ~ x*z + f + (1 + x | g)"
    assert_same_priors(spec_of(text, DATA), spec_of(text, DATA.sample(frac=1.0, random_state=3)))


def test_a_bar_of_one_column_has_no_correlation():
    def correlations(text):
        return {name for name in spec_of(text, DATA).priors if name.endswith("_cor")}

    assert not correlations("y ~ (1 | g)")
    assert not correlations("y ~ (1 + x || g)")
    assert correlations("y ~ (1 + x + z | g) + (f | h)") == {"1+x+z|g_cor", "1+f|h_cor"}


@pytest.mark.parametrize(
    ("text", "family"), [("y ~ x*f + (1 + f | g) + (0 + x | h)", "student"), ("success ~ b", None)]
)
def test_every_entry_of_a_posterior_has_a_prior_but_effects_and_one_for_correlations(text, family):
    spec = spec_of(text, DATA, family)
    expected = {each.name: int(np.prod(each.shape)) for each in spec.variables() if each.role != "effect"}
    expected |= {each.name: 1 for each in spec.variables() if each.role == "correlation"}
    assert {name: len(priors) for name, priors in spec.priors.items()} == expected
