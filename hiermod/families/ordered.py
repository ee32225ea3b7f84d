"""Families of ordered categories: cumulative, sratio, cratio and acat.

Categories are 1 to K, and K - 1 thresholds t stand between them, on the scale of the linear predictor. With a
distribution function F, the inverse of the link, and as in brms (Bürkner and Vuorre 2019, Advances in Methods and
Practices in Psychological Science 2, 77-101):

- cumulative: ``P(y <= k) = F(t_k - eta)``;
- sratio, stopping: ``P(y = k | y >= k) = F(t_k - eta)``;
- cratio, continuing: ``P(y > k | y >= k) = F(eta - t_k)``;
- acat, neighbours: ``log(P(y = k + 1) / P(y = k)) = eta - t_k``.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from hiermod.data.columns.responses import ResponseRows, SingleRows, TallyRows, TrialsRows
from hiermod.errors import DataError, enumerate_names
from hiermod.families.links import IDENTITY, LOGIT, Link
from hiermod.families.names import LINKS, FamilyName
from hiermod.families.ops import NUMPY, Ops
from hiermod.families.record import Addition, Chances, Family, Linear, Parameter, Thresholds
from hiermod.families.specific import OF_EACH_THRESHOLD
from hiermod.formula.expressions import quote

MOST = 100  # categories
Thresholded = Sequence[Any]


def take_ordered(name: str, response: ResponseRows) -> None:
    """Refuse what is neither whole numbers nor levels in an order, and too few or too many categories."""
    if isinstance(response, TallyRows):
        refuse_too_many(name, response, MOST)
        return
    if isinstance(response, TrialsRows):
        raise DataError(
            f"The family {name} takes one column of ordered categories, or counts of three or more, cbind(a, b, c), "
            "not successes out of trials. Of two categories model the rate of one: family='binomial'."
        )
    what = response.name
    levels = list(response.levels)
    numbers = all(isinstance(level, int) and not isinstance(level, bool) for level in levels)  # in their order
    if response.kind == "level" and not response.declared and not numbers:
        raise DataError(
            f"The family {name} needs categories in an order, and {what!r} holds "
            f"{enumerate_names(levels, 6)} without one. {_in_order(what)}"
        )
    if response.transformed or (response.kind != "level" and not _whole(response)):
        raise DataError(
            f"The family {name} takes whole numbers or an ordered factor; {what!r} holds other numbers. "
            "cut() or round them in the data."
        )
    count = len(response.categories)
    if count > MOST:
        raise DataError(
            f"The family {name}: {what!r} holds {count:,} categories, and at most {MOST} can have thresholds between "
            "them. For counts say family='poisson' or 'negbinomial'."
        )
    if count < 3:
        both = enumerate_names([str(level) for level in response.categories])
        remedy = "Of two categories model the rate of the second: family='bernoulli' with a response of 0 and 1."
        raise DataError(
            f"The family {name} needs three categories or more; {what!r} holds {both}. "
            + (remedy if count == 2 else "Nothing varies which could be modelled.")
        )


def _in_order(what: str) -> str:
    """How an order is given, in the formula or in the data."""
    column = re.sub(r"^(?:as\.)?factor\((.+)\)$", r"\1", what)
    return (
        f"Give it in the formula, the lowest first, ordered({quote(column)}, levels = c('...', '...')), or in the "
        f"data: data[{column!r}] = pandas.Categorical(data[{column!r}], categories=[...], ordered=True), or a "
        "polars Enum."
    )


def refuse_too_many(name: str, response: TallyRows, most: int) -> None:
    """Refuse more columns of counts than a family takes."""
    if len(response.categories) > most:
        raise DataError(
            f"The family {name}: {response.name} counts {len(response.categories):,} categories, and at most {most} "
            "are modelled. Add up rare ones."
        )


def _whole(response: SingleRows) -> bool:
    return bool((response.values == np.round(response.values)).all())


def _below(ops: Ops, value: Any, thresholds: Thresholded) -> Any:
    """The threshold below each category; of the first one anything lower than its own."""
    low = thresholds[0] - 1.0
    for place, threshold in enumerate(thresholds, start=2):
        low = ops.where(value > place - 0.5, threshold, low)
    return low


def _above(ops: Ops, value: Any, thresholds: Thresholded) -> Any:
    """The threshold above each category; of the last one anything higher than its own."""
    high = thresholds[0]
    for place, threshold in enumerate([*thresholds[1:], thresholds[-1] + 1.0], start=2):
        high = ops.where(value > place - 0.5, threshold, high)
    return high


def _rates(ops: Ops, link: Link, x: Any) -> tuple[Any, Any]:
    """The logarithms of F and 1 - F."""
    assert link.log_rates is not None
    return link.log_rates(ops, x)


def _cumulative(ops: Ops, response: Any, mu: Linear, *thresholds: Any) -> Any:
    value, link = response[0], mu.link
    low, high = _below(ops, value, thresholds) - mu.eta, _above(ops, value, thresholds) - mu.eta
    assert link.log_between is not None
    between = link.log_between(ops, low, high)
    inner = ops.where(value > len(thresholds) + 0.5, _rates(ops, link, low)[1], between)
    return ops.where(value < 1.5, _rates(ops, link, high)[0], inner)


def _stopping(ops: Ops, response: Any, mu: Linear, *thresholds: Any) -> Any:
    value, total = response[0], 0.0 * mu.eta
    for place, threshold in enumerate(thresholds, start=1):
        stop, go = _rates(ops, mu.link, threshold - mu.eta)
        total = total + _step(ops, value, place, stop, go)
    return total


def _continuing(ops: Ops, response: Any, mu: Linear, *thresholds: Any) -> Any:
    value, total = response[0], 0.0 * mu.eta
    for place, threshold in enumerate(thresholds, start=1):
        go, stop = _rates(ops, mu.link, mu.eta - threshold)
        total = total + _step(ops, value, place, stop, go)
    return total


def _step(ops: Ops, value: Any, place: int, stop: Any, go: Any) -> Any:
    """What the step at one category adds: going on where the response is beyond it, stopping where it is there."""
    return ops.where(value > place + 0.5, go, ops.where(value > place - 0.5, stop, 0.0))


def _neighbours(ops: Ops, response: Any, mu: Linear, *thresholds: Any) -> Any:
    """``log P(y = k)`` is the sum of eta - t_j for j < k, less the logarithm of all such exponentials' sum."""
    value, own, here = response[0], 0.0 * mu.eta, 0.0 * mu.eta
    total = here
    for place, threshold in enumerate(thresholds, start=1):
        step = mu.eta - threshold
        here = here + step
        own = own + ops.where(value > place + 0.5, step, 0.0)
        total = here + ops.softplus(total - here)
    return own - total


def _cdf(density: Any, response: Any, mu: Linear, *thresholds: Any) -> Chances:
    """Sums of the chances of categories."""
    less = np.zeros(np.broadcast_shapes(np.shape(mu.eta), *map(np.shape, thresholds)))
    for category in range(1, int(response[0])):
        less = less + np.exp(density(NUMPY, (float(category),), mu, *thresholds))
    equal = np.exp(density(NUMPY, (float(response[0]),), mu, *thresholds))
    return less, np.minimum(less + equal, 1.0)


def chances(density: Any, link: Link, eta: Any, thresholds: Thresholded) -> list[np.ndarray]:
    """The chance of each category."""
    mu = Linear(eta, link)
    with np.errstate(divide="ignore"):
        return [np.exp(density(NUMPY, (float(k),), mu, *thresholds)) for k in range(1, len(thresholds) + 2)]


def _weighted(density: Any, link: Link, weights: Sequence[float], thresholds: Thresholded, eta: Any) -> Any:
    mu, total = Linear(eta, link), 0.0 * eta
    with np.errstate(divide="ignore"):
        for category, weight in enumerate(weights, start=1):
            if weight:
                total = total + weight * np.exp(density(NUMPY, (float(category),), mu, *thresholds))
    return total


STEP = 1e-4


def _weighted_slope(density: Any, link: Link, weights: Sequence[float], thresholds: Thresholded, eta: Any) -> Any:
    """By four points around; the error is of the fourth power of the step."""
    at = partial(_weighted, density, link, weights, thresholds)
    near, far = at(eta + STEP) - at(eta - STEP), at(eta + 2.0 * STEP) - at(eta - 2.0 * STEP)
    return (8.0 * near - far) / (12.0 * STEP)


def weighted_link(density: Any, weights: Sequence[float], link: Link, *thresholds: Any) -> Link:
    """From the linear predictor to a weighted sum of the chances of categories: a mean score, or one of them."""
    arguments = density, link, tuple(weights), thresholds
    return replace(
        IDENTITY, name="score", inverse=partial(_weighted, *arguments), slope=partial(_weighted_slope, *arguments)
    )


def _below_weighted(link: Link, weights: Sequence[float], thresholds: Thresholded, eta: Any) -> Any:
    """A sum of chances by those of at most each category, of which as many are needed as the weights have steps."""
    total = np.full(np.broadcast_shapes(np.shape(eta), np.shape(thresholds[0])), weights[-1])
    for step, threshold in zip(np.diff(weights), thresholds, strict=True):
        if step:
            total -= step * link.inverse(threshold - eta)
    return total


def _below_weighted_slope(link: Link, weights: Sequence[float], thresholds: Thresholded, eta: Any) -> Any:
    steps = zip(np.diff(weights), thresholds, strict=True)
    return sum((step * link.slope(threshold - eta) for step, threshold in steps if step), 0.0 * eta)


def cumulative_link(weights: Sequence[float], link: Link, *thresholds: Any) -> Link:
    """As `weighted_link`, in the closed form that cumulative families have."""
    arguments = link, tuple(weights), thresholds
    return replace(
        IDENTITY, name="score", inverse=partial(_below_weighted, *arguments),
        slope=partial(_below_weighted_slope, *arguments),
    )  # fmt: skip


def _draw(density: Any, rng: np.random.Generator, shape: Any, mu: Linear, _: Any, *thresholds: Any) -> np.ndarray:
    """A category for each linear predictor: the first one below whose end of chances a uniform number lies."""
    uniform, total, drawn = rng.uniform(size=shape), np.zeros(()), np.ones(shape)
    for chance in chances(density, mu.link, mu.eta, thresholds)[:-1]:
        total = total + chance
        drawn += uniform > total
    return drawn


def _cumulative_prior(ops: Ops, link: Link, size: float, thresholds: Thresholded) -> Any:
    """Chances with the density ``Π p^(size - 1)``, and the slope of F at each threshold."""
    first, last = _rates(ops, link, thresholds[0])[0], _rates(ops, link, thresholds[-1])[1]
    assert link.log_between is not None
    assert link.log_slope is not None
    total = (size - 1.0) * (first + last)
    for low, high in itertools.pairwise(thresholds):
        total = total + (size - 1.0) * link.log_between(ops, low, high)
    return total + sum(link.log_slope(ops, threshold) for threshold in thresholds)


def _steps_prior(sign: float, ops: Ops, link: Link, size: float, thresholds: Thresholded) -> Any:
    """The share that stops at each category, of those that came so far, is a Beta, independent of the others."""
    assert link.log_slope is not None
    total: Any = 0.0
    for place, threshold in enumerate(thresholds, start=1):
        at, beyond = sign * threshold, size * (len(thresholds) + 1 - place)
        stop, go = _rates(ops, link, at) if sign > 0.0 else _rates(ops, link, at)[::-1]
        total = total + (size - 1.0) * stop + (beyond - 1.0) * go + link.log_slope(ops, at)
    return total


def _neighbours_prior(ops: Ops, link: Link, size: float, thresholds: Thresholded) -> Any:
    """The chances' logarithms, whose differences the thresholds are."""
    mu = Linear(0.0 * thresholds[0], link)
    each = range(1, len(thresholds) + 2)
    return size * sum(_neighbours(ops, (ops.const(float(k)),), mu, *thresholds) for k in each)


def _cumulative_of(link: Link, chances: np.ndarray) -> np.ndarray:
    """Thresholds with these chances where the linear predictor is 0, by the smaller side."""
    below, above = np.cumsum(chances, axis=-1)[..., :-1], np.cumsum(chances[..., ::-1], axis=-1)[..., ::-1][..., 1:]
    if link.name == "cloglog":
        return np.log(-np.log(above))
    if link.name == "loglog":
        return -np.log(-np.log(below))
    return np.where(below < 0.5, link.forward(below), -link.forward(above))


def _stopping_of(link: Link, chances: np.ndarray) -> np.ndarray:
    remaining = np.cumsum(chances[..., ::-1], axis=-1)[..., ::-1][..., :-1]
    return np.asarray(link.forward(chances[..., :-1] / remaining))


def _continuing_of(link: Link, chances: np.ndarray) -> np.ndarray:
    remaining = np.cumsum(chances[..., ::-1], axis=-1)[..., ::-1]
    return -np.asarray(link.forward(remaining[..., 1:] / remaining[..., :-1]))


def _neighbours_of(link: Link, chances: np.ndarray) -> np.ndarray:
    return np.asarray(np.log(chances[..., :-1]) - np.log(chances[..., 1:]))


def _discriminated(mu: Linear, parameters: Thresholded) -> tuple[Linear, list[Any]]:
    """Linear predictor and thresholds times the discrimination, the last parameter."""
    *thresholds, disc = parameters
    return Linear(disc * mu.eta, mu.link), [disc * threshold for threshold in thresholds]


def _density_with(density: Any, ops: Ops, response: Any, mu: Linear, *parameters: Any) -> Any:
    mu, thresholds = _discriminated(mu, parameters)
    return density(ops, response, mu, *thresholds)


def _cdf_with(cdf: Any, response: Any, mu: Linear, *parameters: Any) -> Chances:
    mu, thresholds = _discriminated(mu, parameters)
    return cdf(response, mu, *thresholds)


def _draw_with(draw: Any, rng: np.random.Generator, shape: Any, mu: Linear, trials: Any, *parameters: Any) -> Any:
    mu, thresholds = _discriminated(mu, parameters)
    return draw(rng, shape, mu, trials, *thresholds)


def _link_with(weighted: Any, weights: Sequence[float], link: Link, *parameters: Any) -> Link:
    *thresholds, disc = parameters
    own = weighted(weights, link, *(disc * threshold for threshold in thresholds))
    return replace(own, inverse=partial(_inverse_with, own, disc), slope=partial(_slope_with, own, disc))


def _inverse_with(link: Link, disc: Any, eta: Any) -> Any:
    return link.inverse(disc * eta)


def _slope_with(link: Link, disc: Any, eta: Any) -> Any:
    return disc * link.slope(disc * eta)


def with_discrimination(family: Family) -> Family:
    """The family with brms's `disc`, by which distances to thresholds are multiplied; PyMC samples it."""
    weighted = partial(_link_with, family.weighted)
    return replace(
        family, parameters=(*family.parameters, DISCRIMINATION), kernel=None, weighted=weighted,
        log_density=partial(_density_with, family.log_density), cdf=partial(_cdf_with, family.cdf),
        draw=partial(_draw_with, family.draw), mean_link=partial(weighted, family.scores),
    )  # fmt: skip


DISCRIMINATION = Parameter(
    "disc", "discrimination: distances to thresholds are multiplied by it; 1 where its predictors are 0", anchored=True
)

DISCRIMINATED = Addition(DISCRIMINATION, with_discrimination)


def _family(
    name: FamilyName, density: Any, thresholds: Thresholds, response: str, latex: str, words: str
) -> Family:  # fmt: skip
    return Family(
        name=name, links=LINKS[name], link=LOGIT, kind="ordered", check=take_ordered, log_density=density,
        cdf=partial(_cdf, density), draw=partial(_draw, density),
        weighted=cumulative_link if thresholds.increasing else partial(weighted_link, density),
        location="place among the thresholds", kernel=name, response=response,
        latex=rf"\operatorname{{{latex}}}(\mu_i, \tau)", words=words, thresholds=thresholds,
        additions=(*(() if thresholds.increasing else (OF_EACH_THRESHOLD,)), DISCRIMINATED),
    )  # fmt: skip


PASSED = "ordered categories, passed one by one"
CUMULATIVE = _family(
    "cumulative", _cumulative,
    Thresholds(True, _cumulative_prior, _cumulative_of, r"F P(y_i \le k) &= \tau_k - \mu_i"),
    "ordered categories", "Cumulative", "P(y <= k) = F(Intercept[k] - mu): a higher mu, higher categories.",
)  # fmt: skip
SRATIO = _family(
    "sratio", _stopping,
    Thresholds(
        False, partial(_steps_prior, 1.0), _stopping_of, r"F P(y_i = k \mid y_i \ge k) &= \tau_k - \mu_i"
    ),
    PASSED, "StoppingRatio",
    "P(y = k | y >= k) = F(Intercept[k] - mu): the chance to stop at a category that was reached.",
)  # fmt: skip
CRATIO = _family(
    "cratio", _continuing,
    Thresholds(
        False, partial(_steps_prior, -1.0), _continuing_of, r"F P(y_i > k \mid y_i \ge k) &= \mu_i - \tau_k"
    ),
    PASSED, "ContinuationRatio",
    "P(y > k | y >= k) = F(mu - Intercept[k]): the chance to go on from a category that was reached.",
)  # fmt: skip
ACAT = _family(
    "acat", _neighbours,
    Thresholds(
        False, _neighbours_prior, _neighbours_of, r"\log P(y_i = k + 1) - \log P(y_i = k) &= \mu_i - \tau_k"
    ),
    "ordered categories", "AdjacentCategory",
    "log(P(y = k + 1) / P(y = k)) = mu - Intercept[k]: the odds of a category against the one below.",
)  # fmt: skip
FAMILIES = (CUMULATIVE, SRATIO, CRATIO, ACAT)
