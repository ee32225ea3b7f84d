"""Fits whose draws are made up, and ArviZ's leave-one-out of raw rows."""

import warnings

import arviz_stats as azs
import numpy as np
import xarray as xr

import hiermod as hm

TOLERANCE = {"rtol": 1e-9, "atol": 1e-9}


def drawn(formula, data, family=None, *, compress=True, **values):
    """A fit whose parameters are given, some draws of each in one chain."""
    model = hm.model(formula, data, family, compress=compress)
    variables = {}
    for name, value in values.items():
        value = np.asarray(value, dtype=float)
        dims = [f"{name}_{place}" for place in range(value.ndim - 1)]
        variables[name] = (("chain", "draw", *dims), value[None])
    return model.with_draws(xr.Dataset(variables))


def with_made_up_draws(model, at=None, spread=0.1, chains=4, draws=250, seed=0):
    """A fit whose draws lie around `at` (0 by default; standard deviations around 1)."""
    rng, variables = np.random.default_rng(seed), {}
    for variable in model._defined.spec.variables():
        name, shape = variable.name, variable.shape
        share = name in ("zi", "hu")
        positive = variable.role in ("sd", "family")
        centre = (at or {}).get(name, 0.4 if share else 1.0 if positive else 0.0)
        values = centre + spread * rng.normal(size=(chains, draws, *shape))
        dims = ("chain", "draw", *(f"{name}_{place}" for place in range(len(shape))))
        variables[name] = (dims, np.abs(values) if positive else values)
    return model.with_draws(xr.Dataset(variables))


def draws_of(fit, name):
    """Draws of a variable, the chains one after the other."""
    values = fit.posterior[name].to_numpy()
    return values.reshape(-1, *values.shape[2:])


def arviz_loo(fit, log_likelihood):
    """ArviZ's own result; `log_likelihood` has shape ``(draws, rows)``."""
    shape = (fit.posterior.sizes["chain"], fit.posterior.sizes["draw"], -1)
    rows = xr.Dataset({"y": (("chain", "draw", "row"), log_likelihood.reshape(shape))})
    tree = xr.DataTree.from_dict({"posterior": fit.posterior, "log_likelihood": rows})
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Estimated shape parameter")
        return azs.loo(tree, pointwise=True)


def assert_same(seen, expected):
    """The totals, and each row's own figures whatever its place, are ArviZ's."""
    for name in ("elpd", "se", "p"):
        np.testing.assert_allclose(getattr(seen, name), getattr(expected, name), **TOLERANCE)
    assert seen.n == expected.n_data_points
    assert seen.good_k == expected.good_k
    assert seen.warning == expected.warning
    for name, values in (("elpd", expected.elpd_i), ("pareto_k", expected.pareto_k)):
        rows = np.repeat(seen.pointwise[name], seen.pointwise["times"])
        np.testing.assert_allclose(np.sort(rows), np.sort(values.to_numpy()), rtol=1e-6, atol=1e-9)
