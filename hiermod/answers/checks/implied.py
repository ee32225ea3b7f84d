"""What a prior says on the response scale: of a row's expected response, and of the effect of each variable."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from hiermod.answers.answer import Measure, category_word, measure_of
from hiermod.answers.averaging.columns import MAX_ARMS, check_column, levels_of
from hiermod.answers.averaging.query import Arguments, read_effect
from hiermod.answers.estimands.effects import compare_arms
from hiermod.answers.outcome import read_functional
from hiermod.answers.reader import in_blocks, reader
from hiermod.data.columns.predictors import Factor
from hiermod.errors import visible
from hiermod.families.functionals import Functional
from hiermod.modeling.protocol import ModelSpec
from hiermod.sampling.posterior import Posterior
from hiermod.tabular import Tabular
from hiermod.terminal import lines_of, width

QUANTILES = {"q2.5": 0.025, "q25": 0.25, "q50": 0.5, "q75": 0.75, "q97.5": 0.975}
RARE = 0.01  # a rate that is nearly none, or short of all by this


@dataclass(frozen=True, eq=False)
class Implied(Tabular):
    """Draws of quantities on the response scale, by name, and their quantiles.

    Parameters
    ----------
    draws : dict of numpy.ndarray
        Independent draws of each quantity.
    table : pandas.DataFrame
        A row per quantity: ``q2.5, q25, q50, q75, q97.5``; of rates also the chances ``below_1%, above_99%``.
    measure : Measure
        What a response is; of categories without an order, the chance of each.
    responses : int
        How many quantities, the first ones, are expected responses; the others are differences.
    """

    draws: dict[str, np.ndarray]
    table: pd.DataFrame
    measure: Measure
    responses: int = 1

    def __repr__(self) -> str:
        return lines_of(visible("\n".join(self._sentence(place) for place in range(len(self.table)))), width())

    def _sentence(self, place: int) -> str:
        row, effect = self.table.iloc[place], place >= self.responses
        unit = self._number
        text = (
            f"{self.table.index[place]}: {unit(row['q2.5'], effect)} to {unit(row['q97.5'], effect)} (95 %), "
            f"{unit(row['q25'], effect)} to {unit(row['q75'], effect)} (50 %)"
        )
        if self.measure.percent and not effect:
            text += f"; below 1 % or above 99 % with a chance of {row['below_1%'] + row['above_99%']:.0%}"
        return text

    def _number(self, value: float, effect: bool) -> str:
        if not self.measure.percent:
            return f"{value:.3g}"
        if effect:
            points = round(100 * value)
            return f"{points:+d} points" if points else "0 points"
        return "<0.01 %" if value < 1e-4 else ">99.99 %" if value > 0.9999 else f"{100 * value:.3g} %"


def implied(posterior: Posterior, variable: str | None = None) -> Implied:
    """The expected response of a row of the data, drawn at random, and the difference that each variable makes.

    Parameters
    ----------
    posterior : Posterior
        Of draws from the prior.
    variable : str, optional
        Whose levels are compared; otherwise each 0/1, boolean or categorical predictor.

    Raises
    ------
    AnswerError
        If there is no such variable, or it has too many levels.
    """
    spec, outcomes = posterior.spec, _outcomes(posterior.spec)
    functionals = [read_functional(spec, outcome) for outcome in outcomes]
    measures = [measure_of(spec, functional) for functional in functionals]
    draws = {
        measure.name: _of_rows(posterior, own) for measure, own in zip(measures, functionals, strict=True)
    }  # fmt: skip
    names = compared(spec) if variable is None else (check_column(spec, variable, "variable"),)
    for name, outcome in itertools.product(names, outcomes):
        arms = compare_arms(posterior, read_effect(spec, Arguments(name, outcome=outcome)))
        of = f": {outcome}" if len(outcomes) > 1 else ""
        for place in range(1, len(arms.levels)):
            label = f"{name}, {arms.levels[place]} vs {arms.levels[0]}{of}"
            draws[label] = arms.draws[0, place] - arms.draws[0, 0]
    table = {label: np.quantile(own, [*QUANTILES.values()]) for label, own in draws.items()}
    frame = pd.DataFrame.from_dict(table, orient="index", columns=[*QUANTILES])
    if measures[0].percent:
        frame["below_1%"], frame["above_99%"] = np.nan, np.nan
        for measure in measures:
            rates = draws[measure.name]
            frame.loc[measure.name, "below_1%"] = (rates < RARE).mean()
            frame.loc[measure.name, "above_99%"] = (rates > 1.0 - RARE).mean()
    several = f"chance of each {category_word(spec.formula.response)}"
    measure = measures[0] if len(measures) == 1 else replace(measures[0], name=several)
    return Implied(draws, frame, measure, len(measures))


def _outcomes(spec: ModelSpec) -> tuple[Any, ...]:
    """What is looked at: the mean; of categories the mean score, or the chance of each where they have no order."""
    if not spec.family.categories:
        return (None,)
    return spec.family.categories if spec.family.kind == "category" else ("mean",)


def compared(spec: ModelSpec) -> tuple[str, ...]:
    """The predictors whose levels are arms: categorical, boolean and 0/1 columns of common terms."""
    if not spec.predictors:
        return ()
    own = [name for name in spec.formula.common_columns if name in spec.cells.frame]
    return tuple(name for name in own if name not in spec.cells.averaged and _has_arms(spec, name))


def _has_arms(spec: ModelSpec, name: str) -> bool:
    levels = levels_of(spec, name)
    is_factor = isinstance(spec.cells.predictors.get(name), Factor)
    return 1 < len(levels) <= MAX_ARMS if is_factor else {*levels} == {0, 1}


def _of_rows(posterior: Posterior, outcome: Functional) -> np.ndarray:
    """The expected response of one row in each draw, chosen with the weight of its cell."""
    cells, draws = posterior.spec.cells, posterior.size
    if cells.averaged and cells.rows_kept:
        frame, weight = cells.observations()[0], cells.response.row_times
    else:
        frame, weight = cells.frame, cells.response.weight
    rng = posterior.generator(2001)
    row = rng.choice(len(frame), draws, p=weight / weight.sum())
    which, place = np.unique(row, return_inverse=True)
    model = reader(posterior, outcome=outcome)
    found = np.empty(draws)
    first = 0
    for block in in_blocks(frame.iloc[which], draws):
        own = np.flatnonzero((place >= first) & (place < first + len(block)))
        found[own] = model.mean(block)[place[own] - first, own]
        first += len(block)
    return found
