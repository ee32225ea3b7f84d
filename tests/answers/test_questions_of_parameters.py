"""Questions of models with several linear predictors, by brute force: rows by hand, groups by the product rule."""

import itertools

import numpy as np
import pandas as pd
import pytest
from answer_tools import draws_of, with_made_up_draws
from scipy import special, stats

import hiermod as hm
from hiermod.errors import AnswerError
from hiermod.show.sentences import effect_sentences

RNG = np.random.default_rng(4)
SIZE = 60
FRAME = pd.DataFrame(
    {"arm": np.tile(["a", "b"], SIZE // 2), "x": RNG.normal(size=SIZE), "g": np.repeat(list("pqrst"), SIZE // 5)}
)
FRAME["real"] = RNG.normal(size=SIZE)
FRAME["positive"] = np.exp(FRAME["real"])
FRAME["count"] = RNG.poisson(2.0, SIZE) * RNG.integers(0, 2, SIZE)
FRAME["money"] = FRAME["positive"] * RNG.integers(0, 2, SIZE)
DRAWS = 12


MODELS = {  # the formula; by outcome, the function of the linear predictors of mu and of the other parameter
    "gaussian": (
        "real ~ arm + x + (1 + x | p | g); sigma ~ arm + (1 | p | g)", "sigma",
        {"mean": lambda mu, s: mu, "q90": lambda mu, s: mu + np.exp(s) * stats.norm.ppf(0.9),
         ">1": lambda mu, s: stats.norm.sf((1.0 - mu) / np.exp(s)), "sigma": lambda mu, s: np.exp(s)},
    ),
    "lognormal": (
        "positive ~ arm + x + (1 | g); sigma ~ x", "sigma",
        {"mean": lambda mu, s: np.exp(mu + np.exp(s) ** 2 / 2.0), "median": lambda mu, s: np.exp(mu),
         "sigma": lambda mu, s: np.exp(s)},
    ),
    "zero_inflated_poisson": (
        "count ~ arm + x + (1 | p | g); zi ~ arm + (1 | p | g)", "zi",
        {"mean": lambda mu, z: (1.0 - special.expit(z)) * np.exp(mu),
         "zero": lambda mu, z: special.expit(z) + (1.0 - special.expit(z)) * np.exp(-np.exp(mu)),
         "positive": lambda mu, z: np.exp(mu) / -np.expm1(-np.exp(mu)), "zi": lambda mu, z: special.expit(z)},
    ),
    "hurdle_gamma": (
        "money ~ arm + x + (1 | p | g); hu ~ arm + (1 | p | g)", "hu",
        {"mean": lambda mu, z: (1.0 - special.expit(z)) * np.exp(mu), "zero": lambda mu, z: special.expit(z),
         "positive": lambda mu, z: np.exp(mu), "hu": lambda mu, z: special.expit(z)},
    ),
}  # fmt: skip
CASES = [(family, outcome) for family, (_, _, outcomes) in MODELS.items() for outcome in outcomes]


@pytest.fixture(scope="module")
def fits():
    made = {}
    for family, (formula, _, _) in MODELS.items():
        made[family] = with_made_up_draws(hm.model(formula, FRAME, family), chains=1, draws=DRAWS, spread=0.2)
    return made


def asked(family, outcome):
    """The arguments that ask for it."""
    return {"parameter": outcome} if outcome == MODELS[family][1] else {"outcome": outcome}


def common_part(fit, frame, prefix):
    """By hand: an intercept, the arm's coefficient and, where it has one, that of x."""
    names, b = fit.posterior.data_vars, (frame["arm"] == "b").to_numpy(dtype=float)
    total = np.tile(draws_of(fit, f"{prefix}Intercept")[:, None], len(frame))
    if f"{prefix}arm" in names:
        total = total + draws_of(fit, f"{prefix}arm").reshape(-1, 1) * b
    if f"{prefix}x" in names:
        total = total + draws_of(fit, f"{prefix}x").reshape(-1, 1) * frame["x"].to_numpy()
    return total


def effects_of_rows(fit, frame, name):
    return draws_of(fit, name)[:, pd.Categorical(frame["g"], list("pqrst")).codes]


def predictors(fit, family, frame, groups):
    """Both linear predictors of rows, shape ``(draws, rows)``."""
    other = MODELS[family][1]
    mu, second = common_part(fit, frame, ""), common_part(fit, frame, f"{other}_")
    if groups == "observed":
        mu = mu + effects_of_rows(fit, frame, "1|g")
        if "x|g" in fit.posterior:
            mu = mu + effects_of_rows(fit, frame, "x|g") * frame["x"].to_numpy()
        if f"{other}_1|g" in fit.posterior:
            second = second + effects_of_rows(fit, frame, f"{other}_1|g")
    return mu, second


def draws_by_row(answer):
    return answer.draws.transpose("row", "chain", "draw").to_numpy().reshape(len(answer.table), -1).T


@pytest.mark.parametrize(("family", "outcome"), CASES)
@pytest.mark.parametrize("groups", ["observed", "typical"])
def test_rows_are_computed_by_all_linear_predictors(fits, family, outcome, groups):
    fit, value = fits[family], MODELS[family][2][outcome]
    expected = value(*predictors(fit, family, FRAME, groups))
    seen = draws_by_row(fit.predict(FRAME, groups=groups, **asked(family, outcome)))
    np.testing.assert_allclose(seen, expected, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize(("family", "outcome"), CASES)
def test_rates_effects_and_slopes_average_rows(fits, family, outcome):
    fit, value, what = fits[family], MODELS[family][2][outcome], asked(family, outcome)
    arms = [value(*predictors(fit, family, FRAME.assign(arm=arm), "observed")).mean(axis=1) for arm in "ab"]
    np.testing.assert_allclose(draws_by_row(fit.rates("arm", **what)), np.transpose(arms), rtol=1e-9, atol=1e-12)
    effect = fit.effect("arm", **what)
    np.testing.assert_allclose(draws_by_row(effect)[:, 0], arms[1] - arms[0], rtol=1e-8, atol=1e-12)
    up, down = (
        value(*predictors(fit, family, FRAME.assign(x=FRAME["x"] + step), "observed")) for step in (1e-4, -1e-4)
    )
    slope = draws_by_row(fit.slopes("x", **what))[:, 0]
    np.testing.assert_allclose(slope, ((up - down) / 2e-4).mean(axis=1), rtol=1e-5, atol=1e-7)


def covariance_of(fit, family, draw):
    """The covariance of the group's effects in the order of the term, and what each is in."""
    values = fit.posterior.isel(chain=0, draw=draw)
    other = MODELS[family][1]
    names = [name for name in ("1|g", "x|g", f"{other}_1|g") if name in values]
    sds = np.array([values[f"{name}_sigma"].item() for name in names])
    correlation = np.eye(len(names))
    stored = [name for name in values.data_vars if str(name).endswith("|g_cor")]
    if stored:
        pairs = [(row, column) for row in range(1, len(names)) for column in range(row)]
        for number, (row, column) in zip(values[stored[0]].to_numpy().ravel(), pairs, strict=True):
            correlation[row, column] = correlation[column, row] = number
    return names, sds[:, None] * correlation * sds


@pytest.mark.parametrize(
    ("family", "outcome"), [case for case in CASES if case not in {("lognormal", "mean")}]
)  # fmt: skip
def test_the_population_is_integrated_over_all_predictors_jointly(fits, family, outcome):
    """By the product rule over the effects themselves, three of them in the gaussian model, correlated."""
    fit, value = fits[family], MODELS[family][2][outcome]
    rows, draw = FRAME.head(3), 5
    mu, second = (part[draw] for part in predictors(fit, family, rows, "typical"))
    names, covariance = covariance_of(fit, family, draw)
    nodes, weights = np.polynomial.hermite_e.hermegauss(30)
    weights /= weights.sum()
    factor, total = np.linalg.cholesky(covariance), np.zeros(len(rows))
    for places in itertools.product(range(len(nodes)), repeat=len(names)):
        effects = dict(zip(names, factor @ nodes[list(places)], strict=True))
        one = mu + effects["1|g"] + effects.get("x|g", 0.0) * rows["x"].to_numpy()
        two = second + effects.get(f"{MODELS[family][1]}_1|g", 0.0)
        total += weights[list(places)].prod() * value(one, two)
    seen = draws_by_row(fit.predict(rows, groups="population", **asked(family, outcome)))[draw]
    step = outcome == ">1"  # nearly one, where sigma is small
    np.testing.assert_allclose(seen, total, rtol=1e-3 if step else 2e-5)


def test_a_mean_over_groups_of_a_lognormal_sigma_is_refused(fits):
    frame = FRAME.assign(y=FRAME["positive"])
    fit = with_made_up_draws(hm.model("y ~ arm + (1 | g); sigma ~ (1 | g)", frame, "lognormal"), draws=20)
    for outcome in (None, "q90"):
        with pytest.raises(AnswerError, match=r"sigma differs between the levels of g.* is infinite.*outcome='median'"):
            fit.rates("arm", groups="population", outcome=outcome)
    for outcome in ("median", "q10", ">2"):
        assert np.isfinite(fit.rates("arm", groups="population", outcome=outcome).draws).all()
    assert "posterior medians" in fit.effect("arm").question.remark
    assert fit.effect("arm").table["expected_loss"].isna().all()
    assert fit.effect("arm", outcome="median").table["expected_loss"].notna().all()
    with pytest.raises(AnswerError, match=r"weighs expected losses.*outcome='median'"):
        fit.decide("arm", loss=0.1)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"parameter": "nu"}, r"parameter='nu': the model has no linear predictor of it"),
        ({"parameter": "sigmas"}, r"Did you mean 'sigma'"),
        ({"parameter": "sigma", "outcome": "mean"}, r"give one of them"),
        ({"parameter": "sigma", "per": 10}, r"per=10 is of means"),
    ],
)
def test_what_means_nothing_is_refused(fits, arguments, message):
    with pytest.raises(AnswerError, match=message):
        fits["gaussian"].rates("arm", **arguments)


def test_a_parameter_of_one_value_is_no_question():
    fit = with_made_up_draws(hm.model("real ~ arm + (1 | g)", FRAME), draws=5)
    with pytest.raises(
        AnswerError, match=r"one value for all rows, which fit.summary\(\) shows.*'real ~ \.\.\.; sigma"
    ):
        fit.effect("arm", parameter="sigma")
    np.testing.assert_array_equal(fit.rates("arm", parameter="mu").draws, fit.rates("arm").draws)


def test_words_name_the_parameter(fits):
    answer = fits["gaussian"].effect("arm", parameter="sigma")
    assert answer.question.measure.name == "sigma of real"
    assert "sigma of real" in effect_sentences(answer)[0]
    assert fits["gaussian"].effect("arm", parameter="sigma", scale="link").question.measure.link == "log of sigma"
    assert fits["hurdle_gamma"].effect("arm", parameter="hu").question.measure.percent


@pytest.mark.parametrize("family", MODELS)
def test_scores_and_predictions_read_all_parameters(fits, family):
    """Densities of rows, by hand; leave-one-out of ArviZ is held elsewhere."""
    from hiermod.answers.reader import predicted, reader
    from hiermod.answers.scoring.held_out import log_densities
    from hiermod.data.cells.observations import observations

    fit = fits[family]
    seen = observations(fit._posterior.spec.cells)
    mu, second = predictors(fit, family, seen.frame, "observed")
    for place, density in enumerate(log_densities(fit._posterior, seen)):
        row, value = seen.place[place], seen.responses[place, 0]
        eta, other = mu[:, row], second[:, row]
        match family:
            case "gaussian":
                expected = stats.norm.logpdf(value, eta, np.exp(other))
            case "lognormal":
                expected = stats.lognorm.logpdf(value, np.exp(other), scale=np.exp(eta))
            case "zero_inflated_poisson":
                zero = special.expit(other) * (value == 0.0)
                expected = np.log(zero + (1.0 - special.expit(other)) * stats.poisson.pmf(value, np.exp(eta)))
            case _:
                alpha = draws_of(fit, "alpha")
                above = special.log_expit(-other) + stats.gamma.logpdf(value or 1.0, alpha, scale=np.exp(eta) / alpha)
                expected = special.log_expit(other) if value == 0.0 else above
        np.testing.assert_allclose(density, expected, rtol=1e-9)
    assert len(list(predicted(reader(fit._posterior), seen))) == len(seen)
    assert fit.predict(FRAME, kind="response").draws.shape[-1] == SIZE
    assert np.isfinite(fit.residuals(type="quantile")).all()


@pytest.mark.parametrize("family", ["zero_inflated_poisson", "hurdle_gamma"])
@pytest.mark.parametrize("groups", ["observed", "typical", "new"])
def test_parts_of_an_effect_add_up_to_it(fits, family, groups):
    fit = fits[family]
    answer = fit.effect_parts("arm", by="g", groups=groups)
    chance, size, whole = (draws_by_row(answer)[:, place::3] for place in range(3))
    np.testing.assert_allclose(chance + size, whole, rtol=1e-12)
    np.testing.assert_allclose(whole, draws_by_row(fit.effect("arm", by="g", groups=groups)), rtol=1e-9, atol=1e-12)
    assert answer.table["part"].tolist() == ["chance above 0", "mean above 0", "whole"] * 5


def test_parts_of_an_effect_are_those_of_rows(fits):
    fit, outcomes = fits["hurdle_gamma"], MODELS["hurdle_gamma"][2]
    arms = [predictors(fit, "hurdle_gamma", FRAME.assign(arm=arm), "observed") for arm in "ab"]
    (p_c, m_c), (p_t, m_t) = ((1.0 - outcomes["zero"](*each), outcomes["positive"](*each)) for each in arms)
    seen = draws_by_row(fit.effect_parts("arm"))
    np.testing.assert_allclose(seen[:, 0], ((p_t - p_c) * (m_t + m_c) / 2.0).mean(axis=1), rtol=1e-9)
    np.testing.assert_allclose(seen[:, 1], ((p_t + p_c) / 2.0 * (m_t - m_c)).mean(axis=1), rtol=1e-9)
    assert fit.effect_parts("arm").plot() is not None
    assert "whole" in repr(fit.effect_parts("arm"))
    lines = fit.effect_parts("arm", at={"x": [0.0, 1.0]}).table
    assert lines["x"].tolist() == [0.0] * 3 + [1.0] * 3
    with pytest.raises(AnswerError, match=r"there are no parts\. Ask for groups='observed'"):
        fit.effect_parts("arm", groups="population")
    with pytest.raises(AnswerError, match=r"The family gaussian has no zeros with a chance of their own"):
        fits["gaussian"].effect_parts("arm")
