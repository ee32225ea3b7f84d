"""New responses drawn from a family, given their means."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from hiermod.families.record import Family

LARGEST_MEAN = 9e18  # of a count that NumPy draws
SMALLEST_SHAPE = 1e-300  # of a Beta distribution; a rate that rounds to 0 has none


def draw_responses(
    family: Family, mean: np.ndarray, trials: Any, auxiliary: Sequence[Any], rng: np.random.Generator, size: Any = None
) -> np.ndarray:
    """Draw successes, counts or values.

    Parameters
    ----------
    family : Family
    mean : numpy.ndarray
        Expected responses; of rates, those of one trial.
    trials : numpy.ndarray
        How many trials each response has, where it has any. It and `auxiliary` broadcast against `mean`.
    auxiliary : sequence
        The family's own parameters, in the order of ``family.auxiliary``.
    rng : numpy.random.Generator
    size : tuple of int, optional
        The shape of what is drawn; that of `mean` and the parameters without it.
    """
    shape = np.broadcast_shapes(np.shape(mean), *map(np.shape, auxiliary)) if size is None else size
    match family.name:
        case "poisson":
            return _counts(mean, rng, shape)
        case "negbinomial":
            (alpha,) = auxiliary
            return _counts(mean * rng.standard_gamma(alpha, shape) / alpha, rng, shape)
        case "gaussian":
            return rng.normal(mean, auxiliary[0], shape)
        case "student":
            sigma, nu = auxiliary
            return mean + sigma * rng.standard_t(nu, shape)
        case "gamma":
            (alpha,) = auxiliary
            return mean * rng.standard_gamma(alpha, shape) / alpha
    rate = np.clip(mean, 0.0, 1.0)
    if family.name == "beta_binomial":
        (kappa,) = auxiliary
        successes, failures = (np.maximum(own * kappa, SMALLEST_SHAPE) for own in (rate, 1.0 - rate))
        rate = rng.beta(successes, failures, shape)
    return rng.binomial(np.asarray(trials).astype(np.int64), rate, shape).astype(float)


def _counts(mean: np.ndarray, rng: np.random.Generator, shape: Any) -> np.ndarray:
    return rng.poisson(np.minimum(mean, LARGEST_MEAN), shape).astype(float)
