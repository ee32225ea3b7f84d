"""Experiments to simulate for `plan`: the design, true values, and the model that is fitted to responses."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from hiermod.answers.group_effects import read_groups
from hiermod.answers.outcome import read_outcome
from hiermod.data.sources.frames import column_names, read_columns
from hiermod.errors import AnswerError, ModelError, did_you_mean
from hiermod.families.probes import PROBES
from hiermod.families.rates import BINOMIAL
from hiermod.families.record import Family
from hiermod.families.registry import known, read_family
from hiermod.formula.expressions import Column, quote
from hiermod.formula.nodes import Formula, SingleResponse
from hiermod.formula.parser import parse
from hiermod.interface.fit import Fit
from hiermod.modeling.definition import Definition, define
from hiermod.modeling.spec import Spec
from hiermod.sampling.diagnostics import diagnose
from hiermod.sampling.posterior import Posterior
from hiermod.sampling.settings import Settings
from hiermod.sampling.truths import true_values

if TYPE_CHECKING:
    import pandas as pd

SUCCESSES, TRIALS = "successes", "trials"


@dataclass(frozen=True, eq=False)
class Scenario:
    """Experiments to simulate: true values, a row of the design for each cell, and how the results are fitted.

    `columns` are those of successes and trials, or that of the one response of a row.
    """

    truth: Posterior
    design: pd.DataFrame
    definition: Definition
    columns: tuple[str, ...]
    settings: Settings


def of_fit(fit: Fit, data: Any, settings: Settings, simulations: int, rng: np.random.Generator) -> Scenario:
    """Experiments like the one of a fit, with true values from its posterior."""
    posterior, definition = fit._posterior, fit._defined.definition
    if reason := posterior.spec.refuses("plan"):
        raise ModelError(reason)
    formula, spec = posterior.spec.formula, posterior.spec
    total = posterior.size
    places = rng.choice(total, simulations, replace=simulations > total)
    stacked = posterior.dataset.stack(sample=("chain", "draw")).isel(sample=places)
    chosen = stacked.drop_vars(["sample", "chain", "draw"]).rename(sample="draw").expand_dims(chain=[0])
    chosen = chosen.transpose("chain", "draw", ...).assign_coords(draw=np.arange(simulations))
    tree = xr.DataTree.from_dict({"posterior": chosen, "sample_stats": xr.Dataset()})
    truth = Posterior(spec, tree, replace(settings, draws=simulations, chains=1), diagnose(tree))
    design = _own_design(fit, formula) if data is None else _design(data, formula)
    return _scenario(truth, design, replace(definition, family=str(spec.family)), formula, settings)


def _own_design(fit: Fit, formula: Formula) -> pd.DataFrame:
    needed, frame = _needed(formula), fit._posterior.spec.cells.frame
    missing = [name for name in needed if name not in frame or name in fit._posterior.spec.cells.averaged]
    if missing:
        raise AnswerError(f"The cells of this fit do not hold {missing[0]!r}, so the design is needed: data=frame.")
    return frame[needed].drop_duplicates().reset_index(drop=True)


def of_formula(
    text: str, data: Any, family: str, priors: Any, truth: Mapping[str, float | str], settings: Settings,
    simulations: int, rng: np.random.Generator,
) -> Scenario:  # fmt: skip
    """Experiments of a formula, with true values that are given or come from its priors."""
    formula = parse(text)
    if data is None:
        raise AnswerError("plan() needs the design: data=, a frame with a row for each cell of the experiment.")
    design, columns = _design(data, formula), _columns(formula, family)
    definition = Definition(_text(formula, columns), _fitted(read_family(family)), dict(priors or {}))
    filler = design.assign(**{name: place + 1 for place, name in enumerate(columns)})  # one success in two trials
    if len(columns) == 1:
        low, high = PROBES[read_family(family).kind][1:3]
        filler = filler.assign(**{columns[0]: np.where(np.arange(len(filler)) % 2, low[0], high[0])})
    spec = define(definition, filler).spec
    assert isinstance(spec, Spec)
    return _scenario(true_values(spec, truth, simulations, rng), design, definition, formula, settings)


def _needed(formula: Formula) -> list[str]:
    return list(dict.fromkeys([*formula.predictor_columns, *formula.grouping_columns]))


def _design(data: Any, formula: Formula) -> pd.DataFrame:
    needed = _needed(formula)
    for name in needed:
        if name not in column_names(data):
            raise AnswerError(f"The design has no column {name!r}.{did_you_mean(name, column_names(data))}")
    return read_columns(data, tuple(needed), formula)


def _columns(formula: Formula, family: str) -> tuple[str, ...]:
    """The columns that simulated responses are written to."""
    if read_family(family).is_rate:
        taken = set(_needed(formula))
        return tuple(name if name not in taken else f"{name}_" for name in (SUCCESSES, TRIALS))
    response = formula.response
    if not isinstance(response, SingleResponse) or not isinstance(response.expression, Column):
        raise AnswerError(f"Responses are simulated as they are: write a column instead of {response}.")
    return (response.expression.name,)


def _text(formula: Formula, columns: tuple[str, ...]) -> str:
    """The formula with the columns of simulated responses on its left."""
    left = "/".join(quote(name) for name in columns)
    right = " + ".join([*formula.common_part(), *map(str, formula.groups)])
    return f"{left} ~ {right}"


def _scenario(
    truth: Posterior, design: pd.DataFrame, definition: Definition, formula: Formula, settings: Settings
) -> Scenario:
    family = truth.spec.family
    if family.statistic == "pairs":
        simulated = [record.name for record in known().values() if record.statistic != "pairs"]
        raise AnswerError(f"plan() simulates the families {', '.join(simulated)}, not {family}.")
    if not (outcome := read_outcome(truth.spec, None, read_groups(truth.spec, "observed"))).has_mean:
        raise AnswerError(f"plan() weighs expected losses. {outcome.remark}")
    columns = _columns(formula, family.name)
    definition = replace(definition, formula=_text(formula, columns), family=_fitted(family))
    return Scenario(truth, design, definition, columns, settings)


def _fitted(family: Family) -> str:
    """Single trials are simulated as successes out of several."""
    return str(replace(BINOMIAL, link=family.link)) if family.statistic == "trials" else str(family)
