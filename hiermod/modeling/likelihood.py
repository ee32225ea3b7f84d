"""The likelihood of cells: exactly that of their rows, up to a constant."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pymc as pm
import pytensor.tensor as pt

from hiermod.data.statistics import BinomialCells, CountCells, RealCells
from hiermod.modeling.families import Family
from hiermod.modeling.links import Link
from hiermod.modeling.observed import Observed

ROOT_HALF = float(np.sqrt(0.5))
LogRates = Callable[[Any], tuple[Any, Any]]


def _logit(eta: Any) -> tuple[Any, Any]:
    return -pt.softplus(-eta), -pt.softplus(eta)


def _probit(eta: Any) -> tuple[Any, Any]:
    return _log_normal_cdf(eta), _log_normal_cdf(-eta)


def _log_normal_cdf(eta: Any) -> Any:
    """PyMC's `normal_lcdf` takes the root of 2 in single precision; each branch is held where it is finite."""
    low, high = pt.minimum(eta, -1.0), pt.maximum(eta, -1.0)
    tail = pt.log(pt.erfcx(-low * ROOT_HALF) / 2.0) - low**2 / 2.0
    return pt.switch(eta < -1.0, tail, pt.log1p(-pt.erfc(high * ROOT_HALF) / 2.0))


def _cloglog(eta: Any) -> tuple[Any, Any]:
    """Below -20 the logarithm's first two terms are exact; the hazard stays below overflow."""
    low, high = pt.minimum(eta, -20.0), pt.clip(eta, -20.0, 700.0)
    log_success = pt.switch(eta < -20.0, low - pt.exp(low) / 2.0, pt.log(-pt.expm1(-pt.exp(high))))
    return log_success, -pt.exp(pt.minimum(eta, 700.0))


LOG_RATES: dict[str, LogRates] = {"logit": _logit, "probit": _probit, "cloglog": _cloglog}


def likelihood(name: str, family: Family, rows: Observed, eta: Any, auxiliary: Sequence[Any] = ()) -> None:
    """Register the observed response of each cell under `name`, given the linear predictor `eta` of all rows.

    `auxiliary` are the family's own parameters, in the order of ``family.auxiliary``.
    """
    match rows.cells.response:
        case BinomialCells(successes=successes, trials=trials):
            _observe_trials(name, family.link, successes, trials, eta)
        case CountCells(total=total, exposure=exposure):
            _observe_counts(name, total, exposure, eta)
        case RealCells() as response:
            _observe_reals(name, rows, response, eta, *auxiliary)


def _observe_trials(name: str, link: Link, successes: np.ndarray, trials: np.ndarray, eta: Any) -> None:
    """Successes by the logarithms of both rates, which stay finite where a rate rounds to 0 or 1."""

    def logp(value: Any, predictor: Any, count: Any) -> Any:
        log_success, log_failure = LOG_RATES[link.name](predictor)
        return value * log_success + (count - value) * log_failure

    def random(predictor: Any, count: Any, rng: np.random.Generator | None = None, size: Any = None) -> np.ndarray:
        generator = rng or np.random.default_rng()
        return generator.binomial(count.astype(np.int64), link.inverse(predictor), size=size)

    pm.CustomDist(
        name, eta, trials, logp=logp, random=random, observed=successes, dims="__obs__", dtype="float64",
        signature="(),()->()",
    )  # fmt: skip


def _observe_counts(name: str, total: np.ndarray, exposure: np.ndarray, eta: Any) -> None:
    """Sums of counts by the logarithm of their rate, which stays finite where the rate rounds to 0."""

    def logp(value: Any, predictor: Any, units: Any) -> Any:
        return value * (predictor + pt.log(units)) - units * pt.exp(predictor) - pt.gammaln(value + 1.0)

    def random(predictor: Any, units: Any, rng: np.random.Generator | None = None, size: Any = None) -> np.ndarray:
        generator = rng or np.random.default_rng()
        return generator.poisson(units * np.exp(predictor), size=size)

    pm.CustomDist(
        name, eta, exposure, logp=logp, random=random, observed=total, dims="__obs__", dtype="float64",
        signature="(),()->()",
    )  # fmt: skip


def _observe_reals(name: str, rows: Observed, response: RealCells, eta: Any, sigma: Any) -> None:
    """The mean of a cell is Normal; the squares within cells stand beside it, as one potential."""
    cells = len(rows.cells)
    mean = eta[:cells] if len(rows) > cells else eta
    pm.Normal(name, mu=mean, sigma=sigma / np.sqrt(response.weight), observed=response.mean, dims="__obs__")
    freedom = float((response.weight - 1).sum())
    if freedom:
        squares = ((rows.response - eta[cells:]) ** 2).sum() if len(rows) > cells else float(response.within.sum())
        pm.Potential(f"{name}_within", -freedom * pt.log(sigma) - squares / (2.0 * sigma**2))
