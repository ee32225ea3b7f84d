"""What the data speak for: rows whose combination of predictors, or whose group, they say nothing about.

A row is estimable if its design is a combination of designs that were fitted, as emmeans has it (Searle, Speed and
Milliken 1980); and, where effects of groups are the observed ones, if its groups were fitted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

import numpy as np
import pandas as pd

from hiermod.answers.group_effects import Groups, Reading
from hiermod.answers.reader import by_model
from hiermod.modeling.spec import Spec
from hiermod.sampling.posterior import Posterior

TOLERANCE = 1e-6  # of what a row's design adds up to in a direction about which the data say nothing


def estimable_rows(
    posterior: Posterior, groups: Groups, frame: pd.DataFrame, changed: Iterable[str] = (),
    needs: Callable[[str], bool] = lambda name: True,
) -> np.ndarray | None:  # fmt: skip
    """Which rows the data speak for; None if all of them.

    `changed` are the columns to which rows were set; `needs` says whether a parameter plays a part.
    """
    spec = posterior.spec
    if not posterior.informed:
        return None
    known = by_model(spec, linear=lambda linear: _in_row_space(linear, frame, needs), pooled=lambda _: None)
    for grouping in spec.cells.groupings.values():
        if groups[grouping.name] is Reading.OBSERVED and not set(grouping.columns).isdisjoint(changed):
            seen = grouping.codes(frame) >= 0
            known = seen if known is None else known & seen
    return None if known is None or known.all() else known


def _in_row_space(spec: Spec, frame: pd.DataFrame, needs: Callable[[str], bool]) -> np.ndarray | None:
    designs = {
        name: np.hstack([block.matrix(frame) for block in spec.predictors[name].common.blocks])
        for name, unseen in spec.unseen_directions.items()
        if unseen.shape[1] and needs(name)
    }
    return estimable_designs(spec, designs, len(frame)) if designs else None


def estimable_designs(spec: Spec, designs: Mapping[str, np.ndarray], rows: int) -> np.ndarray:
    """Which rows of common columns, or of their derivatives, are combinations of rows that were fitted.

    `designs` are by the parameter of their linear predictor; all of them have to be.
    """
    known = np.ones(rows, dtype=bool)
    for name, design in designs.items():
        unseen = spec.unseen_directions[name]
        known &= (np.abs(design @ unseen) <= TOLERANCE * (np.abs(design) @ np.abs(unseen))).all(axis=1)
    return known
