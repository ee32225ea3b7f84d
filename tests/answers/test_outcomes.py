"""What of the response is asked for, and estimates where it has no posterior mean."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from answer_tools import with_made_up_draws
from scipy import special, stats

import hiermod as hm
from hiermod.answers.answer import measure_of
from hiermod.errors import AnswerError, ModelError
from hiermod.show.sentences import best_sentences

RNG = np.random.default_rng(5)
FRAME = pd.DataFrame({"arm": np.repeat(["a", "b"], 30), "g": np.tile(list("pqr"), 20), "y": RNG.normal(3.0, 1.0, 60)})


def fit_of(family="gaussian"):
    frame = FRAME.assign(y=np.exp(FRAME["y"] / 3.0))
    return with_made_up_draws(hm.model("y ~ arm + (1 | g)", frame, family))


def never(outcome, priors, averaged):
    """The mean has no posterior mean, and nothing has that is averaged over groups."""
    return outcome == "median" and not averaged


@pytest.fixture
def heavy():
    """A fit of a family whose mean has no posterior mean."""
    fit = fit_of()
    posterior = fit.sampled_posterior
    family = replace(posterior.spec.family, has_posterior_mean=never)
    return hm.Fit(fit.model, replace(posterior, spec=replace(posterior.spec, family=family)))


def test_the_median_of_a_symmetric_family_is_its_mean():
    fit = fit_of()
    for question in ("rates", "predict"):
        mean, median = getattr(fit, question)(), getattr(fit, question)(outcome="median")
        np.testing.assert_array_equal(mean.draws, median.draws)
        assert (mean.question.measure.name, median.question.measure.name) == ("mean y", "median y")


def test_an_unknown_outcome_is_refused():
    with pytest.raises(AnswerError, match=r"outcome='mode' is none of the family gamma, which has 'mean', 'median'"):
        fit_of("gamma").rates(outcome="mode")


def test_without_a_posterior_mean_estimates_are_medians(heavy):
    for answer in (
        heavy.rates(by="arm"),
        heavy.effect("arm"),
        heavy.predict_cells(),
        heavy.predict_cells(kind="response"),
    ):
        middle = np.median(answer.draws.stack(sample=("chain", "draw")), axis=-1)
        np.testing.assert_allclose(answer.table["estimate"], middle, rtol=1e-12)
        assert "the mean of y has no posterior mean" in repr(answer)
        assert "outcome='median'" in answer._repr_html_().replace("&#x27;", "'")
        assert "posterior medians" in answer.to_markdown()


def test_what_has_a_posterior_mean_is_estimated_by_it(heavy):
    for answer in (
        heavy.rates(by="arm", outcome="median"), heavy.effect("arm", scale="link"), heavy.predict(kind="link"),
        heavy.effect("arm", outcome="median"),
    ):  # fmt: skip
        mean = answer.draws.stack(sample=("chain", "draw")).mean("sample")
        np.testing.assert_allclose(answer.table["estimate"], mean, rtol=1e-12)
    assert np.isfinite(heavy.effect("arm", outcome="median").table["expected_loss"]).all()
    assert heavy.rates(groups="population", outcome="median").question.remark


def test_there_is_no_expected_loss_without_a_posterior_mean(heavy, capsys):
    assert heavy.effect("arm").table["expected_loss"].isna().all()
    best = heavy.best("arm")
    assert best["expected_loss"].isna().all()
    assert best["prob_best"].sum() == pytest.approx(1.0)
    assert "estimates are posterior medians" in capsys.readouterr().err
    with pytest.raises(AnswerError, match=r"decide\(\) weighs expected losses.*outcome='median', which has both"):
        heavy.decide("arm", loss=0.1)
    assert len(heavy.decide("arm", loss=0.1, outcome="median").table) == 1


def test_sentences_leave_out_a_loss_that_does_not_exist(heavy):
    (sentence,) = best_sentences(heavy.best("arm"), measure_of(heavy._posterior.spec))
    assert "lose" not in sentence
    assert isinstance(heavy.shrinkage(), pd.DataFrame)
    assert isinstance(heavy, hm.Fit)


@pytest.mark.parametrize(("text", "family", "percent"), [
    ("c ~ arm + (1 | g)", "poisson", 90),
    ("c ~ arm + (1 | p | g); alpha ~ 1 + (1 | p | g)", "negbinomial", 50),
    ("c ~ arm + (1 | g); zi ~ 1 + (1 | g)", "zero_inflated_poisson", 75),
])  # fmt: skip
def test_quantiles_of_counts_over_a_population_are_those_of_all_its_responses(text, family, percent):
    """The smallest count with that chance under the mixture, which SciPy gives on a fine grid of effects."""
    frame = FRAME.assign(c=RNG.poisson(4.0, 60))
    fit = with_made_up_draws(hm.model(text, frame, family), {"Intercept": 1.2}, chains=1, draws=3)
    seen = fit.rates("arm", groups="population", outcome=f"q{percent}").draws.to_numpy().reshape(3, 2)
    nodes, counts = np.arange(-7.0, 7.01, 0.2), np.arange(50)[:, None, None]
    one, two = np.meshgrid(nodes, nodes, indexing="ij")
    weights = np.exp(-(one**2 + two**2) / 2.0)
    other = {"negbinomial": "alpha", "zero_inflated_poisson": "zi"}.get(family, "none")
    for draw in range(3):
        at = {name: values.to_numpy().reshape(3, -1)[draw, 0] for name, values in fit.posterior.items()}
        cor = at.get(f"1+{other}_1|g_cor", 0.0)
        effect = at.get(f"{other}_1|g_sigma", 0.0) * (cor * one + np.sqrt(1.0 - cor**2) * two)
        second = at.get(f"{other}_Intercept", 0.0) + effect
        for arm in (0, 1):
            mean = np.exp(at["Intercept"] + arm * at["arm"] + at["1|g_sigma"] * one)
            shape, zi = np.exp(second), special.expit(second) if other == "zi" else 0.0
            cdf = stats.poisson.cdf(counts, mean)
            cdf = stats.nbinom.cdf(counts, shape, shape / (shape + mean)) if other == "alpha" else cdf
            chances = (weights * (zi + (1.0 - zi) * cdf)).sum(axis=(1, 2)) / weights.sum()
            assert round(seen[draw, arm], 9) == np.searchsorted(chances, percent / 100.0)


def lognormal(priors=None):
    frame = FRAME.assign(y=np.exp(FRAME["y"] / 3.0), x=RNG.normal(size=60))
    return with_made_up_draws(hm.model("y ~ arm + x + (1 + x | g)", frame, "lognormal", priors=priors))


def test_a_lognormal_response_has_a_mean_and_a_median():
    fit = lognormal()
    eta, sigma = (values.to_numpy() for values in (fit.predict_cells(kind="link").draws, fit.posterior["sigma"]))
    np.testing.assert_allclose(fit.predict_cells().draws, np.exp(eta + sigma[..., None] ** 2 / 2.0), rtol=1e-12)
    np.testing.assert_allclose(fit.predict_cells(outcome="median").draws, np.exp(eta), rtol=1e-12)
    ratio = fit.effect("arm", scale="ratio").draws
    np.testing.assert_allclose(ratio, fit.effect("arm", scale="ratio", outcome="median").draws, rtol=1e-12)


def test_lognormal_means_over_the_population_are_those_of_many_groups():
    fit = lognormal()
    rows = pd.DataFrame({"arm": ["a", "b"], "x": [0.4, -0.7]})
    seen = fit.predict(rows, groups="population").draws.isel(chain=0, draw=0).to_numpy()
    values = fit.posterior.isel(chain=0, draw=0)
    correlation, z = values["1+x|g_cor"].item(), np.random.default_rng(2).normal(size=(2, 10**6))
    other = correlation * z[0] + np.sqrt(1.0 - correlation**2) * z[1]
    intercept, slope = values["1|g_sigma"].item() * z[0], values["x|g_sigma"].item() * other
    for row, place in zip(rows.itertuples(), (0, 1), strict=True):
        eta = values["Intercept"].item() + (row.arm == "b") * values["arm"].item() + row.x * values["x"].item()
        expected = np.exp(eta + intercept + row.x * slope + values["sigma"].item() ** 2 / 2.0).mean()
        assert seen[place] == pytest.approx(expected, rel=0.02)


@pytest.mark.parametrize(
    ("prior", "has_mean"), [("Exponential(1)", False), ("HalfNormal(2)", False), ("HalfNormal(0.5)", True)]
)
def test_a_narrow_prior_of_sigma_gives_a_lognormal_mean_a_posterior_mean(prior, has_mean):
    fit = lognormal({"sigma": prior})
    assert bool(fit.rates().question.remark) != has_mean
    assert fit.effect("arm").table["expected_loss"].notna().all() == has_mean
    assert fit.rates(groups="population").question.remark
    assert not fit.rates(outcome="median").question.remark


def test_a_lognormal_model_is_a_gaussian_one_of_the_logarithm():
    """The same default priors, and leave-one-out less the sum of the logarithms."""
    frame = FRAME.assign(y=np.exp(FRAME["y"] / 3.0))
    models = [hm.model("y ~ arm + (1 | g)", frame, "lognormal"), hm.model("log(y) ~ arm + (1 | g)", frame)]
    one, other = (model.prior_summary() for model in models)
    pd.testing.assert_frame_equal(one[["parameter", "prior"]], other[["parameter", "prior"]])
    fits = [with_made_up_draws(model, {"Intercept": 1.0}) for model in models]
    one, other = (fit.loo() for fit in fits)
    assert one.elpd == pytest.approx(other.elpd - np.log(frame["y"]).sum(), rel=1e-10)
    with pytest.raises(ModelError, match="lognormal is not handed over to Bambi"):
        models[0].bambi()
