"""Where a user's prior of the intercept stands: at the means of the numeric predictors, or where they are 0."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from hiermod.data.cells.table import Cells
from hiermod.formula.nodes import without_slash
from hiermod.modeling.coding import Column
from hiermod.modeling.density_rows import observe
from hiermod.modeling.design import CommonDesign
from hiermod.modeling.prior_keys import canonical_key
from hiermod.priors.distributions import Prior

FAR = 2.0  # standard deviations of a predictor, from which its mean is far from 0
DRAWS, SEED = 20_000, 1
IDLE = "intercept_at='zero' is of your prior of the intercept: the default stands at predictors' means"


def stated_columns(common: CommonDesign, user: Mapping[str, Any]) -> list[int]:
    """The columns of the intercept for which a user gives a prior, among all of the design."""
    block = common.intercept
    if block is None:
        return []
    stated = {canonical_key(str(key))[0] for key in user}
    kind = "Intercept" if block.parameter == "mu" else f"{block.parameter}: Intercept"
    names = [{without_slash(name), without_slash(block.name), kind} for name in block.row_names()]
    first = common.slices()[block.name].start
    return [first + place for place, keys in enumerate(names) if keys & stated]


def at_zero(common: CommonDesign, columns: list[int]) -> CommonDesign:
    """The design with the intercept where numeric predictors are 0."""
    shift = common.shift.copy()
    shift[columns] = 0.0
    moved = tuple(column for column in columns if common.shift[column].any())
    return replace(common, shift=shift, at_zero=moved)


def intercept_notices(
    common: CommonDesign, cells: Cells, priors: Mapping[str, tuple[Prior, ...]], stated: list[int], wanted: str
) -> list[str]:
    """Say what a user's prior of the intercept means where predictors are 0, if that is far from their means."""
    if wanted == "zero":
        return [IDLE] if not stated and _is_shifted(common) else []
    rows = observe(cells)
    far = {name: centre for name, centre in common.centres.items()
           if abs(centre) > FAR * rows.sd(Column((name,)), {})}  # fmt: skip
    moved = [column for column in stated if common.shift[column].any()]
    if not far or not moved:
        return []
    names = [name for block in common.blocks for name in block.row_names()]
    flat = [prior for block in common.blocks for prior in priors[block.name]]
    rng = np.random.default_rng(SEED)
    centred = np.stack([prior.draw(rng, (DRAWS,)) for prior in flat])
    coefficients = np.linalg.solve(np.eye(len(flat)) + common.shift, centred)
    here, there = (", ".join(f"{name} = {_number(value)}" for name, value in places.items())
                   for places in (far, dict.fromkeys(far, 0.0)))  # fmt: skip
    return [
        f"the prior of {names[column]!r}, {flat[column].describe()}, is of the intercept at {here} (means), where its "
        f"central 95 % are {_interval(*flat[column].central_interval())}; with the other priors that is "
        f"{_interval(*np.quantile(coefficients[column], [0.025, 0.975]))} at {there}, which intercept_at='zero' is for"
        for column in moved
    ]


def _is_shifted(common: CommonDesign) -> bool:
    block = common.intercept
    return block is not None and bool(common.shift[common.slices()[block.name]].any())


def _interval(low: float, high: float) -> str:
    return f"{_number(low)} to {_number(high)}"


def _number(value: float) -> str:
    """Four digits, without powers of ten as far as that is short."""
    return f"{float(f'{value:.4g}'):,.10g}"
