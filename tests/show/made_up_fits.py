"""Fits whose draws are made up, so that pictures are tested without sampling."""

from __future__ import annotations

from functools import cache

import numpy as np
import pandas as pd
import xarray as xr

import hiermod as hm

ODD_LEVELS = (
    "$x_1$",
    "<b>A</b>",
    "a very long level name indeed that goes on, one",
    "a very long level name indeed that goes on, two",
    "_hidden",
    "100% & \\frac{1}{2}",
    "",
    "new\nline",
    "\\$5 or $6",
)


def made_up(formula, data, *, chains=4, draws=50, seed=0, diverging=None, **options):
    """A fit of a model with random draws of the right shapes."""
    model = hm.model(formula, data, **options)
    rng, variables = np.random.default_rng(seed), {}
    for variable in model._defined.spec.variables():
        name, shape = variable.name, variable.shape
        values = rng.normal(0.0, 0.5, (chains, draws, *shape))
        if name.endswith("_sigma") or name in ("sigma", "rate_spread"):
            values = np.abs(values) + 0.01
        elif name.endswith("_cor"):
            values = np.tanh(values)
        elif name.startswith("rate"):
            values = 1.0 / (1.0 + np.exp(-values))
        variables[name] = (("chain", "draw", *(f"{name}_{place}" for place in range(len(shape)))), values)
    groups = {"posterior": xr.Dataset(variables)}
    if diverging is not None:
        groups["sample_stats"] = xr.Dataset({"diverging": (("chain", "draw"), diverging)})
    return model.with_draws(xr.DataTree.from_dict(groups))


@cache
def country():
    return made_up("success ~ treated + (1 + treated | country)", hm.example("country"))


@cache
def variants():
    return made_up("successes/trials ~ (1 | variant)", hm.example("variants2"), pooling="beta")


@cache
def cbpp():
    return made_up("incidence/size ~ period + (1 | herd)", hm.example("cbpp"))


@cache
def sleepstudy():
    return made_up("Reaction ~ Days + (Days | Subject)", hm.example("sleepstudy"))


@cache
def counts():
    rng = np.random.default_rng(1)
    rows = [(g, k, x, rng.poisson(3)) for g in "abcd" for k in "uvw" for x in (0, 1)]
    return made_up("y ~ k + x + (1 | g)", pd.DataFrame(rows, columns=["g", "k", "x", "y"]), family="poisson")


@cache
def many(levels=200):
    rng = np.random.default_rng(2)
    trials = rng.integers(5, 400, levels)
    names = [f"store {number:03d}" for number in range(levels)]
    data = pd.DataFrame({"store": names, "s": rng.binomial(trials, 0.3), "n": trials})
    return made_up("s/n ~ (1 | store)", data)


@cache
def odd():
    """Levels and column names that a careless picture would read as markup."""
    rows = [(level, arm, 6 + place, 20) for place, level in enumerate(ODD_LEVELS) for arm in ("$t_0$", "_t")]
    return made_up("s/n ~ a$r$m + (1 | g$r$)".replace("a$r$m", "`a$r$m`").replace("g$r$", "`g$r$`"),
                   pd.DataFrame(rows, columns=["g$r$", "a$r$m", "s", "n"]))  # fmt: skip
