"""Whether the arms of a fit have the sizes that their assignment should have given them."""

from __future__ import annotations

from typing import Any

import numpy as np

from hiermod.answers.sample_ratio import ALARM, expected_shares, p_value_of, said
from hiermod.data.levels import code_levels, encode
from hiermod.data.statistics import CountCells
from hiermod.sampling.posterior import Posterior

BY_DESIGN = "If that is by design, say so: expected={{{}}}, with the share that each level was to have."


def mismatch(posterior: Posterior, variable: str, expected: Any) -> str:
    """A warning where the fitted units of each level are not what the shares give; else nothing.

    Units are trials or rows. Where the response is counted over an exposure nobody knows them, and none is tested.
    """
    cells = posterior.spec.cells
    if variable not in cells.frame or isinstance(cells.response, CountCells):
        return ""
    codes, found = code_levels(variable, cells.frame[variable])
    levels, shares = expected_shares(expected, found, variable)
    units = np.rint(cells.response.weight).astype(np.int64)
    counts = np.bincount(encode(list(found), levels)[codes], units, len(levels)).astype(np.int64)
    p_value, method = p_value_of(counts, shares)
    if p_value >= ALARM:
        return ""
    warning = said(variable, levels, counts, shares, p_value, method, {})
    return f"Sample-ratio mismatch. {warning} {BY_DESIGN.format(f'{levels[0]!r}: …')}"
