"""R-hat and effective sample sizes of many parameters at once.

Rank-normalised split R-hat, bulk and tail effective sample size as in Vehtari, Gelman, Simpson, Carpenter and Bürkner
(2021, Bayesian Analysis 16, 667-718), equal to ArviZ's; all parameters of a block are computed together.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import xarray as xr
from scipy import fft, special

from hiermod.engine.nutpie_core import available_cores

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


MAX_RHAT, MAX_RHAT_OF_MANY, FEW = 1.01, 1.02, 50
MIN_ESS = 400.0
MAX_JUDGED, MAX_JUDGED_EXACT = 250, 10  # of groups; independent draws of rates hold no surprises
QUADRATURE_ERROR = "quadrature_error"  # an attribute of the statistics of independent draws
INTEGRATION_ERROR = "integration_error"  # one of those of draws of a sampler, whose density is made of integrals
MIN_EBFMI = 0.3


@dataclass(frozen=True)
class Diagnostics:
    """The worst R-hat and effective sample sizes with their parameters, and the sampler's own figures."""

    rhat: float
    rhat_of: str
    ess_bulk: float
    ess_bulk_of: str
    ess_tail: float
    ess_tail_of: str
    divergences: int
    ebfmi: float
    max_depth_hits: int
    judged: int = 1

    @property
    def max_rhat(self) -> float:
        """The largest R-hat of good chains; the largest of many has more noise in it."""
        return MAX_RHAT if self.judged <= FEW else MAX_RHAT_OF_MANY

    @property
    def converged(self) -> bool:
        """Whether R-hat and effective sample sizes call for no other run; what is not known calls for none."""
        return not (self.rhat > self.max_rhat or self.ess_bulk < MIN_ESS or self.ess_tail < MIN_ESS)

    @property
    def clean(self) -> bool:
        """Whether nothing needs another run."""
        return self.converged and self.divergences == 0


def diagnose(tree: xr.DataTree) -> Diagnostics:
    """Measure a run."""
    stats = tree["sample_stats"].to_dataset()
    most = MAX_JUDGED if QUADRATURE_ERROR not in stats.attrs else MAX_JUDGED_EXACT
    posterior = representative(tree["posterior"].to_dataset(), most)
    names, draws = _flat(posterior)
    seen = figures(draws)
    rhat, rhat_of = _extreme(names, seen.rhat, largest=True)
    bulk, bulk_of = _extreme(names, seen.bulk, largest=False)
    tail, tail_of = _extreme(names, seen.tail, largest=False)
    divergences = int(stats["diverging"].values.sum()) if "diverging" in stats else 0
    hits = int(stats["maxdepth_reached"].values.sum()) if "maxdepth_reached" in stats else 0
    return Diagnostics(rhat, rhat_of, bulk, bulk_of, tail, tail_of, divergences, _ebfmi(stats), hits, len(names))


def _flat(posterior: xr.Dataset) -> tuple[list[str], np.ndarray]:
    """The name of each number's variable, and all draws, shape ``(chain, draw, number)``."""
    names, parts = [], []
    for name, values in posterior.data_vars.items():
        draws = values.transpose("chain", "draw", ...).values
        parts.append(draws.reshape(*draws.shape[:2], -1))
        names += [str(name)] * parts[-1].shape[2]
    return names, np.concatenate(parts, axis=2)


def _ebfmi(stats: xr.Dataset) -> float:
    """The smallest estimated fraction of missing information about the energy (Betancourt 2016) of all chains."""
    if "energy" not in stats or stats.sizes["draw"] < 2:
        return float("nan")
    energy = stats["energy"].transpose("chain", "draw").values
    with np.errstate(all="ignore"):
        return float(np.min((np.diff(energy, axis=1) ** 2).mean(axis=1) / energy.var(axis=1)))


def representative(posterior: xr.Dataset, most: int = MAX_JUDGED) -> xr.Dataset:
    """The parameters that a run is judged by: all, but of more groups than `most` some, evenly spread."""
    large = {dim: size for dim, size in posterior.sizes.items() if size > most and dim not in ("chain", "draw")}
    places = {dim: np.linspace(0, size - 1, most).astype(int) for dim, size in large.items()}
    return posterior.isel(places) if places else posterior


def _extreme(names: list[str], values: np.ndarray, largest: bool) -> tuple[float, str]:
    """The worst figure and the parameter that has it; NaN where no figure can be had."""
    finite = np.flatnonzero(np.isfinite(values))
    if not len(finite):
        return float("nan"), ""
    known = values[finite]
    place = int(finite[known.argmax() if largest else known.argmin()])
    return float(values[place]), names[place]
