"""Scores of models whose spread has a linear predictor, against ArviZ, integrals and sums over rows."""

import arviz_stats as azs
import numpy as np
import pandas as pd
import pytest
import xarray as xr
from scipy import special, stats

import hiermod as hm
from hiermod.answers.checks.sensitivity import log_likelihood
from hiermod.answers.scoring.group_density import Members, group_density
from hiermod.data.cells.observations import observations


@pytest.fixture(scope="module")
def frame():
    rng = np.random.default_rng(3)
    code = rng.integers(0, 8, 400)
    both = rng.multivariate_normal([0.0, 0.0], [[0.25, 0.06], [0.06, 0.09]], 8)
    arm, x = rng.integers(0, 2, 400), rng.normal(size=400).round(3)
    sigma = np.exp(-0.2 + 0.5 * arm + both[code, 1])
    y = 1.0 + 0.4 * arm + 0.3 * x + both[code, 0] + sigma * rng.normal(size=400)
    return pd.DataFrame({"y": y, "arm": arm, "x": x, "g": [f"g{k}" for k in code]})


@pytest.fixture(scope="module")
def fit(frame):
    formula = "y ~ arm + x + (1 | p | g); sigma ~ arm + (1 | p | g)"
    return hm.fit(formula, frame, draws=400, chains=2, cores=1, seed=1, progress=False)


def predictors(fit, frame):
    """Mean and logarithm of sigma, shape ``(draws, rows)``, from the draws alone."""
    draws = {name: fit.posterior[name].to_numpy() for name in fit.posterior}
    draws = {name: values.reshape(-1, *values.shape[2:]) for name, values in draws.items()}
    code = np.unique(frame["g"], return_inverse=True)[1]
    mean = draws["Intercept"][:, None] + draws["arm"][:, None] * frame["arm"].to_numpy()
    mean = mean + draws["x"][:, None] * frame["x"].to_numpy() + draws["1|g"][:, code]
    spread = draws["sigma_Intercept"][:, None] + draws["sigma_arm"][:, None] * frame["arm"].to_numpy()
    return mean, spread + draws["sigma_1|g"][:, code], draws


def test_leave_one_out_is_arviz_s(fit, frame):
    mean, log_sigma, _ = predictors(fit, frame)
    density = stats.norm.logpdf(frame["y"].to_numpy(), mean, np.exp(log_sigma)).reshape(2, -1, len(frame))
    tree = xr.DataTree.from_dict({
        "posterior": fit.posterior,
        "log_likelihood": xr.Dataset({"y": (("chain", "draw", "obs"), density)}, dict(fit.posterior.coords)),
    })  # fmt: skip
    assert fit.loo().elpd == pytest.approx(azs.loo(tree).elpd, abs=0.02)


def test_a_group_left_out_is_integrated_over_both_of_its_effects(fit, frame):
    """The joint density of a group's rows in some draws, by a grid over its two effects."""
    mean, log_sigma, draws = predictors(fit, frame)
    code = np.unique(frame["g"], return_inverse=True)[1]
    rows = np.flatnonzero(code == 2)
    sds = np.stack([draws["1|g_sigma"], draws["sigma_1|g_sigma"]], axis=1)
    cor = draws["1+sigma_1|g_cor"][:, 0]
    nodes = np.linspace(-6.0, 6.0, 241)
    one, other = (part.ravel() for part in np.meshgrid(nodes, nodes, indexing="ij"))
    weight = stats.norm.logpdf(one) + stats.norm.logpdf(other) + 2.0 * np.log(nodes[1] - nodes[0])
    y = frame["y"].to_numpy()[rows]
    found = []
    for draw in range(0, len(cor), 400):
        first = sds[draw, 0] * one
        second = sds[draw, 1] * (cor[draw] * one + np.sqrt(1.0 - cor[draw] ** 2) * other)
        centre = mean[draw, rows] - draws["1|g"][draw, 2]
        spread = log_sigma[draw, rows] - draws["sigma_1|g"][draw, 2]
        density = stats.norm.logpdf(y, centre + first[:, None], np.exp(spread + second[:, None])).sum(axis=1)
        found.append(special.logsumexp(density + weight))
    posterior = fit.sampled_posterior
    seen = observations(posterior.spec.cells)
    left = np.flatnonzero(seen.frame["g"].astype(str).to_numpy()[seen.place] == "g2")
    joint = group_density(posterior, seen).joint(Members(left, seen.times[left]))
    np.testing.assert_allclose(joint[::400], found, atol=2e-3)


def test_the_log_likelihood_of_cells_is_that_of_rows(fit, frame):
    """Up to a constant, though cells average over x."""
    mean, log_sigma, _ = predictors(fit, frame)
    rows = stats.norm.logpdf(frame["y"].to_numpy(), mean, np.exp(log_sigma)).sum(axis=1)
    assert np.ptp(log_likelihood(fit.sampled_posterior) - rows) < 1e-8


def test_compared_with_one_spread_for_all(fit, frame):
    alone = hm.fit("y ~ arm + x + (1 | g)", frame, draws=400, chains=2, cores=1, seed=1, progress=False)
    table = hm.compare({"several": fit, "one": alone}).table
    assert table.index[0] == "several"
    assert table.loc["several", "elpd"] == pytest.approx(fit.loo().elpd, abs=1e-6)


def test_a_stored_fit_is_read_again_and_changed(fit, frame, tmp_path):
    fit.save(tmp_path / "spread.nc")
    again = hm.load(tmp_path / "spread.nc")
    assert again.formula == fit.formula
    assert again.fixef().equals(fit.fixef())
    assert list(fit.ranef()["g"].columns) == ["Intercept", "sigma_Intercept"]
    assert "sigma" not in fit.varcorr()["grp"].to_numpy()
    quick = {"draws": 20, "tune": 50, "chains": 1, "cores": 1, "progress": False}
    changed = fit.update("sigma ~ . + x", data=frame, **quick)
    narrow = again.update(priors={"sigma: slope": "Normal(0, 0.1)"}, **quick)
    assert str(changed.formula).endswith("sigma ~ arm + x + (1 | p | g)")
    rows = narrow.prior_summary().set_index("parameter")["prior"]
    assert rows["sigma_arm"] == "Normal(0, 0.1)"
    assert rows["arm"] == fit.prior_summary().set_index("parameter")["prior"]["arm"]
