"""The pictures of a fit: one door to all of them."""

from __future__ import annotations

import numpy as np

from hiermod.answers.averaging.columns import levels_of
from hiermod.modeling.pooled import BetaSpec
from hiermod.modeling.spec import Spec
from hiermod.show.answer_plot import plot_answer
from hiermod.show.prior_plots import plot_implied
from hiermod.show.shrinkage_plot import plot_shrinkage
from hiermod.show.style import COLOURS
from hiermod.show.trace_plot import plot_trace

__all__ = ["default_by", "plot_answer", "plot_implied", "plot_shrinkage", "plot_trace"]

MAX_CELLS = 60


def default_by(spec: Spec | BetaSpec) -> tuple[str, ...]:
    """The variables that a forest of rates shows by default: groups first, predictors with few levels after them.

    Predictors come before groups where there is no room for all; without any, the smallest group is shown whole.
    """
    formula = spec.formula
    shown = [name for name in spec.cells.frame if name not in spec.cells.averaged]
    variables = [name for name in formula.common_columns if name in shown]
    groups = [name for name in formula.grouping_columns if name not in variables]
    sizes = {name: len(levels_of(spec, name)) for name in [*variables, *groups]}
    few = [name for name in variables if sizes[name] <= len(COLOURS)]
    chosen: list[str] = []
    for name in [*few, *sorted(groups, key=lambda name: sizes[name])]:
        if np.prod([sizes[other] for other in (*chosen, name)]) <= MAX_CELLS:
            chosen.append(name)
    if not chosen and groups:
        chosen = [min(groups, key=lambda name: sizes[name])]
    return tuple(name for name in [*groups, *few] if name in chosen)
