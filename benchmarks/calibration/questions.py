"""Questions that the public API answers, each with its true answer computed from the true parameters."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy import integrate, stats

from benchmarks.calibration.responses import INVERSE_LINKS
from benchmarks.calibration.simulate import Definition, Values, draw_effects, expected_response


@dataclass(frozen=True, eq=False)
class Question:
    """``ask(fit)`` gives draws with the dims ``chain, draw, row``; ``answer(model, values, rng)`` the true rows."""

    name: str
    ask: Callable[[Any], Any]
    answer: Callable[[Definition, Values, np.random.Generator], np.ndarray]


def rates(by: str) -> Question:
    """The mean response with a predictor at each of its levels, over all rows; counts are of a unit of exposure."""
    return Question(
        f"rate by {by}",
        lambda fit: fit.rates(by).draws,
        lambda model, values, _: np.array([_average(model, values, by, level) for level in _levels(model, by)]),
    )


def overall_rate() -> Question:
    """The mean response of all rows."""
    return Question(
        "overall rate",
        lambda fit: fit.rates().draws,
        lambda model, values, _: np.array([_mean(model, model.design, values)]),
    )


def effect(variable: str) -> Question:
    """The mean response of all rows with a 0/1 predictor at 1, less that with it at 0."""

    def answer(model: Definition, values: Values, rng: np.random.Generator) -> np.ndarray:
        return np.array([_average(model, values, variable, 1) - _average(model, values, variable, 0)])

    return Question(f"effect of {variable}", lambda fit: fit.effect(variable).draws, answer)


def _levels(model: Definition, name: str) -> list[Any]:
    return sorted(model.design[name].unique())


def _average(model: Definition, values: Values, name: str, level: Any) -> float:
    frame = model.design.assign(**{name: level})
    return _mean(model, frame, values)


def _mean(model: Definition, frame: pd.DataFrame, values: Values) -> float:
    mean = expected_response(model, frame, values, exposed=False)[0]
    return float(np.average(mean, weights=_weights(model, frame)))


def _weights(model: Definition, frame: pd.DataFrame) -> np.ndarray:
    """What a row weighs: its trials and its exposure."""
    return np.asarray(model.trials(frame) * (frame.get("exposure", 1.0)))


def population_rate() -> Question:
    """The mean rate over the population of groups, of a model with one varying intercept and no predictor."""

    def answer(model: Definition, values: Values, rng: np.random.Generator) -> np.ndarray:
        (sd,) = values[f"{model.bars[0].effects[0]}_sigma"]
        inverse = INVERSE_LINKS[model.likelihood.link]
        mean = float(values["Intercept"][0])
        value, _ = integrate.quad(lambda z: inverse(mean + sd * z) * stats.norm.pdf(z), -10.0, 10.0, epsabs=1e-10)
        return np.array([value])

    return Question("population rate", lambda fit: fit.rates(groups="population").draws, answer)


def new_response(slope: str, at: float) -> Question:
    """A gaussian response of a group that is not in the data, its predictor at a value beyond those of the design."""

    def ask(fit: Any) -> Any:
        return fit.predict(pd.DataFrame({slope: [at]}), kind="response", groups="new").draws

    def answer(model: Definition, values: Values, rng: np.random.Generator) -> np.ndarray:
        (bar,) = model.bars
        sds = np.concatenate([values[f"{name}_sigma"] for name in bar.effects])
        (correlation,) = values[bar.correlations][0]
        intercept, own_slope = draw_effects(sds, np.array([[1.0, correlation], [correlation, 1.0]]), 1, rng)[0]
        mean = values["Intercept"] + intercept + (values[slope] + own_slope) * at
        return rng.normal(mean, values["sigma"])

    return Question("response of a new group", ask, answer)
