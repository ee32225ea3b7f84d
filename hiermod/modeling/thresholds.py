"""Thresholds of ordered categories: they take the intercept's place, and have a prior together.

A prior is stated where numeric predictors are at their means, as that of an intercept; in the user's coding thresholds
are ``centred + coefficients @ moves``, as `Spec.threshold_moves` has them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from hiermod.data.cells.statistics import CategoryCells
from hiermod.families.ops import NUMPY
from hiermod.families.record import THRESHOLDS, Family
from hiermod.formula.nodes import INTERCEPT
from hiermod.modeling.design import CommonDesign
from hiermod.modeling.prior_keys import Entry, Stated
from hiermod.priors.distributions import Prior

DIRICHLET = Prior("Dirichlet", (1.0,))
OF_BRMS = Prior("StudentT", (3.0, 0.0, 2.5))
Values = Callable[[str], np.ndarray]


def without_intercept(common: CommonDesign, at_zero: bool) -> CommonDesign:
    """The common design for which thresholds stand in as the intercept; their prior stands at 0 where that is asked."""
    has = bool(common.blocks) and common.blocks[0].term == INTERCEPT
    first = int(has)
    level = common.shift[0, 1:] if has and not at_zero else np.zeros(len(common.scales) - first)
    return replace(
        common, blocks=common.blocks[first:], shift=common.shift[first:, first:], scales=common.scales[first:],
        level=level,
    )  # fmt: skip


def threshold_entries(family: Family, common: CommonDesign, stated: Mapping[str, Stated] | None) -> Iterator[Entry]:
    """The numbers that have a prior: chances of categories together, or each threshold where one is named.

    Without knowing what is `stated`, all that could be.
    """
    if not family.entries:
        return
    names = [entry.name for entry in family.entries]
    given = [stated[key].prior for key in (THRESHOLDS, *names) if key in stated] if stated is not None else []
    each = any(prior.distribution.support != "chances" for prior in given)
    if stated is None or not each:
        yield Entry(THRESHOLDS, (THRESHOLDS,), "chances", DIRICHLET)
    if stated is None or each:
        shifted = common.level is not None and bool(common.level.any())
        for name in names:
            yield Entry(THRESHOLDS, (name, THRESHOLDS), "real", OF_BRMS, shifted=shifted)


def is_of_chances(priors: Sequence[Prior]) -> bool:
    """Whether thresholds have a prior of the chances that they give."""
    return priors[0].distribution.support == "chances"


def draw_thresholds(family: Family, priors: Sequence[Prior], rng: np.random.Generator, draws: int) -> np.ndarray:
    """Thresholds from their prior, where predictors are at their means, shape ``(draws, thresholds)``.

    Priors of each, where these have to increase, are those of numbers in this order: draws that are not are drawn
    again, as far as that goes, and then sorted.
    """
    assert family.thresholds is not None
    count = len(family.entries)
    if is_of_chances(priors):
        chances = rng.dirichlet(np.full(count + 1, priors[0].arguments[0]), draws)
        smallest = np.finfo(float).tiny
        return family.thresholds.of_chances(family.link, np.maximum(chances, smallest))
    drawn, same = _each(priors, rng, draws), len(set(priors)) == 1  # in order, such are as if they were drawn so
    for _ in range(TRIES if family.thresholds.increasing and not same else 0):
        wrong = (np.diff(drawn, axis=1) <= 0.0).any(axis=1)
        if not wrong.any():
            break
        drawn[wrong] = _each(priors, rng, int(wrong.sum()))
    return np.sort(drawn, axis=1) if family.thresholds.increasing else drawn


TRIES = 1000


def _each(priors: Sequence[Prior], rng: np.random.Generator, draws: int) -> np.ndarray:
    return np.stack([prior.draw(rng, (draws,)) for prior in priors], axis=1)


def usual_place(cells: Any) -> int:
    """Which threshold is nearest to the middle of the responses: the others are measured from it."""
    assert isinstance(cells, CategoryCells)
    below = np.cumsum(cells.per_category())[:-1] / cells.count.sum()
    return int(np.argmin(np.abs(below - 0.5)))


def start_of(family: Family, cells: Any) -> np.ndarray:
    """Thresholds that give the shares of categories, each at least a little, where the linear predictor is 0."""
    assert isinstance(cells, CategoryCells)
    assert family.thresholds is not None
    counts = cells.per_category() + 0.5
    return family.thresholds.of_chances(family.link, counts / counts.sum())


def threshold_log_prior(family: Family, priors: Sequence[Prior], centred: np.ndarray) -> np.ndarray:
    """Their log density, shape ``(draws,)``, of thresholds of shape ``(draws, thresholds)``."""
    assert family.thresholds is not None
    if not is_of_chances(priors):
        return np.sum([prior.log_density(centred[:, place]) for place, prior in enumerate(priors)], axis=0)
    return np.asarray(family.thresholds.log_prior(NUMPY, family.link, priors[0].arguments[0], list(centred.T)))
