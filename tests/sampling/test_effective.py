"""R-hat and effective sample sizes of many parameters at once are ArviZ's."""

import warnings

import arviz_stats as azs
import numpy as np
import pytest
import xarray as xr

from hiermod.sampling.diagnostics import figures, mean_sizes


def draws_of(chains, size, seed=0):
    """White noise, slow and alternating chains, one that disagrees, rounded draws, repeated draws, a constant."""
    rng = np.random.default_rng(seed)
    draws = rng.normal(size=(chains, size, 12))
    for place, weight in ((1, 0.5), (2, 0.95), (3, -0.6), (4, -0.95)):
        for t in range(1, size):
            draws[:, t, place] += weight * draws[:, t - 1, place]
    draws[0, :, 5] += 2.0
    draws[:, :, 6] = draws[:, :, 6].round(1)
    draws[:, 1::2, 7] = draws[:, ::2, 7][:, : size // 2]
    draws[:, :, 8] = 3.0
    draws[:, :, 9] = np.exp(5.0 * draws[:, :, 9])
    draws[:, :, 10] = draws[:, :, 10] > 0.8
    return draws


@pytest.mark.parametrize(("chains", "size"), [(4, 1000), (4, 501), (2, 7), (1, 400), (4, 4), (3, 50)])
def test_figures_are_those_of_arviz(chains, size):
    draws = draws_of(chains, size)
    ours = figures(draws)
    data = xr.Dataset({"x": (("chain", "draw", "k"), draws)})
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")  # ArviZ divides by nothing for constants
        tail = azs.ess(data, method="tail", prob=(0.05, 0.95))["x"]
        expected = {"bulk": azs.ess(data, method="bulk")["x"], "tail": tail, "rhat": azs.rhat(data)["x"]}
    for name, values in expected.items():
        np.testing.assert_allclose(getattr(ours, name), values, rtol=1e-9, err_msg=name)


def test_what_is_not_finite_has_no_figures():
    draws = draws_of(4, 100)
    draws[2, 50, 0] = np.nan
    found = figures(draws)
    assert np.isnan([found.rhat[0], found.bulk[0], found.tail[0]]).all()
    assert np.isfinite(found.bulk[1])
    assert np.isnan(figures(draws[:, :3]).bulk).all()


def test_sizes_for_means_are_those_of_arviz():
    draws = draws_of(4, 300)
    data = xr.Dataset({"x": (("chain", "draw", "k"), draws)})
    np.testing.assert_allclose(mean_sizes(draws), azs.ess(data, method="mean")["x"], rtol=1e-9)
    assert np.isnan(mean_sizes(draws[:, :3])).all()
