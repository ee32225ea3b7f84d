"""Monotonic effects, and slopes that a prior shrinks together, written without hiermod."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import special

from benchmarks.calibration.priors import draw, draw_correlations, numbers
from benchmarks.calibration.simulate import Bar, Values, draw_effects

MONOTONIC_FORMULA = "y ~ mo(x) * treated + (1 | g)"
MONOTONIC_PRIORS = {
    "Intercept": "Normal(-0.5, 1)", "treated": "Normal(0.3, 0.7)", "mo(x)": "Normal(0.5, 1)",
    "mo(x):treated": "Normal(0, 0.7)", "simo(mo(x))": "Dirichlet(1)", "simo(mo(x):treated)": "Dirichlet(2)",
    "sd(1|g)": "HalfNormal(0.7)",
}  # fmt: skip
SLOPES = tuple(f"z{place}" for place in range(6))
SHRUNK_FORMULA = f"y ~ {' + '.join(SLOPES)}"
SHRUNK_PRIORS = {"Intercept": "Normal(0, 1)", "sigma": "Gamma(4, 4)"}
HORSESHOE = {"df": 3.0, "scale_global": 0.5, "df_global": 1.0, "scale_slab": 1.5, "df_slab": 6.0}
R2D2 = {"mean_R2": 0.5, "prec_R2": 4.0, "cons_D2": 0.7}


@dataclass(frozen=True, eq=False)
class Monotonic:
    """A 0/1 response to a predictor ``x`` of four levels, each of which adds a share to the one before.

    Among the treated it adds a share of a further effect, which has steps of its own.
    """

    design: pd.DataFrame
    priors: dict[str, str]
    bars: tuple[Bar, ...] = (Bar("g", ("1",)),)

    def draw_parameters(self, rng: np.random.Generator) -> Values:
        """Every parameter, the effects of groups included, from its prior."""
        values = {name: draw(self.priors[name], rng, 1) for name in ("Intercept", "treated", "mo(x)", "mo(x):treated")}
        for name in ("mo(x)", "mo(x):treated"):
            _, (size,) = numbers(self.priors[f"simo({name})"])
            values[f"{name}_shares"] = rng.dirichlet(np.full(self.design["x"].max(), size), 1)
        values["1|g_sigma"] = draw(self.priors["sd(1|g)"], rng, 1)
        effects = draw_effects(values["1|g_sigma"], np.eye(1), self.design["g"].nunique(), rng)
        return values | {"1|g": effects[None, :, 0]}

    def _log_odds(self, frame: pd.DataFrame, values: Values) -> np.ndarray:
        """Shape ``(draws, rows)``."""
        codes = np.unique(frame["g"].to_numpy(dtype=str), return_inverse=True)[1]
        treated, level = frame["treated"].to_numpy(dtype=float), frame["x"].to_numpy()
        total = values["Intercept"][:, None] + values["treated"][:, None] * treated + values["1|g"][:, codes]
        for name, by in (("mo(x)", np.ones(len(frame))), ("mo(x):treated", treated)):
            shares = values[f"{name}_shares"]
            reached = np.concatenate([np.zeros((len(shares), 1)), np.cumsum(shares, axis=1)], axis=1)
            total = total + values[name][:, None] * reached[:, level] * by
        return np.asarray(total)

    def simulate_response(self, values: Values, rng: np.random.Generator) -> pd.DataFrame:
        """The design with a response ``y``."""
        chance = special.expit(self._log_odds(self.design, values)[0])
        return self.design.assign(y=(rng.random(len(chance)) < chance).astype(int))

    def log_likelihood(self, frame: pd.DataFrame, values: Values) -> np.ndarray:
        """The log likelihood of the response in `frame`, shape ``(draws,)``."""
        signs = 2.0 * frame["y"].to_numpy() - 1.0
        return np.asarray(special.log_expit(signs * self._log_odds(frame, values)).sum(axis=1))


@dataclass(frozen=True, eq=False)
class Shrunk:
    """A gaussian response to predictors of mean 0 and standard deviation 1, and to 0/1 ones."""

    design: pd.DataFrame
    own: dict[str, float]
    bars: tuple[Bar, ...] = ()

    @property
    def is_horseshoe(self) -> bool:
        """Whether slopes have that prior, and not R2D2."""
        return "df" in self.own

    @property
    def priors(self) -> dict[str, str]:
        """As hiermod is given them."""
        inside = ", ".join(f"{name}={number:g}" for name, number in self.own.items())
        return {**SHRUNK_PRIORS, "slope": f"{'Horseshoe' if self.is_horseshoe else 'R2D2'}({inside})"}

    def draw_parameters(self, rng: np.random.Generator) -> Values:
        """Every parameter from its prior."""
        own, count = self.own, len(SLOPES)
        values = {name: draw(SHRUNK_PRIORS[name], rng, 1) for name in ("Intercept", "sigma")}
        if self.is_horseshoe:
            half = own["df_slab"] / 2.0
            local = np.abs(rng.standard_t(own["df"], (1, count)))
            share = own["scale_global"] * np.abs(rng.standard_t(own["df_global"], 1))
            slab = np.sqrt(half * own["scale_slab"] ** 2 / rng.gamma(half, size=1))
            values |= {"slope_local": local, "slope_global": share, "slope_slab": slab}
            wide = values["sigma"] * share * local
            spread = wide * slab / np.hypot(wide, slab)
        else:
            explained = rng.beta(own["mean_R2"] * own["prec_R2"], (1.0 - own["mean_R2"]) * own["prec_R2"], 1)
            shares = rng.dirichlet(np.full(count, own["cons_D2"]), 1)
            values |= {"slope_R2": explained, "slope_phi": shares}
            spread = values["sigma"] * np.sqrt(shares * explained / (1.0 - explained))
        slopes = spread[0] * rng.normal(size=count)
        return values | {name: slopes[place : place + 1] for place, name in enumerate(SLOPES)}

    def _means(self, frame: pd.DataFrame, values: Values) -> np.ndarray:
        slopes = np.stack([values[name] for name in SLOPES], axis=1)
        return np.asarray(values["Intercept"][:, None] + slopes @ frame[list(SLOPES)].to_numpy(dtype=float).T)

    def simulate_response(self, values: Values, rng: np.random.Generator) -> pd.DataFrame:
        """The design with a response ``y``."""
        return self.design.assign(y=rng.normal(self._means(self.design, values)[0], values["sigma"]))

    def log_likelihood(self, frame: pd.DataFrame, values: Values) -> np.ndarray:
        """The log likelihood of the response in `frame`, shape ``(draws,)``."""
        away = (frame["y"].to_numpy() - self._means(frame, values)) / values["sigma"][:, None]
        return np.asarray(-(0.5 * away**2 + np.log(values["sigma"])[:, None]).sum(axis=1))


def standardised(rows: int) -> pd.DataFrame:
    """Half of the predictors correlated numbers of mean 0 and standard deviation 1, half of them 0/1."""
    rng, count = np.random.default_rng(1), len(SLOPES) // 2
    matrix = draw_correlations("LKJ(1)", rng, count)
    values = rng.multivariate_normal(np.zeros(count), matrix, rows)
    values = (values - values.mean(axis=0)) / values.std(axis=0)
    return pd.DataFrame(np.hstack([values, rng.integers(2, size=(rows, count))]), columns=list(SLOPES))
