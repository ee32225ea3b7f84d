"""The family of categories without an order, a multinomial logit: each but the first has a linear predictor.

``P(y = k)`` is in proportion to ``exp(mu_k)``, with 0 for the first category, the reference (Agresti 2013, Categorical
Data Analysis, section 8.1).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy import special

from hiermod.data.columns.responses import ResponseRows, TallyRows, TrialsRows
from hiermod.data.columns.values import Level
from hiermod.errors import DataError, enumerate_names
from hiermod.families.functionals import Functional
from hiermod.families.links import LOGIT
from hiermod.families.names import LINKS
from hiermod.families.ops import Ops
from hiermod.families.ordered import refuse_too_many
from hiermod.families.record import Chances, Family, Linear, Parameter

MOST = 50  # categories


def take_categories(name: str, response: ResponseRows) -> None:
    """Refuse what holds no categories, or too few or too many."""
    if isinstance(response, TallyRows):
        refuse_too_many(name, response, MOST)
        return
    if isinstance(response, TrialsRows):
        raise DataError(
            f"The family {name} takes one column of categories, or counts of three or more, cbind(a, b, c), not "
            "successes out of trials. Of two categories model the rate of one: family='binomial'."
        )
    what = response.name
    if response.transformed or (response.kind != "level" and not (response.values == np.round(response.values)).all()):
        raise DataError(f"The family {name} takes text, a factor or whole numbers; {what!r} holds other numbers.")
    count = len(response.categories)
    if count < 3:
        remedy = "Of two categories model the rate of the second: family='bernoulli'." if count == 2 else (
            "Nothing varies which could be modelled."
        )  # fmt: skip
        raise DataError(
            f"The family {name} needs three categories or more; {what!r} holds "
            f"{enumerate_names([str(level) for level in response.categories])}. {remedy}"
        )
    if count > MOST:
        raise DataError(
            f"The family {name}: {what!r} holds {count:,} categories, and at most {MOST} can have a linear predictor "
            "each. Join rare ones in the data."
        )


def parameter_name(level: Level) -> str:
    """As brms calls the linear predictor of a category: ``mu`` and its letters, digits and ``_``."""
    return f"mu{re.sub(r'\W', '', str(level))}"


def parameters_of(levels: tuple[Level, ...]) -> tuple[Parameter, ...]:
    """The log odds of each category but the first against that.

    Raises
    ------
    DataError
        If two categories would have one name.
    """
    names = [parameter_name(level) for level in levels[1:]]
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice or "mu" in names:
        alike = [str(level) for level in levels if parameter_name(level) in (*twice, "mu")]
        raise DataError(
            f"The categories {enumerate_names(alike)} would have parameters of one name, or of none: give them names "
            "that differ in letters and digits."
        )
    words = (f"log odds of {level} against {levels[0]}" for level in levels[1:])
    return tuple(
        Parameter(name, text, "log odds", support="real") for name, text in zip(names, words, strict=True)
    )  # fmt: skip


def _log_density(ops: Ops, response: Any, mu: Linear, *others: Any) -> Any:
    value, own, total = response[0], mu.eta, mu.eta
    for place, eta in enumerate(others, start=2):
        own = ops.where(value > place - 0.5, eta, own)
        total = ops.maximum(total, eta) + ops.log1p(ops.exp(-ops.maximum(total - eta, eta - total)))
    return own - total


def chances(mu: Linear, others: Sequence[Any]) -> np.ndarray:
    """The chance of each category, the first axis."""
    shape = np.broadcast_shapes(np.shape(mu.eta), *map(np.shape, others))
    stacked = np.stack([np.broadcast_to(np.asarray(eta, dtype=float), shape) for eta in (mu.eta, *others)])
    return np.asarray(special.softmax(stacked, axis=0))


def weighted(weights: Sequence[float], mu: Linear, *others: Any) -> Any:
    """A weighted sum of the chances of categories."""
    return np.tensordot(np.asarray(weights), chances(mu, others), 1)


def _cdf(response: Any, mu: Linear, *others: Any) -> Chances:
    """By the categories as they stand, for want of an order."""
    each, place = np.cumsum(chances(mu, others), axis=0), int(response[0])
    below = each[place - 2] if place > 1 else np.zeros_like(each[0])
    return below, np.minimum(each[place - 1], 1.0)


def _draw(rng: np.random.Generator, shape: Any, mu: Linear, _: Any, *others: Any) -> np.ndarray:
    ends = np.cumsum(chances(mu, others), axis=0)[:-1]
    return 1.0 + (rng.uniform(size=shape) > ends).sum(axis=0)


def _codes_mean(mu: Linear, *others: Any) -> Any:
    return weighted(range(1, len(others) + 2), mu, *others)


CATEGORICAL = Family(
    name="categorical", links=LINKS["categorical"], link=LOGIT, kind="category", check=take_categories,
    log_density=_log_density, cdf=_cdf, draw=_draw, weighted=weighted, per_category=parameters_of,
    outcomes=(Functional("mean", "mean place of {}", value=_codes_mean),), kernel="categorical", bambi=None,
    response="categories without an order", latex=r"\operatorname{Categorical}(\operatorname{softmax}(0, \mu_i))",
    words="Each category but the first has a linear predictor of its own: its log odds against the first.",
    location="log odds of each category against the first",
)  # fmt: skip
FAMILIES = (CATEGORICAL,)
