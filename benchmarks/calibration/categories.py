"""Ordered and unordered categories, written without hiermod."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import special

from benchmarks.calibration.priors import draw, draw_correlations, numbers
from benchmarks.calibration.simulate import Bar, Values, draw_effects

CATEGORIES = 4
ORDERED_PRIORS = {"Intercept": "Dirichlet(2)", "treated": "Normal(0.3, 0.7)", "sd(1|g)": "HalfNormal(0.7)"}
NAMES = ("mub", "muc")
UNORDERED_PRIORS = {
    **{f"{name}_{term}": "Normal(0, 0.7)" for name in NAMES for term in ("Intercept", "treated")},
    **{f"sd({name}_1|g)": "HalfNormal(0.7)" for name in NAMES}, "cor(g)": "LKJ(2)",
}  # fmt: skip


def _codes(frame: pd.DataFrame) -> np.ndarray:
    return np.unique(frame["g"].to_numpy(dtype=str), return_inverse=True)[1]


@dataclass(frozen=True, eq=False)
class Ordinal:
    """Four categories with an effect of ``treated`` and an intercept that varies; `steps` says by stopping at each."""

    design: pd.DataFrame
    priors: dict[str, str]
    steps: bool
    bars: tuple[Bar, ...] = (Bar("g", ("1",)),)

    def draw_parameters(self, rng: np.random.Generator) -> Values:
        """Every parameter, the effects of groups included, from its prior."""
        _, (size,) = numbers(self.priors["Intercept"])
        chances = rng.dirichlet(np.full(CATEGORIES, size))
        reached = 1.0 - np.append(0.0, np.cumsum(chances)[:-1])
        shares = chances[:-1] / reached[:-1] if self.steps else np.cumsum(chances)[:-1]
        sd = draw(self.priors["sd(1|g)"], rng, 1)
        effects = draw_effects(sd, np.eye(1), self.design["g"].nunique(), rng)
        return {
            "Intercept": special.logit(shares)[None], "treated": draw(self.priors["treated"], rng, 1),
            "1|g_sigma": sd, "1|g": effects[None, :, 0],
        }  # fmt: skip

    def _chances(self, frame: pd.DataFrame, values: Values) -> np.ndarray:
        """Shape ``(draws, rows, categories)``."""
        treated = frame["treated"].to_numpy(dtype=float)
        eta = values["treated"][:, None] * treated + values["1|g"][:, _codes(frame)]
        inside = special.expit(values["Intercept"][:, None, :] - eta[:, :, None])
        ends = np.zeros((*eta.shape, 1)), np.ones((*eta.shape, 1))
        if not self.steps:
            return np.diff(np.concatenate([ends[0], inside, ends[1]], axis=2), axis=2)
        reached = np.cumprod(np.concatenate([ends[1], 1.0 - inside], axis=2), axis=2)
        return reached * np.concatenate([inside, ends[1]], axis=2)

    def simulate_response(self, values: Values, rng: np.random.Generator) -> pd.DataFrame:
        """The design with a response ``y``, an ordered factor that may lack some categories."""
        ends = np.cumsum(self._chances(self.design, values)[0], axis=1)[:, :-1]
        places = (rng.random((len(self.design), 1)) > ends).sum(axis=1)
        levels = ["a", "b", "c", "d"]
        return self.design.assign(y=pd.Categorical.from_codes(places, levels, ordered=True))

    def log_likelihood(self, frame: pd.DataFrame, values: Values) -> np.ndarray:
        """The log likelihood of the response in `frame`, shape ``(draws,)``."""
        places = frame["y"].cat.codes.to_numpy()
        return np.asarray(np.log(self._chances(frame, values)[:, np.arange(len(frame)), places]).sum(axis=1))


@dataclass(frozen=True, eq=False)
class Unordered:
    """Three categories, two of them with an intercept, an effect and effects of groups, which go together."""

    design: pd.DataFrame
    priors: dict[str, str]
    bars: tuple[Bar, ...] = (Bar("g", tuple(f"{name}_1" for name in NAMES)),)

    def draw_parameters(self, rng: np.random.Generator) -> Values:
        """Every parameter, the effects of groups included, from its prior."""
        values = {f"{name}_{term}": draw(self.priors[f"{name}_{term}"], rng, 1)
                  for name in NAMES for term in ("Intercept", "treated")}  # fmt: skip
        sds = [draw(self.priors[f"sd({name}_1|g)"], rng, 1) for name in NAMES]
        matrix = draw_correlations(self.priors["cor(g)"], rng, 2)
        effects = draw_effects(np.concatenate(sds), matrix, self.design["g"].nunique(), rng)
        values |= {f"{name}_1|g_sigma": sd for name, sd in zip(NAMES, sds, strict=True)}
        values |= {f"{name}_1|g": effects[None, :, place] for place, name in enumerate(NAMES)}
        return values | {"mub_1+muc_1|g_cor": matrix[1, 0] * np.ones((1, 1))}

    def _chances(self, frame: pd.DataFrame, values: Values) -> np.ndarray:
        treated = frame["treated"].to_numpy(dtype=float)
        etas = [values[f"{name}_Intercept"][:, None] + values[f"{name}_treated"][:, None] * treated
                + values[f"{name}_1|g"][:, _codes(frame)] for name in NAMES]  # fmt: skip
        return np.asarray(special.softmax(np.stack([np.zeros_like(etas[0]), *etas], axis=2), axis=2))

    def simulate_response(self, values: Values, rng: np.random.Generator) -> pd.DataFrame:
        """The design with a response ``y``, of text."""
        ends = np.cumsum(self._chances(self.design, values)[0], axis=1)[:, :-1]
        places = (rng.random((len(self.design), 1)) > ends).sum(axis=1)
        return self.design.assign(y=pd.Categorical.from_codes(places, ["a", "b", "c"]))

    def log_likelihood(self, frame: pd.DataFrame, values: Values) -> np.ndarray:
        """The log likelihood of the response in `frame`, shape ``(draws,)``."""
        places = frame["y"].cat.codes.to_numpy()
        return np.asarray(np.log(self._chances(frame, values)[:, np.arange(len(frame)), places]).sum(axis=1))
