"""The functions that densities are written in, of PyTensor's variables."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytensor.tensor as pt

from hiermod.families.ops import Ops

ROOT_HALF = float(np.sqrt(0.5))


def _const(number: Any) -> Any:
    """PyTensor takes a plain 3.0 for a single, and computes its logarithm in single precision."""
    return pt.constant(np.float64(number))


def _log_ndtr(x: Any) -> Any:
    """PyMC's `normal_lcdf` takes the root of 2 in single precision; each branch is held where it is finite."""
    low, high = pt.minimum(x, -1.0), pt.maximum(x, -1.0)
    tail = pt.log(pt.erfcx(-low * ROOT_HALF) / 2.0) - low**2 / 2.0
    return pt.switch(x < -1.0, tail, pt.log1p(-pt.erfc(high * ROOT_HALF) / 2.0))


def _log_choose(trials: Any, successes: Any) -> Any:
    return pt.gammaln(trials + 1.0) - pt.gammaln(successes + 1.0) - pt.gammaln(trials - successes + 1.0)


PYTENSOR = Ops(
    const=_const, log=pt.log, exp=pt.exp, log1p=pt.log1p, expm1=pt.expm1, gammaln=pt.gammaln, softplus=pt.softplus,
    log_ndtr=_log_ndtr, log_choose=_log_choose, where=pt.switch, minimum=pt.minimum, maximum=pt.maximum, clip=pt.clip,
)  # fmt: skip
