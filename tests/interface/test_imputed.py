"""Fits to imputed data sets together: answers are those of all draws, each from its own data; Rubin's rules."""

import pickle
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import hiermod as hm
from hiermod.errors import AnswerError, ModelError

sys.path.insert(0, str(Path(__file__).parents[1] / "answers"))
from answer_tools import with_made_up_draws

FORMULA = "s/n ~ arm * x + (1 | g)"


def imputed(seed, rows=60):
    """One data set, whose x and k are imputed."""
    rng = np.random.default_rng(1)
    data = pd.DataFrame({"arm": rng.choice(["a", "b", "c"], rows), "g": rng.choice(list("uvw"), rows)})
    data = data.assign(n=rng.integers(2, 9, rows)).assign(s=lambda frame: rng.binomial(frame["n"], 0.4))
    rng = np.random.default_rng(seed + 100)
    return data.assign(x=rng.integers(0, 3, rows))


def fit_of(seed, formula=FORMULA, data=None, family=None, priors=None, **options):
    model = hm.model(formula, imputed(seed) if data is None else data, family, priors=priors)
    return with_made_up_draws(model, spread=0.4, seed=seed, **{"chains": 2, "draws": 50, **options})


@pytest.fixture(scope="module")
def fits():
    return [fit_of(seed) for seed in (1, 2, 3)]


@pytest.fixture(scope="module")
def pooled(fits):
    return hm.pool(fits)


def flat(answer):
    """Draws, shape ``(rows, draws)``."""
    return answer.draws.transpose("row", "chain", "draw").to_numpy().reshape(len(answer.table), -1)


def of_all(fits, ask):
    return np.concatenate([flat(ask(fit)) for fit in fits], axis=1)


ASKED = {
    "rates": lambda fit: fit.rates("arm"),
    "by": lambda fit: fit.rates("arm", by="x", threshold=0.5),
    "weights": lambda fit: fit.rates("x", data=imputed(9), weights="n"),
    "effect": lambda fit: fit.effect("arm", by="x", rope=(-0.1, 0.1)),
    "ratio": lambda fit: fit.effect("arm", scale="odds_ratio", groups="population"),
    "interaction": lambda fit: fit.interaction("arm", "x"),
    "slopes": lambda fit: fit.slopes("x", by="arm", threshold=0.01),
    "new rows": lambda fit: fit.predict(imputed(7).head(5)),
    "own rows": lambda fit: fit.predict(kind="link"),
    "new group": lambda fit: fit.rates(groups="new"),
    "drawn": lambda fit: fit.predict(imputed(7), kind="response"),
}


@pytest.mark.parametrize("question", ASKED)
def test_answers_are_of_the_draws_of_all_fits(fits, pooled, question):
    ask = ASKED[question]
    expected, found = of_all(fits, ask), ask(pooled)
    np.testing.assert_allclose(flat(found), expected, rtol=1e-12)
    table = found.table
    middle = np.median(expected, axis=1) if question == "ratio" else expected.mean(axis=1)
    np.testing.assert_allclose(table["estimate"], middle, rtol=1e-9)
    np.testing.assert_allclose(table["lower"], np.quantile(expected, 0.025, axis=1), rtol=1e-9)
    if "prob_exceeds" in table:
        threshold = 0.5 if question == "by" else 0.01
        np.testing.assert_allclose(table["prob_exceeds"], (expected > threshold).mean(axis=1))
    if "prob_rope" in table:
        np.testing.assert_allclose(table["prob_rope"], (np.abs(expected) <= 0.1).mean(axis=1))
        np.testing.assert_allclose(table["prob_beats"], (expected > 0).mean(axis=1))
        np.testing.assert_allclose(table["expected_loss"], np.maximum(-expected, 0.0).mean(axis=1))
    if "rows" in table and question != "weights":
        np.testing.assert_allclose(table["rows"], np.mean([ask(fit).table["rows"] for fit in fits], axis=0))
    assert list(found.draws.dims) == ["chain", "draw", "row"]
    assert len(repr(found)) > 40


def test_columns_in_which_data_sets_differ_are_not_shown(pooled):
    assert "x" not in pooled.predict().table
    assert {"arm", "g"} <= set(pooled.predict().table)
    assert "x" in pooled.predict(imputed(7)).table


def test_decisions_are_of_the_draws_of_all_fits(fits, pooled):
    arms = of_all(fits, lambda fit: fit.rates("arm"))
    np.testing.assert_allclose(pooled.prob_beats("arm").to_numpy()[0], (arms[1:] > arms[0]).mean(axis=1))
    beats = (arms[:, None] > arms[None]).mean(axis=2)
    found = pooled.pairwise("arm").to_numpy()
    np.testing.assert_allclose(found[~np.eye(3, dtype=bool)], beats[~np.eye(3, dtype=bool)])
    best = pooled.best("arm")
    np.testing.assert_allclose(best["prob_best"], [(arms.argmax(axis=0) == arm).mean() for arm in range(3)])
    np.testing.assert_allclose(best["expected_loss"], (arms.max(axis=0) - arms).mean(axis=1))
    decision = pooled.decide("arm", loss=0.01).table.iloc[0]
    losses = (arms.max(axis=0) - arms).mean(axis=1)
    chosen = 1 + losses[1:].argmin()
    assert decision["level"] == "abc"[chosen]
    assert decision["loss_of_shipping"] == pytest.approx(losses[chosen])
    assert decision["loss_of_stopping"] == pytest.approx(losses[0])
    gain = arms[chosen] - arms[0]
    assert decision["estimate"] == pytest.approx(gain.mean())
    needed = pooled.nnt("arm").iloc[chosen - 1]
    assert needed["estimate"] == pytest.approx(1.0 / gain.mean())


def test_parameters_are_of_the_draws_of_all_fits(fits, pooled):
    for name in ("Intercept", "arm", "1|g", "1|g_sigma"):
        expected = np.concatenate([fit.posterior[name].to_numpy() for fit in fits])
        np.testing.assert_array_equal(pooled.posterior[name].to_numpy(), expected)
    assert pooled.fixef().loc["x", "estimate"] == pytest.approx(pooled.posterior["x"].mean().item())
    assert len(pooled.draws()) == 300
    assert pooled.hypothesis("x > 0").table["probability"][0] == pytest.approx(
        (pooled.posterior["x"] > 0).mean().item()
    )
    assert pooled.ranef()["g"].shape == (3, 1)
    assert pooled.coef().table["term"].nunique() == len(pooled.coef()["g"].columns)
    assert "3 imputed data sets, the first 60 rows" in repr(pooled.summary())


def test_fits_of_other_numbers_of_draws_have_equal_shares(fits):
    longer = fit_of(4, draws=150)
    both = hm.pool([fits[0], longer])
    assert both.posterior["x"].shape == (4, 50)
    assert set(both.posterior["x"].to_numpy()[2:].ravel()) <= set(longer.posterior["x"].to_numpy().ravel())
    more_chains = hm.pool([fits[0], fit_of(5, chains=3)])
    assert more_chains.posterior["x"].shape == (2, 100)
    np.testing.assert_array_equal(more_chains.posterior["x"].to_numpy()[0], fits[0].posterior["x"].to_numpy().ravel())
    assert more_chains.rates("arm").draws.shape == (2, 100, 3)


def test_they_can_be_pickled_and_stored_one_by_one(fits, pooled, tmp_path):
    again = pickle.loads(pickle.dumps(pooled))
    pd.testing.assert_frame_equal(again.effect("arm").table, pooled.effect("arm").table)
    for place, fit in enumerate(fits):
        fit.save(tmp_path / f"{place}.nc")
    stored = hm.pool([hm.load(tmp_path / f"{place}.nc") for place in range(3)])
    pd.testing.assert_frame_equal(stored.effect("arm").table, pooled.effect("arm").table)
    assert repr(stored) == f"<hiermod.ImputedFit of 3 fits, {fits[0].formula}, family binomial, 6 x 50 draws>"


def test_convergence_is_judged_within_each_fit():
    """Chains of one fit agree; between data sets their means are ten standard deviations apart."""
    data = [imputed(seed) for seed in (1, 2)]
    apart = [
        with_made_up_draws(hm.model(FORMULA, own), at={"x": 4.0 * place}, draws=500, seed=place)
        for place, own in enumerate(data)
    ]
    both = hm.pool(apart)
    report = both.check()
    assert report.table.set_index("check").loc["R-hat", "passed"]
    assert both.summary().fixed.loc["x", "rhat"] < 1.01
    assert both.summary().fixed.loc["x", "ess_bulk"] == pytest.approx(
        sum(fit.summary().fixed.loc["x", "ess_bulk"] for fit in apart)
    )
    stuck = apart[1].posterior.copy(deep=True)
    stuck["x"][0] += 3.0
    failed = hm.pool([apart[0], apart[1].model.with_draws(stuck)]).check()
    assert [one.name for one in failed.failed][:1] == ["R-hat"]
    assert failed.failed[0].figure.startswith("fit 2: ")


def test_variances_are_those_of_rubin_s_rules(pooled, fits):
    values = np.array([fit.posterior["x"].to_numpy().ravel() for fit in fits])
    row = pooled.missing_information().loc["x"]
    within, between = values.var(axis=1, ddof=1).mean(), values.mean(axis=1).var(ddof=1)
    assert row["within"] ** 2 == pytest.approx(within)
    assert row["between"] ** 2 == pytest.approx(between)
    assert row["sd"] ** 2 == pytest.approx(within + 4.0 / 3.0 * between)
    assert row["fraction"] == pytest.approx(4.0 / 3.0 * between / (within + 4.0 / 3.0 * between))
    assert row["df"] == pytest.approx(2.0 / row["fraction"] ** 2)
    assert pooled.posterior["x"].to_numpy().var() == pytest.approx(values.var(axis=1).mean() + between * 2.0 / 3.0)


def test_a_large_gaussian_model_gives_what_least_squares_and_rubin_do():
    rng = np.random.default_rng(7)
    x = rng.normal(size=1500)
    y = 1.0 + 0.5 * x + rng.normal(size=1500)
    gone = rng.random(1500) < 0.4
    slope, at = np.polyfit(y[~gone], x[~gone], 1)
    spread = np.std(x[~gone] - at - slope * y[~gone])
    fits, least_squares = [], []
    for seed in range(5):
        own = np.where(gone, at + slope * y + spread * rng.normal(size=1500), x)
        fits.append(hm.fit("y ~ x", pd.DataFrame({"x": own, "y": y}), seed=seed, progress=False))
        design = np.column_stack([np.ones(1500), own])
        coefficients, rest = np.linalg.lstsq(design, y)[:2]
        variance = rest[0] / 1498 * np.linalg.inv(design.T @ design).diagonal()
        least_squares.append((coefficients, variance))
    means, variances = (np.array(part) for part in zip(*least_squares, strict=True))
    total = variances.mean(axis=0) + 1.2 * means.var(axis=0, ddof=1)
    found = hm.pool(fits).missing_information().loc[["Intercept", "x"]]
    np.testing.assert_allclose(found["estimate"], means.mean(axis=0), atol=0.003)
    np.testing.assert_allclose(found["sd"], np.sqrt(total), rtol=0.05)
    np.testing.assert_allclose(found["fraction"], 1.2 * means.var(axis=0, ddof=1) / total, atol=0.06)


@pytest.mark.parametrize(
    ("other", "what"),
    [
        (lambda: fit_of(2, "s/n ~ arm + x + (1 | g)"), r"differ in the formula: .*arm:x.*, and s/n ~ arm \+ x"),
        (lambda: fit_of(2, family="beta_binomial"), "differ in the family: binomial, and beta_binomial"),
        (lambda: fit_of(2, priors={"sd": "HalfNormal(2)"}), "differ in the priors: .*default.*, and sd HalfNormal"),
        (lambda: fit_of(2, data=imputed(2).replace({"g": {"u": "z"}})), "the levels of '1.g': 'u', 'z' in one"),
        (lambda: fit_of(2, data=imputed(2).replace({"arm": {"c": "d"}})), "the levels of 'arm': 'c', 'd' in one"),
        (lambda: fit_of(2, data=imputed(2).replace({"arm": {"a": "_"}})), "the levels of 'arm': 'a', '_' in one"),
        (lambda: fit_of(2, data=imputed(2).iloc[1:]), "differ in the number of rows: 60, and 59"),
    ],
)  # fmt: skip
def test_fits_of_other_models_are_refused_by_what_differs(fits, other, what):
    with pytest.raises(ModelError, match=f"Fit 1 and fit 2.*{what}"):
        hm.pool([fits[0], other()])


def test_what_is_no_list_of_fits_is_refused(fits):
    with pytest.raises(ModelError, match="takes a list of fits"):
        hm.pool(fits[0])
    with pytest.raises(ModelError, match="two fits or more; here is 1"):
        hm.pool(fits[:1])


def test_combinations_that_one_data_set_has_alone_are_named(fits):
    lacking = imputed(6).assign(x=lambda frame: frame["x"].replace(2, 1))
    both = hm.pool([fits[0], fit_of(6, data=lacking)])
    with pytest.raises(AnswerError, match=r"fit 1 and fit 2 do not have the same combinations: \(2,\) is in one"):
        both.rates(by="x")
    assert len(both.rates({"x": [0, 1, 2]}).table) == 3


def test_pooled_rates_of_imputed_counts_are_mixed():
    """Independent draws by quadrature have no chains that could disagree, and as many of each."""
    data = hm.example("variants")
    counts = [data.assign(successes=data["successes"] + shift) for shift in (0, 1)]
    fits = [hm.fit("successes/trials ~ (1 | variant)", own, pooling="beta", draws=300, seed=1) for own in counts]
    both = hm.pool(fits)
    np.testing.assert_array_equal(flat(both.rates("variant")), of_all(fits, lambda fit: fit.rates("variant")))
    assert both.check().passed
    assert both.missing_information()["fraction"].between(0.0, 1.0).all()
    assert "2 imputed data sets" in repr(both.summary())
