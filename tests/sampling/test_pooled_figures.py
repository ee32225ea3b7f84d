"""Pooled rates as a user meets them: published examples, groups that are nearly identical, huge and single ones."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import hiermod as hm
from hiermod.errors import DataError
from hiermod.sampling.by_quadrature import integrated

REFERENCE = Path(__file__).parents[1] / "reference"
RATS = pd.read_csv(REFERENCE / "pooled_rats.csv").set_index("quantity")["value"]
ALIKE = pd.DataFrame({"g": list("abcd"), "s": [300, 301, 299, 300], "n": 1000})


def fitted(data, **options):
    return hm.fit("s/n ~ (1 | g)", data, pooling="beta", seed=1, progress=False, **options)


@pytest.fixture(scope="module")
def rats():
    data = pd.read_csv(REFERENCE / "rats.csv")
    data.columns = ["s", "n"]
    return fitted(data.assign(g=[f"{place:02d}" for place in range(len(data))]))


def test_rat_tumours_are_those_of_scipy_in_other_coordinates(rats):
    spec = rats.sampled_posterior.spec
    target, quadrature = integrated(spec, 0)
    x, u, weight = quadrature.nodes()
    mean, size = target.mean(x), u**-2.0
    np.testing.assert_allclose(weight @ mean, RATS["mean"], rtol=0, atol=1e-8)
    np.testing.assert_allclose(np.sqrt(weight @ (mean - weight @ mean) ** 2), RATS["sd"], rtol=0, atol=1e-8)
    rates = [weight @ ((mean * size + s) / (size + n)) for s, n in zip(spec.events, spec.exposure, strict=True)]
    np.testing.assert_allclose(rates, [RATS[f"rate[{place}]"] for place in range(71)], rtol=0, atol=1e-8)


def test_rat_tumours_by_draws_are_within_their_error(rats):
    draws = rats.posterior["rate|g"].to_numpy().reshape(-1, 71)
    exact = np.array([RATS[f"rate[{place}]"] for place in range(71)])
    assert (np.abs(draws.mean(axis=0) - exact) < 4.5 * draws.std(axis=0) / np.sqrt(len(draws))).all()
    np.testing.assert_allclose(rats.shrinkage()["estimate"], draws.mean(axis=0))


def test_a_size_without_upper_end_is_told_with_the_figures_that_exist():
    fit = fitted(ALIKE)
    size = fit.posterior["rate_spread"].to_numpy() ** -2.0
    median, low = (f"{float(f'{np.quantile(size, share):.3g}'):,.10g}" for share in (0.5, 0.05))
    said = f"a + b has no upper end: its median is {median}, and with 95 % it is above {low}"
    assert f"Complete pooling, spread 0, is not ruled out, so that {said}." in repr(fit.summary())
    assert f"not ruled out, {said}" in repr(fit.check())
    assert fit.check().passed
    assert np.isfinite(fit.summary().fixed.to_numpy()).all()  # of the mean and the spread all figures exist
    apart = fitted(ALIKE.assign(s=[300, 30, 899, 500]))
    assert "no upper end" not in repr(apart.summary()) + repr(apart.check())


def test_strata_that_are_not_bounded_are_named():
    data = pd.concat([ALIKE.assign(segment="x"), ALIKE.assign(segment="y", s=[300, 30, 899, 500])])
    fit = hm.fit("s/n ~ segment + (1 | segment:g)", data, pooling="beta", seed=1, progress=False)
    assert "a + b of x has no upper end" in repr(fit.summary())
    assert "a + b of y" not in repr(fit.summary())


def test_groups_of_one_trial_need_a_proper_prior():
    data = pd.DataFrame({"g": np.arange(1000), "s": np.repeat([1, 0], [180, 820]), "n": 1})
    with pytest.raises(DataError, match=r"every group's total is all successes or all failures.*Beta\(2, 8\)"):
        fitted(data)
    fit = fitted(data, priors={"rate": "Beta(2, 8)", "size": "LogNormal(3, 1)"})
    exact = pd.read_csv(REFERENCE / "pooled.csv").query("case == '1,000 single trials'").set_index("quantity")["value"]
    for name, value in (("rate_mean", exact["mean"]), ("rate_spread", exact["spread"])):
        draws = fit.posterior[name].to_numpy()
        assert abs(draws.mean() - value) < 4 * draws.std() / np.sqrt(draws.size)


@pytest.mark.parametrize(
    ("successes", "trials"),
    [
        ([3, 4], [10, 10]),
        ([30] * 4, [100] * 4),
        ([5_000_000, 50, 55], [10_000_000, 100, 100]),
        ([100, 120], [10**7] * 2),
    ],
)
def test_every_question_is_answered_of_hard_cases(successes, trials):
    fit = fitted(pd.DataFrame({"g": list("abcd")[: len(trials)], "s": successes, "n": trials}))
    raw = np.array(successes) / np.array(trials)
    estimate = fit.rates("g").table["estimate"]
    assert (np.abs(estimate - raw) < 0.3 * raw).all()
    np.testing.assert_allclose(fit.best("g")["prob_best"].sum(), 1.0)
    assert np.isfinite(fit.logo(progress=False).elpd)
    assert np.isfinite(fit.loo().p)
    assert fit.check().passed


def test_rates_of_very_many_groups_are_drawn_when_they_are_asked_for():
    """Against expected rates by quadrature; groups with the same data have the same estimates."""
    rng = np.random.default_rng(3)
    trials = rng.integers(1, 9, 3000)
    data = pd.DataFrame({"g": np.arange(3000), "s": rng.binomial(trials, rng.beta(2, 8, 3000)), "n": trials})
    fit = fitted(data)
    assert list(fit.posterior) == ["rate_mean", "rate_spread"]  # the rates are not stored
    table = fit.shrinkage()
    target, quadrature = integrated(fit.sampled_posterior.spec, 0)
    x, u, weight = quadrature.nodes()
    mean, size = target.mean(x), u**-2.0
    for (s, n), own in table.assign(s=data["s"]).groupby(["s", "n"]):
        assert own["estimate"].nunique() == 1
        shapes = mean * size + s, (1.0 - mean) * size + n - s
        exact = weight @ (shapes[0] / (size + n))
        spread = np.sqrt(weight @ (shapes[0] * (shapes[0] + 1) / ((size + n) * (size + n + 1))) - exact**2)
        assert abs(own["estimate"].iloc[0] - exact) < 4.5 * spread / np.sqrt(4000)
        np.testing.assert_allclose(own["pull"].iloc[0], weight @ (size / (size + n)), rtol=0.02)
    some = fit.predict(pd.DataFrame({"g": [5, 2999]}))
    assert some.table["estimate"].between(0, 1).all()
    again = fit.predict(pd.DataFrame({"g": [2999]}))
    np.testing.assert_array_equal(again.draws.to_numpy()[..., 0], some.draws.to_numpy()[..., 1])
