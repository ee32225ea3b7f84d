"""Leave-one-group-out against ratios of evidences that were integrated without any posterior."""

import arviz_stats as azs
import numpy as np
import pandas as pd
import pytest
from answer_tools import draws_of, with_made_up_draws
from scipy import special, stats

import hiermod as hm
from hiermod.answers.scoring import group_density
from hiermod.answers.scoring.group_density import Members, log_normal_integral
from hiermod.data.cells.observations import observations
from tests.truth import REFERENCE

FINITE = 0.5  # Pareto k, up to which the ratios have a variance, and so a Monte Carlo error
HEAVY = 0.25  # what scores may be off beyond, up to the k that is taken; refits are judged more strictly below
EXACT = pd.read_csv(REFERENCE / "logo.csv", dtype={"group": str})
GAUSSIAN = {"Intercept": "Normal(5, 3)", "sd": "HalfNormal(1)", "sigma": "Exponential(1)"}


@pytest.fixture(scope="module")
def fits(variants_fit):
    gaussian = pd.read_csv(REFERENCE / "oneway_gaussian.csv")
    binomial = pd.read_csv(REFERENCE / "oneway_binomial.csv")
    variants = hm.fit(
        "successes/trials ~ (1 | variant)", hm.example("variants2"), pooling="beta", seed=1, progress=False
    )
    return {
        "oneway_gaussian": hm.lmer("y ~ (1 | g)", gaussian, priors=GAUSSIAN, seed=6, progress=False),
        "oneway_binomial": hm.fit("s/n ~ (1 | g)", binomial, seed=5, progress=False),
        "variants2": variants,
    }


def error_of(fit, place):
    """Monte Carlo standard error of ``-log E[1 / L]``, L being the group's density in each draw."""
    posterior = fit.sampled_posterior
    seen = observations(posterior.spec.cells)
    grouping = next(iter(posterior.spec.cells.groupings.values()))
    own = np.flatnonzero(grouping.codes(seen.frame)[seen.place] == place)
    ratio = np.exp(-group_density.group_density(posterior, seen).joint(Members(own, seen.times[own])))
    size = float(azs.ess(ratio.reshape(posterior.shape), method="mean"))
    return float(ratio.std() / ratio.mean() / np.sqrt(size))


@pytest.mark.parametrize("model", ["oneway_gaussian", "oneway_binomial", "variants2"])
def test_joint_scores_are_ratios_of_evidences(fits, model):
    found = fits[model].logo(progress=False)
    exact = EXACT[(EXACT["model"] == model) & (EXACT["score"] == "joint")].set_index("group")["value"]
    assert list(found.pointwise.iloc[:, 0].astype(str)) == list(exact.index)
    for place, (own, truth) in enumerate(zip(found.pointwise.itertuples(), exact, strict=True)):
        bound = 4 * error_of(fits[model], place) + 1e-3 if own.pareto_k < FINITE else HEAVY
        assert abs(own.elpd - truth) < bound, (model, place)
    assert (found.n, found.units) == (len(exact), "groups")
    np.testing.assert_allclose(found.elpd, found.pointwise["elpd"].sum())
    np.testing.assert_allclose(found.se, np.sqrt(len(exact)) * found.pointwise["elpd"].std(ddof=0))


def test_scores_of_single_rows(fits):
    found = fits["oneway_gaussian"].logo("g", score="rows", progress=False).pointwise
    data = pd.read_csv(REFERENCE / "oneway_gaussian.csv")
    exact = EXACT[(EXACT["model"] == "oneway_gaussian") & (EXACT["score"] == "row")].reset_index(drop=True)
    assert list(exact["group"]) == list(data["g"])  # group by group, in the order of the data
    both = found.astype({"g": str}).merge(
        data.assign(exact=exact["value"]), left_on=["g", "value"], right_on=["g", "y"]
    )
    assert len(both) == len(data)
    for place, (_, own) in enumerate(both.groupby("g")):
        assert (abs(own["elpd"] - own["exact"]) < 4 * error_of(fits["oneway_gaussian"], place) + 1e-3).all()


def test_a_group_that_importance_sampling_cannot_leave_out_is_refitted(fits):
    """By refits of all groups, the truth again, of those too whose ratios have no variance."""
    fit = fits["oneway_binomial"]
    from hiermod.answers.scoring import cross_validation

    exact = EXACT[(EXACT["model"] == "oneway_binomial") & (EXACT["score"] == "joint")]["value"].to_numpy()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cross_validation, "good_k", lambda draws: -np.inf)
        found = fit.logo(max_refits=5, progress=False)
        some = fit.logo(max_refits=2, progress=False)
    assert found.pointwise["refitted"].all()
    assert not len(found.unreliable)
    np.testing.assert_allclose(found.pointwise["elpd"], exact, atol=0.05)
    assert (some.pointwise["refitted"].sum(), len(some.unreliable)) == (2, 3)
    assert "see .unreliable" in repr(some)


def test_nested_groups_are_integrated_within_each_other(monkeypatch):
    """Two levels of normal effects of a gaussian response: the marginal is a multivariate normal."""
    data = pd.DataFrame({"a": list("ppppqqqq"), "b": list("rrssttuu"), "y": np.arange(8.0) % 3})
    fit = with_made_up_draws(hm.model("y ~ (1 | a/b)", data), chains=2, draws=30)
    posterior = fit.sampled_posterior
    seen = observations(posterior.spec.cells)
    left = np.flatnonzero((seen.frame["a"] == "p").to_numpy()[seen.place])
    found = group_density.group_density(posterior, seen).joint(Members(left, seen.times[left]))
    monkeypatch.setattr(group_density, "MOST_AT_ONCE", 2)  # by quadrature, as in other families
    by_quadrature = group_density.group_density(posterior, seen).joint(Members(left, seen.times[left]))
    inner = np.kron(np.eye(2), np.ones((2, 2)))
    names = "Intercept", "1|a_sigma", "1|a:b_sigma", "sigma"
    for place, (mean, outer, nested, sigma) in enumerate(zip(*(draws_of(fit, name) for name in names), strict=True)):
        covariance = outer**2 * np.ones((4, 4)) + nested**2 * inner + sigma**2 * np.eye(4)
        exact = stats.multivariate_normal.logpdf(data["y"][:4], np.full(4, mean), covariance)
        np.testing.assert_allclose(found[place], exact, rtol=1e-10)
        np.testing.assert_allclose(by_quadrature[place], exact, atol=1e-5)


@pytest.mark.parametrize("block", [1, 4_000_000])
def test_gaussian_groups_are_normal_whatever_crosses_there(monkeypatch, block):
    """Factors that cross within the group, one of them seen elsewhere too; rows with weights; two effects of a bar."""
    monkeypatch.setattr(group_density, "LARGEST", block)
    rng = np.random.default_rng(4)
    data = pd.DataFrame({"city": list("mmmmmmnnnnnn"), "i": list("abcabcdefdef"), "j": list("ppprrrsssttt"),
                         "k": list("uvuvuvuvuvuv"), "x": rng.normal(size=12), "w": rng.integers(1, 4, 12),
                         "y": rng.normal(3.0, 2.0, 12)})  # fmt: skip
    fit = with_made_up_draws(
        hm.model("y | weights(w) ~ x + (1 + x | i) + (1 | j) + (1 | k)", data), chains=1, draws=30, spread=0.3
    )
    posterior, rows = fit.sampled_posterior, data.loc[data.index.repeat(data["w"])].query("city == 'm'")
    seen = observations(posterior.spec.cells)
    left = np.flatnonzero(np.isin(seen.frame["i"].to_numpy()[seen.place], list("abc")))
    density = group_density.group_density(posterior, seen)
    found, single = (own(Members(left, seen.times[left])) for own in (density.joint, density.single))
    design = np.column_stack([np.ones(len(rows)), rows["x"]])
    alike = {name: rows[name].to_numpy()[:, None] == rows[name].to_numpy() for name in "ij"}
    v = {name: draws_of(fit, name) for name in ("Intercept", "x", "1|i_sigma", "x|i_sigma", "1|j_sigma", "sigma")}
    correlation, known = draws_of(fit, "1+x|i_cor").reshape(-1), draws_of(fit, "1|k")
    for draw in range(30):
        sds = np.array([v["1|i_sigma"][draw], v["x|i_sigma"][draw]])
        of_bar = np.where(np.eye(2) > 0, 1.0, correlation[draw]) * sds[:, None] * sds
        covariance = alike["i"] * (design @ of_bar @ design.T) + alike["j"] * v["1|j_sigma"][draw] ** 2
        covariance += v["sigma"][draw] ** 2 * np.eye(len(rows))
        mean = v["Intercept"][draw] + v["x"][draw] * rows["x"] + known[draw][(rows["k"] == "v").astype(int)]
        exact = stats.multivariate_normal.logpdf(rows["y"], mean, covariance)
        np.testing.assert_allclose(found[draw], exact, rtol=1e-10)
        each = dict(zip(rows["y"], stats.norm.logpdf(rows["y"], mean, np.sqrt(np.diag(covariance))), strict=True))
        truth = [each[value] for value in seen.responses[left, 0]]
        np.testing.assert_allclose(single[:, draw], truth, rtol=1e-10)


def test_factors_that_cross_in_a_group_of_other_families_are_refused():
    data = pd.DataFrame({"city": list("mmmmnnnn"), "i": list("ababcdcd"), "j": list("ppqqrrss"), "y": [0, 1] * 4})
    fit = with_made_up_draws(hm.model("y ~ (1 | i) + (1 | j)", data), chains=2, draws=30)
    with pytest.raises(hm.errors.AnswerError, match=r"Two factors cross each other within a group.*method='kfold'"):
        hm.compare({"a": fit}, data, method="logo", group="city", progress=False)


def test_effects_of_crossed_factors_are_the_draws_own():
    data = pd.DataFrame({"id": [1, 1, 2, 2], "item": ["p", "q", "p", "q"], "y": [0, 1, 1, 1]})
    fit = with_made_up_draws(hm.model("y ~ (1 | id) + (1 | item)", data), chains=2, draws=20, spread=0.5)
    posterior = fit.sampled_posterior
    seen = observations(posterior.spec.cells)
    left = np.flatnonzero((seen.frame["id"] == 1).to_numpy()[seen.place])
    found = group_density.group_density(posterior, seen).joint(Members(left, seen.times[left]))
    item, mean, sd = draws_of(fit, "1|item"), draws_of(fit, "Intercept"), draws_of(fit, "1|id_sigma")

    def density(z):
        eta = (mean + sd * z[:, 0])[:, None] + item
        return special.log_expit(-eta[:, 0]) + special.log_expit(eta[:, 1])

    np.testing.assert_allclose(found, log_normal_integral(density, 40, 1), rtol=1e-9)


def test_groups_that_cannot_be_left_out(fits, country_fit):
    with pytest.raises(hm.errors.AnswerError, match="no column 'city', which the comparison needs"):
        country_fit.logo("city")
    with pytest.raises(hm.errors.AnswerError, match=r"score='both'.*'joint' scores a group's rows together"):
        country_fit.logo(score="both")
