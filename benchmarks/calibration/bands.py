"""Simultaneous bands for the ECDF of uniform ranks (Säilynoja, Bürkner and Vehtari 2022, Statistics and Computing 32).

Ranks among `draws` draws are uniform on 0, …, `draws`. How many of N of them lie below k is Binomial(N, k/(draws + 1)):
a band is the central interval of probability 1 - gamma of each of these, for k from 1 to `draws`. The chance that all
counts lie inside is exact: they are sums of Poisson numbers on the condition that these add up to N.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from scipy import stats

HALVINGS = 50
SMALLEST = 1e-15


def counts_below(ranks: np.ndarray, draws: int) -> np.ndarray:
    """How many ranks are below 1, …, `draws`."""
    return np.cumsum(np.bincount(ranks, minlength=draws + 1))[:draws]


@lru_cache
def tails(replications: int, draws: int) -> tuple[np.ndarray, np.ndarray]:
    """P(count at k <= c) and P(count at k >= c), of shape ``(draws, replications + 1)``."""
    share = np.arange(1, draws + 1)[:, None] / (draws + 1)
    counts = np.arange(replications + 1)
    return stats.binom.cdf(counts, replications, share), stats.binom.sf(counts - 1, replications, share)


def band(gamma: float, replications: int, draws: int) -> tuple[np.ndarray, np.ndarray]:
    """The least and the greatest count at each k whose two tails both exceed gamma/2."""
    low, high = tails(replications, draws)
    least = (low > gamma / 2).argmax(axis=1)
    return least, replications - (high[:, ::-1] > gamma / 2).argmax(axis=1)


def coverage(least: np.ndarray, greatest: np.ndarray, replications: int) -> float:
    """The probability that the counts of uniform ranks stay between `least` and `greatest` at every k."""
    counts = np.arange(replications + 1)
    step = stats.poisson.pmf(counts, replications / (len(least) + 1))
    inside = np.eye(1, replications + 1)[0]
    for low, high in zip(least, greatest, strict=True):
        inside = np.convolve(inside, step)[: replications + 1]
        inside[:low] = 0.0
        inside[high + 1 :] = 0.0
    whole = (inside * step[::-1]).sum() / stats.poisson.pmf(replications, replications)
    return float(min(whole, 1.0))


@lru_cache
def adjusted_gamma(replications: int, draws: int, level: float) -> float:
    """The largest pointwise gamma whose band holds all counts with a probability of at least `level`."""
    low, high = np.log(SMALLEST), 0.0
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        if coverage(*band(float(np.exp(middle)), replications, draws), replications) >= level:
            low = middle
        else:
            high = middle
    return float(np.exp(low))


def p_value(ranks: np.ndarray, draws: int) -> float:
    """The probability that uniform ranks stray as far: one less the coverage of the widest band that they touch."""
    low, high = tails(len(ranks), draws)
    place, count = np.arange(draws), counts_below(ranks, draws)
    gamma = 2 * np.minimum(low[place, count], high[place, count]).min()
    return 1.0 - coverage(*band(float(gamma), len(ranks), draws), len(ranks))


def excursion(ranks: np.ndarray, draws: int, level: float) -> float:
    """How far the counts stray, in half widths of the band of `level`; more than 1 is outside."""
    replications = len(ranks)
    least, greatest = band(adjusted_gamma(replications, draws, level), replications, draws)
    middle = replications * np.arange(1, draws + 1) / (draws + 1)
    off = counts_below(ranks, draws) - middle
    return float(np.where(off > 0, off / (greatest - middle), off / (least - middle)).max())
