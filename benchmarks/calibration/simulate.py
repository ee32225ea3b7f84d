"""Parameters from their priors and data from parameters, written after the model's definition and without hiermod.

Values are named as in a posterior and have one leading axis, of draws; a truth has one draw.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from benchmarks.calibration.priors import draw, draw_correlations
from benchmarks.calibration.responses import INVERSE_LINKS, RESPONSES

Values = dict[str, np.ndarray]


@dataclass(frozen=True)
class Bar:
    """The terms that vary by a group; ``"1"`` is the intercept."""

    group: str
    terms: tuple[str, ...]
    correlated: bool = True

    @property
    def effects(self) -> tuple[str, ...]:
        """The names of its effects: ``1|g``, ``x|g``."""
        return tuple(f"{term}|{self.group}" for term in self.terms)

    @property
    def correlations(self) -> str:
        """The name of its correlations: ``1+x|g_cor``."""
        return f"{'+'.join(self.terms)}|{self.group}_cor"


@dataclass(frozen=True, eq=False)
class Likelihood:
    """What a linear predictor is to the response: family, link, and the columns of trials and of exposure."""

    family: str
    link: str
    trials: str | None = None
    exposure: str | None = None


@dataclass(frozen=True, eq=False)
class Definition:
    """A model in plain words, beside the formula that says the same to hiermod; `design` has its predictors."""

    common: tuple[str, ...]
    bars: tuple[Bar, ...]
    likelihood: Likelihood
    priors: dict[str, str]
    design: pd.DataFrame

    def draw_parameters(self, rng: np.random.Generator) -> Values:
        """Every parameter, the effects of groups included, from its prior."""
        return draw_parameters(self, rng)

    def simulate_response(self, values: Values, rng: np.random.Generator) -> pd.DataFrame:
        """The design with a response ``y``."""
        return simulate_response(self, values, rng)

    def log_likelihood(self, frame: pd.DataFrame, values: Values) -> np.ndarray:
        """The log likelihood of the response in `frame`, shape ``(draws,)``."""
        return log_likelihood(self, frame, values)

    def levels(self, column: str) -> np.ndarray:
        """The levels of a column of text, in their order."""
        return np.unique(self.design[column].to_numpy(dtype=str))

    def columns(self, term: str, frame: pd.DataFrame) -> np.ndarray:
        """A term's columns on `frame`: ones, a number, or indicators of all levels but the first."""
        if term == "1":
            return np.ones((len(frame), 1))
        if pd.api.types.is_numeric_dtype(self.design[term]):
            return frame[term].to_numpy(dtype=float)[:, None]
        return (frame[term].to_numpy(dtype=str)[:, None] == self.levels(term)[1:]).astype(float)

    def is_factor(self, term: str) -> bool:
        """Whether a term stands for several columns."""
        return term != "1" and not pd.api.types.is_numeric_dtype(self.design[term])

    def trials(self, frame: pd.DataFrame) -> np.ndarray:
        """The trials of each row; 1 where the response has none."""
        name = self.likelihood.trials
        return frame[name].to_numpy() if name else np.ones(len(frame), dtype=int)

    def own(self, values: Values) -> list[np.ndarray]:
        """The family's own parameters, to broadcast with ``(draws, rows)``."""
        return [values[name][:, None] for name in RESPONSES[self.likelihood.family].own]


class Censored(Definition):
    """Responses that are watched up to a row's `trials`; ``seen`` is 1 where one ended before."""

    def simulate_response(self, values: Values, rng: np.random.Generator) -> pd.DataFrame:
        """The design with a response ``y``, at most the last look at it, and ``seen``."""
        frame = simulate_response(self, values, rng)
        return frame.assign(seen=(frame["y"] < self.trials(frame)).astype(int))


def coefficient_name(term: str) -> str:
    """The name of a term's coefficient in a posterior and among priors."""
    return "Intercept" if term == "1" else term


def draw_parameters(model: Definition, rng: np.random.Generator) -> Values:
    """Draw every parameter, the effects of groups included, from its prior."""
    values: Values = {}
    for term in model.common:
        size = (1, model.columns(term, model.design).shape[1]) if model.is_factor(term) else 1
        values[coefficient_name(term)] = draw(model.priors[coefficient_name(term)], rng, size)
    values["Intercept"] = values["Intercept"] - _at_means(model, values)
    for name in RESPONSES[model.likelihood.family].own:
        values[name] = draw(model.priors[name], rng, 1)
    for bar in model.bars:
        values |= _draw_bar(model, bar, rng)
    return values


def _at_means(model: Definition, values: Values) -> np.ndarray:
    """What numeric predictors add at their means, where an intercept's prior is stated; 0/1 ones stay at 0."""
    total, weight = np.zeros(1), model.trials(model.design)
    for term in model.common:
        if term == "1" or model.is_factor(term):
            continue
        column = model.columns(term, model.design)[:, 0]
        if not np.isin(column, (0.0, 1.0)).all():
            total = total + np.average(column, weights=weight) * values[term]
    return total


def _draw_bar(model: Definition, bar: Bar, rng: np.random.Generator) -> Values:
    widths = [model.columns(term, model.design).shape[1] for term in bar.terms]
    sds = [draw(model.priors[f"sd({name})"], rng, width) for name, width in zip(bar.effects, widths, strict=True)]
    size, values = sum(widths), {}
    matrix = np.eye(size)
    if bar.correlated and size > 1:
        matrix = draw_correlations(model.priors[f"cor({bar.group})"], rng, size)
        values[bar.correlations] = matrix[np.tril_indices(size, -1)][None, :]
    effects = draw_effects(np.concatenate(sds), matrix, len(model.levels(bar.group)), rng)
    parts = np.split(effects, np.cumsum(widths)[:-1], axis=1)
    for term, name, sd, part in zip(bar.terms, bar.effects, sds, parts, strict=True):
        several = model.is_factor(term)
        values[f"{name}_sigma"] = sd[None, :] if several else sd
        values[name] = part[None, :, :] if several else part[None, :, 0]
    return values


def draw_effects(sds: np.ndarray, correlations: np.ndarray, groups: int, rng: np.random.Generator) -> np.ndarray:
    """The effects of groups, multivariate normal, shape ``(groups, columns)``."""
    return rng.multivariate_normal(np.zeros(len(sds)), np.outer(sds, sds) * correlations, groups, method="eigh")


def predictor(model: Definition, frame: pd.DataFrame, values: Values, exposed: bool = True) -> np.ndarray:
    """The linear predictor, shape ``(draws, rows)``; with the logarithm of exposure where there is one."""
    coefficients = [values[coefficient_name(term)] for term in model.common]
    total = _combined(model, model.common, coefficients, frame, 1)
    for bar in model.bars:
        codes = np.searchsorted(model.levels(bar.group), frame[bar.group].to_numpy(dtype=str))
        own = [values[name][:, codes] for name in bar.effects]
        total = total + _combined(model, bar.terms, own, frame, len(frame))
    name = model.likelihood.exposure
    return total + np.log(frame[name].to_numpy(dtype=float)) if name and exposed else total


def _combined(
    model: Definition, terms: Sequence[str], coefficients: Sequence[np.ndarray], frame: pd.DataFrame, rows: int
) -> np.ndarray:
    """The sum of columns times their coefficients, of which there are 1 for all rows, or one for each of `rows`."""
    total = np.zeros((1, len(frame)))
    for term, own in zip(terms, coefficients, strict=True):
        total = total + (own.reshape(len(own), rows, -1) * model.columns(term, frame)).sum(axis=-1)
    return total


def mean_response(model: Definition, frame: pd.DataFrame, values: Values, exposed: bool = True) -> np.ndarray:
    """The inverse link of the linear predictor, shape ``(draws, rows)``."""
    return INVERSE_LINKS[model.likelihood.link](predictor(model, frame, values, exposed))


def expected_response(model: Definition, frame: pd.DataFrame, values: Values, exposed: bool = True) -> np.ndarray:
    """The same where the family's own parameters change it, as a share of further zeros does."""
    expected = RESPONSES[model.likelihood.family].expected
    return expected(mean_response(model, frame, values, exposed), *model.own(values))


def simulate_response(model: Definition, values: Values, rng: np.random.Generator) -> pd.DataFrame:
    """The design with a response ``y`` drawn for one draw of the parameters."""
    mean = mean_response(model, model.design, values)
    response = RESPONSES[model.likelihood.family].random(rng, mean, model.trials(model.design), *model.own(values))
    return model.design.assign(y=response[0])


def log_likelihood(model: Definition, frame: pd.DataFrame, values: Values) -> np.ndarray:
    """The log likelihood of the response in `frame`, shape ``(draws,)``."""
    mean = mean_response(model, frame, values)
    density = RESPONSES[model.likelihood.family].log_density
    return density(frame["y"].to_numpy(), mean, model.trials(frame), *model.own(values)).sum(axis=1)
