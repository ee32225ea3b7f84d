"""The likelihood of cells: exactly that of their rows, up to a constant."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pymc as pm
import pytensor.tensor as pt

from hiermod.data.cells.statistics import (
    BinomialCells,
    BoundedCells,
    CountCells,
    ErrorCells,
    MeasuredCells,
    PairCells,
    RealCells,
    ValueCells,
)
from hiermod.data.columns.bounds import EVENT, INTERVAL, LEFT, RIGHT
from hiermod.families.bounded import log_between, recorded
from hiermod.families.counts import log_total
from hiermod.families.ops import Ops
from hiermod.families.rates import log_kernel
from hiermod.families.record import Family
from hiermod.modeling.density_rows import Observed

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


FAR = 50.0  # from here on, the terms of the series below leave out less than 2e-14
TERMS = np.cumprod([1.0, *((2.0 * place - 1.0) ** 2 / (8.0 * place) for place in range(1, 9))])


def _log_i0(x: Any) -> Any:
    """By its series in 1/x where the function would overflow; each branch is held where it is finite."""
    small, large = pt.minimum(x, FAR), pt.maximum(x, FAR)
    total: Any = TERMS[-1]
    for term in TERMS[-2::-1]:
        total = total / large + term
    series = large - 0.5 * pt.log(_const(2.0 * np.pi) * large) + pt.log(total)
    return pt.switch(x < FAR, pt.log(pt.i0(small)), series)


PYTENSOR = Ops(
    const=_const, log=pt.log, exp=pt.exp, log1p=pt.log1p, expm1=pt.expm1, gammaln=pt.gammaln, softplus=pt.softplus,
    log_ndtr=_log_ndtr, erfcx=pt.erfcx, gammainc=pt.gammainc, gammaincc=pt.gammaincc, betainc=pt.betainc,
    cos=pt.cos, sin=pt.sin, arctan2=pt.arctan2, log_i0=_log_i0,
    log_choose=_log_choose, where=pt.switch, minimum=pt.minimum, maximum=pt.maximum, clip=pt.clip,
)  # fmt: skip


def likelihood(name: str, family: Family, rows: Observed, eta: Any, auxiliary: Sequence[Any] = ()) -> None:
    """Register the observed response of each cell under `name`, given the linear predictor `eta` of all rows.

    `auxiliary` are the family's own parameters, in the order of ``family.auxiliary``.
    """
    for segment in rows.segments:
        KERNELS[segment.kernel](name, family, rows, eta, auxiliary)


def _plain(name: str, family: Family, rows: Observed, eta: Any, auxiliary: Sequence[Any]) -> None:
    match rows.cells.response:
        case BinomialCells(successes=successes, trials=trials):
            _observe_trials(name, family, successes, trials, eta)
        case CountCells(total=total, exposure=exposure):
            _observe_counts(name, family, total, exposure, eta)
        case BoundedCells() as response:
            _observe_bounded(name, family, response, eta, auxiliary)
        case ValueCells(value=value, count=count):
            _observe_equal(name, family, value, np.ones(len(value)), count, eta, auxiliary)
        case PairCells(successes=successes, trials=trials, count=count):
            _observe_equal(name, family, successes, trials, count, eta, auxiliary)
        case ErrorCells(mean=value, error=error, count=count):
            _observe_equal(name, family, value, error, count, eta, auxiliary)
        case MeasuredCells() as response:
            _observe_measured(name, response, eta, auxiliary)
        case RealCells() as response:
            _observe_reals(name, rows, response, eta, *auxiliary)


KERNELS = {"plain": _plain}


def _observe_trials(name: str, family: Family, successes: np.ndarray, trials: np.ndarray, eta: Any) -> None:
    """Successes by the logarithms of both rates, which stay finite where a rate rounds to 0 or 1."""

    def logp(value: Any, predictor: Any, count: Any) -> Any:
        return log_kernel(PYTENSOR, value, count, family.linear(predictor))

    def random(predictor: Any, count: Any, rng: Any = None, size: Any = None) -> np.ndarray:
        return family.draw_responses(family.mean(predictor), count, (), _generator(rng), size)

    _observe(name, successes, (eta, trials), logp, random)


def _observe_counts(name: str, family: Family, total: np.ndarray, exposure: np.ndarray, eta: Any) -> None:
    """Sums of counts by the logarithm of their rate, which stays finite where the rate rounds to 0."""

    def logp(value: Any, predictor: Any, units: Any) -> Any:
        return log_total(PYTENSOR, value, units, family.linear(predictor))

    def random(predictor: Any, units: Any, rng: Any = None, size: Any = None) -> np.ndarray:
        return family.draw_responses(units * family.mean(predictor), 1, (), _generator(rng), size)

    _observe(name, total, (eta, exposure), logp, random)


def _observe_equal(
    name: str, family: Family, value: np.ndarray, trials: np.ndarray, times: np.ndarray, eta: Any,
    auxiliary: Sequence[Any],
) -> None:  # fmt: skip
    """Rows that are equal in their response too: the density of one, as often as it occurs; one of them is drawn."""

    def logp(value: Any, predictor: Any, trials: Any, times: Any, *auxiliary: Any) -> Any:
        response = (value, trials) if family.paired else (value,)
        return times * family.log_density(PYTENSOR, response, family.linear(predictor), *auxiliary)

    def random(
        predictor: Any, trials: Any, times: Any, *auxiliary: Any, rng: Any = None, size: Any = None
    ) -> np.ndarray:
        return family.draw_responses(family.drawn_by(predictor, *auxiliary), trials, auxiliary, _generator(rng), size)

    _observe(name, value, (eta, trials, times, *auxiliary), logp, random)


def _observe_bounded(name: str, family: Family, response: BoundedCells, eta: Any, auxiliary: Sequence[Any]) -> None:
    """Rows that may be censored or truncated, each kind by its own probability; an uncensored one is drawn."""
    base, count = family.base, response.count
    assert base is not None
    assert base.log_tails is not None
    tails = base.log_tails
    least, most = recorded(base, response.least, response.most)

    def logp(value: Any, predictor: Any, times: Any, *auxiliary: Any) -> Any:
        def parameters(rows: np.ndarray) -> list[Any]:
            predictors, *own = (pt.broadcast_to(part, (len(count),))[rows] for part in (predictor, *auxiliary))
            return [base.linear(predictors), *own]

        def at(numbers: np.ndarray, rows: np.ndarray) -> tuple[Any, Any]:
            return tails(PYTENSOR, (_const(numbers[rows]),), *parameters(rows))

        def between(low: np.ndarray, high: np.ndarray, rows: np.ndarray) -> Any:
            return log_between(PYTENSOR, at(low, rows), at(high, rows))

        def density(rows: np.ndarray) -> Any:
            return base.log_density(PYTENSOR, (_const(response.value[rows]),), *parameters(rows))

        low, high = np.isfinite(least), np.isfinite(most)
        pieces = [
            (response.code == EVENT, 1.0, density),
            (response.code == RIGHT, 1.0, lambda rows: at(response.value, rows)[1]),
            (response.code == LEFT, 1.0, lambda rows: at(response.value, rows)[0]),
            (response.code == INTERVAL, 1.0, lambda rows: between(response.value, response.upper, rows)),
            (low & ~high, -1.0, lambda rows: at(least, rows)[1]),
            (high & ~low, -1.0, lambda rows: at(most, rows)[0]),
            (low & high, -1.0, lambda rows: between(least, most, rows)),
        ]  # fmt: skip
        total = pt.zeros(len(count))
        for chosen, sign, piece in pieces:
            rows = np.flatnonzero(chosen)
            if len(rows):
                total = pt.inc_subtensor(total[rows], sign * piece(rows))
        return times * total

    def random(predictor: Any, times: Any, *auxiliary: Any, rng: Any = None, size: Any = None) -> np.ndarray:
        return base.draw_responses(base.mean(predictor, *auxiliary), 1.0, auxiliary, _generator(rng), size)

    _observe(name, response.value, (eta, count, *auxiliary), logp, random)


def _generator(rng: np.random.Generator | None) -> np.random.Generator:
    return rng or np.random.default_rng()


def _observe(
    name: str, observed: np.ndarray, parameters: tuple[Any, ...], logp: Callable[..., Any], random: Callable[..., Any]
) -> None:
    signature = f"{','.join(['()'] * len(parameters))}->()"
    pm.CustomDist(
        name, *parameters, logp=logp, random=random, observed=observed, dims="__obs__", dtype="float64",
        signature=signature,
    )  # fmt: skip


def _observe_measured(name: str, response: MeasuredCells, eta: Any, auxiliary: Sequence[Any]) -> None:
    """The mean of a cell by precision is Normal; with a `sigma` that scales errors, so are the squares about it."""
    sigma = auxiliary[0] if auxiliary else 1.0
    pm.Normal(name, mu=eta, sigma=sigma * response.error, observed=response.mean, dims="__obs__")
    freedom = float((response.count - 1.0).sum())
    if auxiliary and freedom:
        squares = float(response.within.sum())
        pm.Potential(f"{name}_within", -freedom * pt.log(sigma) - squares / (2.0 * sigma**2))


def _observe_reals(name: str, rows: Observed, response: RealCells, eta: Any, sigma: Any) -> None:
    """The mean of a cell is Normal; the squares within cells stand beside it, as one potential."""
    cells = len(rows.cells)
    mean = eta[:cells] if len(rows) > cells else eta
    by_rows = getattr(sigma, "ndim", 0) > 0
    of_cells, within = (sigma[:cells], sigma[cells:]) if by_rows else (sigma, sigma)
    pm.Normal(name, mu=mean, sigma=of_cells / np.sqrt(response.weight), observed=response.mean, dims="__obs__")
    freedom = response.weight - 1
    if not freedom.any():
        return
    if by_rows:
        squares = (
            (((rows.response - eta[cells:]) / within) ** 2).sum()
            if len(rows) > cells
            else (response.within / of_cells**2).sum()
        )
        pm.Potential(f"{name}_within", -(freedom * pt.log(of_cells)).sum() - squares / 2.0)
        return
    squares = ((rows.response - eta[cells:]) ** 2).sum() if len(rows) > cells else float(response.within.sum())
    pm.Potential(f"{name}_within", -float(freedom.sum()) * pt.log(sigma) - squares / (2.0 * sigma**2))
