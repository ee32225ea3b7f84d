"""The models that `recorder.py` fits: all families and shapes, each small, each with its data and its questions."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Recorded:
    """A model, how it is fitted, and what is asked of it beyond what is asked of all.

    `arm` is the column whose effect is asked, `rival` a formula that k-fold compares it with.
    """

    formula: str
    data: str = "small"
    arm: str | None = "t"
    rival: str | None = None
    priors: dict[str, str] | None = None
    draws: int = 150
    chains: int = 2
    settings: dict[str, Any] = field(default_factory=dict)

    def arguments(self) -> dict[str, Any]:
        """What `hiermod.fit` takes beside the formula and the data."""
        own = {"draws": self.draws, "chains": self.chains, "priors": self.priors, "seed": 7, "progress": False}
        return {**own, **self.settings}


def family(name: str) -> dict[str, Any]:
    return {"family": name}


# A run of 300 draws is not lengthened for want of draws; one of 4 chains of 200 may be run again, which is recorded.
MODELS = {
    "bernoulli-no-groups": Recorded("y ~ t * f + x5"),
    "bernoulli-country": Recorded(
        "success ~ treated + (1 + treated | country)",
        "country",
        "treated",
        draws=200,
        chains=4,
        rival="success ~ treated + (1 | country)",
    ),
    "bernoulli-probit": Recorded("y ~ t + (1 + t || g)", settings=family("bernoulli(probit)")),
    "bernoulli-cloglog": Recorded("y ~ t + x5 + (1 | g)", settings=family("bernoulli(cloglog)")),
    "bernoulli-rows": Recorded("y ~ x + t + (1 + x | g)"),
    "bernoulli-uncorrelated-rows": Recorded("y ~ x + z + (1 + x + z || g)", arm=None),
    "bernoulli-raw": Recorded("y ~ t + (1 | g)", settings={"compress": False}),
    "bernoulli-pymc": Recorded("y ~ t + (1 | g)", settings={"engine": "pymc"}),
    "bernoulli-level": Recorded("word['yes'] ~ 1 + (1 | f)", arm="f"),
    "binomial-cbpp": Recorded(
        "incidence/size ~ period + (1 | herd)",
        "cbpp",
        "period",
        draws=200,
        chains=4,
        rival="incidence/size ~ (1 | herd)",
    ),
    "binomial-three-effects": Recorded("s/size ~ t + x5 + (1 + t + x5 | g)", rival="s/size ~ t + x5 + (1 | g)"),
    "binomial-factor-slopes": Recorded("s/size ~ f + (1 + f | g)", arm="f"),
    "binomial-factor-alone": Recorded("s/size ~ f + (0 + f | g)", arm="f"),
    "binomial-factor-apart": Recorded("s/size ~ f + (1 + f || g)", arm="f"),
    "binomial-few-crossed": Recorded("s/size ~ t + (1 + t | f) + (1 | h)", draws=200, chains=3),
    "binomial-nested": Recorded("s/size ~ t + (1 | a/b)"),
    "binomial-crossed-arm": Recorded("s/size ~ 1 + (1 | g:f)", arm="f"),
    "binomial-pooled": Recorded("s/size ~ (1 | g)", arm="g", settings={"pooling": "beta"}),
    "binomial-probit-raw": Recorded(
        "s/size ~ t + x5 + (1 | g)", settings={"family": "binomial(probit)", "compress": False}
    ),
    "gaussian-sleepstudy": Recorded("Reaction ~ Days + (Days | Subject)", "sleepstudy", None, draws=200, chains=4),
    "gaussian-no-groups": Recorded("real ~ t * x", rival="real ~ t + (1 | g)"),
    "gaussian-cells": Recorded("real ~ t + f + (1 + t | g)", "large", draws=200, chains=4),
    "gaussian-averaged": Recorded("real ~ t + x + (1 + x | g)", "large"),
    "gaussian-aggregated": Recorded("real ~ t + x + (1 + x | g)", "large in DuckDB"),
    "binomial-aggregated": Recorded("y ~ t + f + (1 + t | g)", "large in DuckDB"),
    "gaussian-averaged-factors": Recorded("real ~ f * x + (0 + f | g) + (1 | h)", "large", arm="f"),
    "gaussian-poly": Recorded("real ~ poly(x, 2) + t + (1 | g)"),
    "gaussian-bs": Recorded("real ~ bs(x, df=4) + scale(z) + t + (1 + scale(z) | g)"),
    "gaussian-weights": Recorded("real | weights(w) ~ t + C(f, sum) + (1 | g)"),
    "gaussian-log": Recorded("log(positive) ~ t + ns(x, df=3) + (1 | g) + (1 | h)"),
    "gaussian-crossed": Recorded("real ~ t + (1 | u) + (1 + t | v)", "wide"),
    "poisson": Recorded("count ~ t + I(x5^2) + (1 | g)", settings=family("poisson")),
    "poisson-offset": Recorded("count ~ t + offset(log(e)) + (1 + t | g)", settings=family("poisson")),
    "negbinomial": Recorded("count ~ t + x5 + (1 | g)", settings=family("negbinomial")),
    "student": Recorded("real ~ t + x + (1 | g)", settings=family("student")),
    "gamma": Recorded("positive ~ t + (1 + t | g)", settings=family("gamma")),
    "beta-binomial": Recorded("s/size ~ t + (1 | g)", settings=family("beta_binomial")),
    "priors-of-logits": Recorded(
        "s/size ~ t + x5 + f + (1 + t | g) + (1 | h)",
        priors={
            "Intercept": "Normal(0, 1.5)",
            "slope": "Laplace(0, 1)",
            "t": "Logistic(0, 0.5)",
            "x5": "Cauchy(0, 1)",
            "sd": "Exponential(2)",
            "sd(1|h)": "Gamma(2, 3)",
            "sd(t|g)": "HalfCauchy(0.5)",
            "cor": "LKJ(4)",
        },
    ),
    "priors-of-reals": Recorded(
        "real ~ t + (1 + t | g)",
        priors={
            "Intercept": "Uniform(-10, 10)",
            "slope": "StudentT(4, 0, 2)",
            "sigma": "InverseGamma(3, 2)",
            "sd": "HalfStudentT(3, 0.5)",
            "sd(t|g)": "LogNormal(-1, 0.5)",
        },
    ),
    "priors-of-counts": Recorded(
        "count ~ t + (1 | g)", settings=family("negbinomial"), priors={"alpha": "HalfNormal(3)", "t": "Normal(0, 0.3)"}
    ),
    "crossed-many": Recorded("y ~ t + (1 + t | u) + (1 | v)", "wide"),
    "crossed-large": Recorded("y ~ t + f + (1 | u) + (1 | v)", "huge", rival="y ~ t + (1 | u) + (1 | v)"),
}


def data_of(name: str) -> Any:
    """The data of a model as it is fitted to: a frame, or what an engine holds where the name ends so."""
    if not name.endswith(ENGINE):
        return rows_of(name)
    import duckdb

    return duckdb.connect(config={"threads": 1}).from_df(rows_of(name))


def rows_of(name: str) -> pd.DataFrame:
    """The rows of a model: an example of hiermod's, or made up."""
    import hiermod as hm

    name = name.removesuffix(ENGINE)
    return made_up(*SIZES[name]) if name in SIZES else hm.example(name)


ENGINE = " in DuckDB"


# Rows; levels of g, h, u and v.
SIZES = {
    "small": (240, 8, 5, 3, 3),
    "large": (900, 6, 4, 3, 3),
    "wide": (1200, 6, 4, 40, 30),
    "huge": (15_000, 6, 4, 300, 50),
}


def made_up(rows: int, groups: int, others: int, users: int, items: int) -> pd.DataFrame:
    """Rows with predictors and groups of all kinds, and a response for each family."""
    import pandas as pd

    rng = np.random.default_rng(rows)
    g, h = rng.integers(groups, size=rows), rng.integers(others, size=rows)
    u, v = rng.integers(users, size=rows), rng.integers(items, size=rows)
    f, t, x, z = rng.integers(3, size=rows), rng.integers(2, size=rows), rng.normal(size=rows), rng.normal(2, 3, rows)
    x5, size, e = rng.integers(-2, 3, rows) / 2, rng.integers(2, 15, rows), rng.choice([0.5, 1.0, 2.0, 3.5], rows)
    eta = -0.3 + 0.5 * t + 0.3 * x + 0.4 * x5 + np.array([0.0, 0.3, -0.4])[f]
    for level, count, sd in ((g, groups, 0.5), (h, others, 0.4), (u, users, 0.6), (v, items, 0.3)):
        eta = eta + rng.normal(0, sd, count)[level]
    eta = eta + t * rng.normal(0, 0.3, groups)[g]
    p = 1 / (1 + np.exp(-eta))
    y = rng.binomial(1, p)
    return pd.DataFrame(
        {
            "y": y, "word": np.where(y == 1, "yes", "no"), "s": rng.binomial(size, p), "size": size,
            "count": rng.poisson(e * np.exp(0.5 * eta)), "e": e, "real": eta + rng.normal(0, 0.8, rows),
            "positive": rng.gamma(3, np.exp(0.4 * eta) / 3), "w": rng.integers(1, 4, rows),
            "t": t, "x": x, "z": z, "x5": x5, "f": np.array(["p", "q", "r"])[f],
            "g": [f"g{k:02d}" for k in g], "h": h, "u": [f"u{k:03d}" for k in u], "v": [f"v{k:02d}" for k in v],
            "a": [f"a{k // 4}" for k in g], "b": [f"b{k % 4}" for k in g],
        }
    )  # fmt: skip
