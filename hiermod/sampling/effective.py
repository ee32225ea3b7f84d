"""R-hat and effective sample sizes of many parameters at once.

Rank-normalised split R-hat, bulk and tail effective sample size as in Vehtari, Gelman, Simpson, Carpenter and Bürkner
(2021, Bayesian Analysis 16, 667-718), equal to ArviZ's; all parameters of a block are computed together.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from scipy import fft, special

from hiermod.engine.cores import available_cores

BLOCK = 200_000  # numbers at once
TAIL = 0.05
OFFSET = 3.0 / 8.0  # Blom (1958)


@dataclass(frozen=True, eq=False)
class Figures:
    """One number for each parameter; NaN where draws are too few or not finite."""

    rhat: np.ndarray
    bulk: np.ndarray
    tail: np.ndarray


def figures(draws: np.ndarray) -> Figures:
    """Figures of draws of shape ``(chain, draw, parameter)``."""
    chains, size, count = draws.shape
    if size < 4 or not count:
        nothing = np.full(count, np.nan)
        return Figures(nothing, nothing, nothing)
    step = max(1, BLOCK // (chains * size))
    blocks = [np.moveaxis(draws[:, :, start : start + step], 2, 0) for start in range(0, count, step)]
    if len(blocks) == 1:
        parts = [_block(blocks[0])]
    else:
        with ThreadPoolExecutor(available_cores()) as pool:
            parts = list(pool.map(_block, blocks))
    rhat, bulk, tail = (np.concatenate(own) for own in zip(*parts, strict=True))
    return Figures(rhat if chains > 1 else np.full(count, np.nan), bulk, tail)


def mean_sizes(draws: np.ndarray) -> np.ndarray:
    """Effective sample sizes for means, of draws of shape ``(chain, draw, parameter)``; NaN where they are too few."""
    if draws.shape[1] < 4:
        return np.full(draws.shape[2], np.nan)
    return _ess(_split(np.moveaxis(np.asarray(draws, dtype=float), 2, 0)))


def _block(draws: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """R-hat, bulk and tail ESS of draws of shape ``(parameter, chain, draw)``."""
    draws = np.ascontiguousarray(draws, dtype=float)
    finite = np.isfinite(draws).all(axis=(1, 2))
    draws = np.where(finite[:, None, None], draws, 0.0)
    split = _split(draws)
    normal, ordered = _normal_scores(split)
    middle = ordered.shape[1] // 2
    median = 0.5 * (ordered[:, middle - 1] + ordered[:, middle])
    folded, _ = _normal_scores(np.abs(split - median[:, None, None]))
    with np.errstate(all="ignore"):
        rhat = np.maximum(_rhat(normal), _rhat(folded))
    if draws.shape[2] % 2:  # splitting has left out a draw
        ordered = np.sort(draws.reshape(len(draws), -1), axis=1)
    low, high = (_quantile(ordered, share)[:, None, None] for share in (TAIL, 1.0 - TAIL))
    tail = np.minimum(_ess(_split((draws <= low).astype(float))), _ess(_split((draws <= high).astype(float))))
    return tuple(np.where(finite, own, np.nan) for own in (rhat, _ess(normal), tail))  # type: ignore[return-value]


def _quantile(ordered: np.ndarray, share: float) -> np.ndarray:
    """A quantile of each row of sorted draws, interpolated as NumPy does by default."""
    place = share * (ordered.shape[1] - 1)
    below = min(int(place), ordered.shape[1] - 2)
    low, high = ordered[:, below], ordered[:, below + 1]
    return low + (high - low) * (place - below)


def _split(draws: np.ndarray) -> np.ndarray:
    half = draws.shape[2] // 2
    return np.concatenate([draws[:, :, :half], draws[:, :, -half:]], axis=1)


def _normal_scores(draws: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Normal quantiles of the ranks among all draws, equal draws sharing their mean rank; and the draws in order."""
    flat = draws.reshape(len(draws), -1)
    size = flat.shape[1]
    order = np.argsort(flat, axis=1)
    ordered = np.take_along_axis(flat, order, axis=1)
    quantiles = np.tile(_of_ranks(np.arange(1.0, size + 1.0), size), (len(flat), 1))
    equal = np.zeros(flat.shape, dtype=bool)
    np.equal(ordered[:, 1:], ordered[:, :-1], out=equal[:, 1:])
    tied = np.flatnonzero(equal)
    if len(tied):
        begins = tied[np.flatnonzero(np.diff(tied, prepend=-1) > 1)] - 1
        ends = tied[np.flatnonzero(np.diff(tied, append=flat.size + 1) > 1)]
        shared = _of_ranks(0.5 * (begins + ends) % size + 1.0, size)
        within = np.repeat(begins, ends - begins + 1) + _counted(ends - begins + 1)
        quantiles.ravel()[within] = np.repeat(shared, ends - begins + 1)
    scores = np.empty_like(flat)
    np.put_along_axis(scores, order, quantiles, axis=1)
    return scores.reshape(draws.shape), ordered


def _of_ranks(ranks: np.ndarray, size: int) -> np.ndarray:
    return np.asarray(special.ndtri((ranks - OFFSET) / (size - 2.0 * OFFSET + 1.0)))


def _counted(lengths: np.ndarray) -> np.ndarray:
    """0, 1, … for each length, one after the other."""
    return np.arange(lengths.sum()) - np.repeat(np.cumsum(lengths) - lengths, lengths)


def _rhat(draws: np.ndarray) -> np.ndarray:
    size = draws.shape[2]
    between = size * draws.mean(axis=2).var(axis=1, ddof=1)
    within = draws.var(axis=2, ddof=1).mean(axis=1)
    return np.sqrt((between / within + size - 1.0) / size)


def _ess(draws: np.ndarray) -> np.ndarray:
    """Effective sample size by Geyer's initial monotone sequence of pairs of autocorrelations."""
    chains, size = draws.shape[1:]
    total = float(chains * size)
    covariance = _autocovariance(draws)
    within = covariance[:, 0] * size / (size - 1.0)
    spread = covariance[:, 0] + (draws.mean(axis=2).var(axis=1, ddof=1) if chains > 1 else 0.0)
    with np.errstate(all="ignore"):
        rho = 1.0 - (within[:, None] - covariance) / spread[:, None]
    rho[:, 0] = 1.0
    pairs = rho[:, : size - size % 2].reshape(len(rho), -1, 2).sum(axis=2)[:, : max(1, (size - 1) // 2)]
    negative = pairs <= 0.0
    ends = np.where(negative.any(axis=1), negative.argmax(axis=1), pairs.shape[1] - 1)
    inside = np.arange(pairs.shape[1]) < ends[:, None]
    monotone = np.minimum.accumulate(pairs, axis=1)
    left = np.maximum(rho[np.arange(len(rho)), 2 * ends], 0.0)
    tau = -1.0 + 2.0 * np.where(inside, monotone, 0.0).sum(axis=1) + left
    result = total / np.maximum(tau, 1.0 / np.log10(total))
    constant = np.ptp(draws, axis=(1, 2)) < np.finfo(float).resolution
    return np.where(constant, total, result)


def _autocovariance(draws: np.ndarray) -> np.ndarray:
    """The mean over chains of each lag's autocovariance, shape ``(parameter, draw)``."""
    size = draws.shape[2]
    padded = fft.next_fast_len(2 * size, real=True)
    spectrum = fft.rfft(draws - draws.mean(axis=2, keepdims=True), padded, axis=2)
    power = (spectrum.real**2 + spectrum.imag**2).mean(axis=1)
    return fft.irfft(power, padded, axis=1)[:, :size] / size
