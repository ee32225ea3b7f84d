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


def thresholds(family: str, chances: np.ndarray) -> np.ndarray:
    """Those under which, at a predictor of 0, categories have these chances."""
    stops = chances[:-1] / (1.0 - np.append(0.0, np.cumsum(chances)[:-2]))
    match family:
        case "cumulative":
            return np.asarray(special.logit(np.cumsum(chances)[:-1]))
        case "sratio":
            return np.asarray(special.logit(stops))
        case "cratio":  # by a complementary log-log
            return np.asarray(-np.log(-np.log(stops)))
        case _:
            return np.asarray(np.log(chances[:-1] / chances[1:]))


def chances_of(family: str, away: np.ndarray) -> np.ndarray:
    """Of categories, the last axis, by thresholds less the predictor."""
    none, sure = np.zeros((*away.shape[:-1], 1)), np.ones((*away.shape[:-1], 1))
    if family == "cumulative":
        return np.diff(np.concatenate([none, special.expit(away), sure], axis=-1), axis=-1)
    if family == "acat":
        return np.asarray(special.softmax(np.concatenate([none, -np.cumsum(away, axis=-1)], axis=-1), axis=-1))
    stops = special.expit(away) if family == "sratio" else np.exp(-np.exp(-away))
    reached = np.cumprod(np.concatenate([sure, 1.0 - stops], axis=-1), axis=-1)
    return np.asarray(reached * np.concatenate([stops, sure], axis=-1))


@dataclass(frozen=True, eq=False)
class Ordinal:
    """Four categories with an effect of ``treated`` and an intercept that varies, of a family of ordered ones."""

    design: pd.DataFrame
    priors: dict[str, str]
    family: str
    bars: tuple[Bar, ...] = (Bar("g", ("1",)),)

    def draw_parameters(self, rng: np.random.Generator) -> Values:
        """Every parameter, the effects of groups included, from its prior."""
        _, (size,) = numbers(self.priors["Intercept"])
        chances = rng.dirichlet(np.full(CATEGORIES, size))
        sd = draw(self.priors["sd(1|g)"], rng, 1)
        effects = draw_effects(sd, np.eye(1), self.design["g"].nunique(), rng)
        return {
            "Intercept": thresholds(self.family, chances)[None], "treated": draw(self.priors["treated"], rng, 1),
            "1|g_sigma": sd, "1|g": effects[None, :, 0],
        }  # fmt: skip

    def _chances(self, frame: pd.DataFrame, values: Values) -> np.ndarray:
        """Shape ``(draws, rows, categories)``."""
        treated = frame["treated"].to_numpy(dtype=float)
        eta = values["treated"][:, None] * treated + values["1|g"][:, _codes(frame)]
        return chances_of(self.family, values["Intercept"][:, None, :] - eta[:, :, None])

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
