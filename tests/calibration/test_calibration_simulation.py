"""Simulated responses against SciPy's distributions, linear predictors and true answers against brute force."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest
from scipy import special, stats

from benchmarks.calibration.categories import chances_of, thresholds
from benchmarks.calibration.questions import new_response
from benchmarks.calibration.responses import RESPONSES
from benchmarks.calibration.run import SEED
from benchmarks.calibration.shapes import SHAPES
from benchmarks.calibration.simulate import (
    draw_parameters,
    log_likelihood,
    mean_response,
    predictor,
    simulate_response,
)

SIZE = 20_000
TRIALS = 9


@dataclass(frozen=True)
class WithZeros:
    """0 with a chance, and else of a distribution; a response's density, or its chance where it is 0 or a count."""

    share: float
    inner: object
    dist: object = None

    def mean(self):
        return (1.0 - self.share) * self.inner.mean()

    def var(self):
        return (1.0 - self.share) * (self.inner.var() + self.inner.mean() ** 2) - self.mean() ** 2

    def std(self):
        return np.sqrt(self.var())

    def logpmf(self, y):
        inner = self.inner.pdf(y) if hasattr(self.inner.dist, "pdf") else self.inner.pmf(y)
        return np.log(np.where(y == 0, self.share, 0.0) + (1.0 - self.share) * inner)


@dataclass(frozen=True)
class Watched:
    """A distribution up to the time of a last look, where what had not ended by then stands."""

    inner: object
    last: float
    dist: object = None

    def moment(self, power):
        below = self.inner.expect(lambda y: y**power, ub=self.last)
        return below + self.last**power * self.inner.sf(self.last)

    def mean(self):
        return self.moment(1)

    def var(self):
        return self.moment(2) - self.moment(1) ** 2

    def std(self):
        return np.sqrt(self.var())

    def logpmf(self, y):
        return np.where(y < self.last, self.inner.logpdf(y), self.inner.logsf(self.last))


CASES = {
    "bernoulli": (0.3, (), stats.bernoulli(0.3)),
    "binomial": (0.3, (), stats.binom(TRIALS, 0.3)),
    "gaussian": (0.3, (2.0,), stats.norm(0.3, 2.0)),
    "poisson": (4.0, (), stats.poisson(4.0)),
    "negbinomial": (4.0, (1.5,), stats.nbinom(1.5, 1.5 / (1.5 + 4.0))),  # the variance is mu + mu²/alpha
    "student": (0.3, (2.0, 6.0), stats.t(6.0, 0.3, 2.0)),
    "gamma": (4.0, (1.5,), stats.gamma(1.5, scale=4.0 / 1.5)),
    "beta_binomial": (0.3, (5.0,), stats.betabinom(TRIALS, 0.3 * 5.0, 0.7 * 5.0)),
    "beta": (0.3, (5.0,), stats.beta(0.3 * 5.0, 0.7 * 5.0)),
    "known_errors": (0.3, (), stats.norm(0.3, TRIALS)),  # errors stand where trials do
    "added_errors": (0.3, (2.0,), stats.norm(0.3, np.hypot(TRIALS, 2.0))),
    "zero_inflated_negbinomial": (4.0, (1.5, 0.3), WithZeros(0.3, stats.nbinom(1.5, 1.5 / (1.5 + 4.0)))),
    "censored_weibull": (
        6.0,
        (1.5,),
        Watched(stats.weibull_min(1.5, scale=6.0 / special.gamma(1.0 + 1.0 / 1.5)), TRIALS),
    ),
    "hurdle_gamma": (4.0, (1.5, 0.3), WithZeros(0.3, stats.gamma(1.5, scale=4.0 / 1.5))),
}


def own(values):
    return [np.array([[value]]) for value in values]


def test_every_family_is_compared_with_scipy():
    assert set(CASES) == set(RESPONSES)


@pytest.mark.parametrize("family", CASES)
def test_responses_have_the_mean_and_variance_of_their_family(family):
    mean, parameters, exact = CASES[family]
    trials = 1 if family == "bernoulli" else TRIALS
    sample = RESPONSES[family].random(
        np.random.default_rng(1), np.full((1, SIZE), mean), np.full(SIZE, trials), *own(parameters)
    )
    off = (sample - exact.mean()) ** 2
    assert abs(sample.mean() - exact.mean()) < 4 * exact.std() / np.sqrt(SIZE)
    assert abs(off.mean() - exact.var()) < 4 * off.std() / np.sqrt(SIZE)
    if hasattr(exact.dist, "pdf"):
        assert stats.kstest(sample[0], exact.cdf).pvalue > 0.001


@pytest.mark.parametrize("family", CASES)
def test_log_densities_are_those_of_scipy(family):
    mean, parameters, exact = CASES[family]
    real = hasattr(exact.dist, "pdf") or isinstance(exact, Watched)
    y = np.array([0.2, 1.7, 9.0]) if real else np.array([0, 1, 1 if family == "bernoulli" else 7])
    y = y / 10.0 if family == "beta" else y
    trials = np.full(3, 1 if family == "bernoulli" else TRIALS)
    found = RESPONSES[family].log_density(y, np.full((1, 3), mean), trials, *own(parameters))
    expected = exact.logpdf(y) if hasattr(exact.dist, "pdf") else exact.logpmf(y)
    np.testing.assert_allclose(found[0], expected, rtol=1e-10)


def test_a_predictor_is_the_sum_of_its_parts_row_by_row():
    model = SHAPES["three_effects"].model
    values = draw_parameters(model, np.random.default_rng(2))
    found = predictor(model, model.design, values)[0]
    for place, row in model.design.iterrows():
        g, h = int(row["g"][1:]) - 1, int(row["h"][1:]) - 1
        expected = values["Intercept"][0] + values["1|g"][0, g] + values["1|h"][0, h]
        if row["f"] != "a":
            level = "bc".index(row["f"])
            expected += values["f"][0, level] + values["f|g"][0, g, level]
        assert found[place] == pytest.approx(expected, rel=1e-12)


def test_exposure_multiplies_a_mean():
    model = SHAPES["poisson"].model
    values = draw_parameters(model, np.random.default_rng(2))
    exposure = model.design["exposure"].to_numpy()
    of_a_unit = mean_response(model, model.design, values, exposed=False)
    np.testing.assert_allclose(mean_response(model, model.design, values), of_a_unit * exposure)
    row = model.design.iloc[23]
    expected = values["Intercept"][0] + values["treated"][0] * row["treated"]
    expected += values["1|site"][0, int(row["site"][1:]) - 1] + values["1|batch"][0, int(row["batch"][1:]) - 1]
    assert of_a_unit[0, 23] == pytest.approx(np.exp(expected), rel=1e-12)


def test_a_log_likelihood_is_computed_draw_by_draw():
    model, rng = SHAPES["gaussian"].model, np.random.default_rng(3)
    drawn = [draw_parameters(model, rng) for _ in range(3)]
    data = simulate_response(model, drawn[0], rng)
    together = {name: np.concatenate([values[name] for values in drawn]) for name in drawn[0]}
    one_by_one = [log_likelihood(model, data, values)[0] for values in drawn]
    np.testing.assert_allclose(log_likelihood(model, data, together), one_by_one, rtol=1e-12)
    mean = predictor(model, data, drawn[0])[0]
    by_scipy = stats.norm.logpdf(data["y"], mean, drawn[0]["sigma"][0]).sum()
    assert one_by_one[0] == pytest.approx(by_scipy, rel=1e-12)


def test_the_prior_of_an_intercept_stands_at_the_mean_of_its_predictors():
    rng = np.random.default_rng(4)
    drawn = [draw_parameters(SHAPES["gaussian"].model, rng) for _ in range(1500)]
    intercept, slope = (np.array([values[name][0] for values in drawn]) for name in ("Intercept", "days"))
    at_mean = intercept + 2.5 * slope  # days are 0, 1, …, 5
    assert stats.kstest(at_mean, stats.norm(25, 3).cdf).pvalue > 0.001
    assert abs(np.corrcoef(at_mean, slope)[0, 1]) < 4 / np.sqrt(1500)
    assert np.corrcoef(intercept, slope)[0, 1] < -0.3


def test_effects_of_groups_have_their_sds_and_correlation():
    rng = np.random.default_rng(5)
    drawn = [draw_parameters(SHAPES["bernoulli"].model, rng) for _ in range(1500)]
    first, second = (
        np.array([values[f"{name}|country"][0, 0] / values[f"{name}|country_sigma"][0] for values in drawn])
        for name in ("1", "treated")
    )
    correlation = np.array([values["1+treated|country_cor"][0, 0] for values in drawn])
    residual = (second - correlation * first) / np.sqrt(1 - correlation**2)
    assert stats.kstest(first, stats.norm.cdf).pvalue > 0.001
    assert stats.kstest(residual, stats.norm.cdf).pvalue > 0.001
    assert abs(np.corrcoef(first, residual)[0, 1]) < 4 / np.sqrt(1500)


def truth_and_answer(name, seed=6):
    model, rng = SHAPES[name].model, np.random.default_rng(seed)
    values = draw_parameters(model, rng)
    return model, values, SHAPES[name].questions[0].answer(model, values, rng)


def test_the_true_effect_is_that_of_all_rows_in_both_arms():
    _, values, found = truth_and_answer("bernoulli")
    control = values["Intercept"][0] + values["1|country"][0]
    lift = special.expit(control + values["treated"][0] + values["treated|country"][0]) - special.expit(control)
    assert found == pytest.approx(lift.mean(), rel=1e-12)


def test_the_true_effect_weighs_rows_by_their_trials():
    _, values, found = truth_and_answer("beta_binomial")
    control = values["Intercept"][0] + values["1|g"][0]
    lift = special.ndtr(control + values["treated"][0]) - special.ndtr(control)
    assert found == pytest.approx(lift.mean(), rel=1e-12)  # each group has the same trials


def test_the_true_rate_of_a_population_is_the_mean_over_new_groups():
    _, values, found = truth_and_answer("binomial")
    groups = values["Intercept"] + values["1|variant_sigma"] * np.random.default_rng(7).normal(size=100_000)
    rates = special.expit(groups)
    assert abs(found[0] - rates.mean()) < 4 * rates.std() / np.sqrt(len(rates))


def test_the_true_response_of_a_new_group_has_all_three_sources_of_variance():
    model, rng = SHAPES["gaussian"].model, np.random.default_rng(8)
    values = draw_parameters(model, rng)
    question = new_response("days", 8.0)
    found = np.array([question.answer(model, values, rng)[0] for _ in range(4000)])
    sds = np.array([values["1|subject_sigma"][0], 8.0 * values["days|subject_sigma"][0]])
    variance = (sds**2).sum() + 2 * values["1+days|subject_cor"][0, 0] * sds.prod() + values["sigma"][0] ** 2
    mean = values["Intercept"][0] + 8.0 * values["days"][0]
    assert stats.kstest(found, stats.norm(mean, np.sqrt(variance)).cdf).pvalue > 0.001


@pytest.mark.parametrize("name", SHAPES)
def test_no_simulated_response_is_one_that_hiermod_refuses(name):
    model, rng = SHAPES[name].model, np.random.default_rng(SEED)
    for _ in range(500):
        response = model.simulate_response(model.draw_parameters(rng), rng)["y"]
        numbers = response.cat.codes if isinstance(response.dtype, pd.CategoricalDtype) else response
        assert np.isfinite(numbers).all()
        if SHAPES[name].pooling != "normal":  # all counts may be equal there
            continue
        assert response.nunique() > 1 or SHAPES[name].family in ("bernoulli", "binomial", "beta_binomial")
        assert SHAPES[name].family != "gamma" or (response > 0).all()


@pytest.mark.parametrize("family", ["cumulative", "sratio", "cratio", "acat"])
def test_thresholds_give_back_the_chances_that_they_stand_for(family):
    chances = np.array([0.2, 0.4, 0.1, 0.3])
    np.testing.assert_allclose(chances_of(family, thresholds(family, chances)), chances, rtol=1e-12)


def test_ordered_categories_are_as_their_families_define_them():
    """By hand: F(t - eta) stops, and goes on by F(eta - t), a complementary log-log."""
    cut, eta = np.array([-0.5, 0.2]), 0.7
    stop = np.exp(-np.exp(eta - cut))
    np.testing.assert_allclose(
        chances_of("cratio", cut - eta), [stop[0], (1 - stop[0]) * stop[1], (1 - stop[0]) * (1 - stop[1])], rtol=1e-12
    )
    odds = np.exp(np.array([0.0, eta - cut[0], 2 * eta - cut.sum()]))
    np.testing.assert_allclose(chances_of("acat", cut - eta), odds / odds.sum(), rtol=1e-12)


@pytest.mark.parametrize("name", ["pooled_beta", "pooled_shapes", "pooled_gamma"])
def test_pooled_rates_are_draws_of_their_distribution(name):
    model, rng = SHAPES[name].model, np.random.default_rng(4)
    places = []
    for _ in range(600):
        values = model.draw_parameters(rng)
        mean, size = values["rate_mean"][0], values["rate_spread"][0] ** -2.0
        if model.pool == "beta":
            population = stats.beta(mean * size, (1.0 - mean) * size)
        else:
            population = stats.gamma(size, scale=mean / size)
        places.append(population.cdf(values[model.rates][0]))
        frame = model.simulate_response(values, rng)
        assert np.isfinite(model.log_likelihood(frame, values)).all()
    assert stats.kstest(np.concatenate(places), "uniform").pvalue > 0.001
