"""A gaussian response whose spread differs between arms and groups, written without hiermod."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from benchmarks.calibration.priors import draw, draw_correlations
from benchmarks.calibration.simulate import Bar, Values, draw_effects

FORMULA = "y ~ treated + (1 | p | g); sigma ~ treated + (1 | p | g)"
EFFECTS = ("1|g", "sigma_1|g")
CORRELATION = "1+sigma_1|g_cor"
PRIORS = {
    "Intercept": "Normal(1, 1)", "treated": "Normal(0, 0.7)", "sigma_Intercept": "Normal(-0.2, 0.5)",
    "sigma_treated": "Normal(0, 0.5)", "sd(1|g)": "HalfNormal(0.7)", "sd(sigma_1|g)": "HalfNormal(0.5)",
    "cor(g)": "LKJ(2)",
}  # fmt: skip


@dataclass(frozen=True, eq=False)
class Spread:
    """Mean and logarithm of sigma have an intercept, an effect of ``treated`` and effects of groups each.

    Those of a group are correlated.
    """

    design: pd.DataFrame
    priors: dict[str, str]
    bars: tuple[Bar, ...] = (Bar("g", ("1", "sigma_1")),)

    def draw_parameters(self, rng: np.random.Generator) -> Values:
        """Every parameter, the effects of groups included, from its prior."""
        names = ("Intercept", "treated", "sigma_Intercept", "sigma_treated")
        values = {name: draw(self.priors[name], rng, 1) for name in names}
        sds = [draw(self.priors[key], rng, 1) for key in ("sd(1|g)", "sd(sigma_1|g)")]
        matrix = draw_correlations(self.priors["cor(g)"], rng, 2)
        effects = draw_effects(np.concatenate(sds), matrix, self.design["g"].nunique(), rng)
        values |= {f"{name}_sigma": sd for name, sd in zip(EFFECTS, sds, strict=True)}
        values |= {name: effects[None, :, place] for place, name in enumerate(EFFECTS)}
        return values | {CORRELATION: matrix[1, 0] * np.ones((1, 1))}

    def _predictor(self, frame: pd.DataFrame, values: Values, prefix: str) -> np.ndarray:
        codes = np.unique(frame["g"].to_numpy(dtype=str), return_inverse=True)[1]
        treated = frame["treated"].to_numpy(dtype=float)
        common = values[f"{prefix}Intercept"][:, None] + values[f"{prefix}treated"][:, None] * treated
        return np.asarray(common + values[f"{prefix}1|g"][:, codes])

    def simulate_response(self, values: Values, rng: np.random.Generator) -> pd.DataFrame:
        """The design with a response ``y``."""
        mean, log_sigma = (self._predictor(self.design, values, prefix)[0] for prefix in ("", "sigma_"))
        return self.design.assign(y=rng.normal(mean, np.exp(log_sigma)))

    def log_likelihood(self, frame: pd.DataFrame, values: Values) -> np.ndarray:
        """The log likelihood of the response in `frame`, shape ``(draws,)``."""
        mean, log_sigma = (self._predictor(frame, values, prefix) for prefix in ("", "sigma_"))
        away = (frame["y"].to_numpy() - mean) * np.exp(-log_sigma)
        return np.asarray((-0.5 * away**2 - log_sigma - 0.5 * np.log(2.0 * np.pi)).sum(axis=1))
