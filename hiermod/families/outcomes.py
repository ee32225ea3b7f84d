"""What ``outcome=`` asks of a family: read once, into a `Functional`."""

from __future__ import annotations

import math
import re
from functools import partial
from numbers import Real
from typing import TYPE_CHECKING, Any

import numpy as np

from hiermod.errors import AnswerError, nearest
from hiermod.families.category_outcomes import category_outcome
from hiermod.families.functionals import Functional, inverted, smallest_count
from hiermod.families.links import IDENTITY
from hiermod.families.ops import NUMPY

if TYPE_CHECKING:
    from hiermod.families.links import Link
    from hiermod.families.record import Family, Linear

QUANTILE = re.compile(r"q(\d{1,2}(?:\.\d+)?)")
COMPARED = re.compile(r"(>=|<=|==|>|<|=)(.+)")
LIMITED = re.compile(r"mean<=?(.+)")
NUMBER = re.compile(r"[-+]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+)?")
SIGNS = {">": "above", ">=": "at least", "<": "below", "<=": "at most", "=": "equal to"}
CONTINUOUS = ("real", "positive", "unit")
LEAST, LARGEST = {"count": 0.0, "positive": 0.0, "unit": 0.0}, {"unit": 1.0}  # responses of a kind
ALIKE = 0.7  # of the letters of a word, from which on a slip of the pen is likely
ZERO, POSITIVE = "zero", "positive"


def read_outcome(family: Family, outcome: Any) -> Functional:
    """Read ``outcome=``; None is the mean.

    Raises
    ------
    AnswerError
        If the family has no such outcome, with those that it has.
    """
    family = family.base or family
    if family.categories:
        return category_outcome(family, outcome)
    named = own_outcomes(family)
    if outcome is None:
        return named["mean"]
    if not isinstance(outcome, str):
        if isinstance(outcome, bool | np.bool_) or not isinstance(outcome, Real):
            raise _refuse(family, outcome)
        return _chance(family, "=", float(outcome), outcome)
    text = "".join(outcome.split())
    if text in named:
        return named[text]
    if NUMBER.fullmatch(text):
        return _chance(family, "=", float(text), outcome)
    if (found := QUANTILE.fullmatch(text)) and 0.0 < float(found.group(1)) < 100.0:
        return quantile(family, float(found.group(1)))
    if (found := LIMITED.fullmatch(text)) and NUMBER.fullmatch(found.group(1)):
        return _limited(family, float(found.group(1)), outcome)
    if (found := COMPARED.fullmatch(text)) and NUMBER.fullmatch(found.group(2)):
        return _chance(family, found.group(1).replace("==", "="), float(found.group(2)), outcome)
    raise _refuse(family, outcome)


def parameter_itself(family: Family, name: str) -> Functional:
    """A parameter of the distribution, whose linear predictor has a link of its own."""
    share = family.is_rate if name == "mu" else family.parameter(name).support == "unit"
    place = name == "mu" and family.thresholds is not None  # among the thresholds, on their scale
    link = _identity if place else _own_link
    return Functional(name, f"{name} of {{}}", link=link, of=name, uses=(name,), share=share)


def _identity(*_: Any) -> Link:
    return IDENTITY


def _own_link(link: Link, *_: Any) -> Link:
    return link


def own_outcomes(family: Family) -> dict[str, Functional]:
    """The outcomes of a family that have a word, by their words; those that its record states go before others."""
    family = family.base or family
    found = {"mean": family.expected}
    if family.median_link is not None:
        found["median"] = Functional("median", "median {}", link=family.median_link, per_unit=True)
    elif knows_quantiles(family):
        found["median"] = quantile(family, 50.0)
    if family.counts:
        zero = partial(_compared, family, "=", 0.0)
        found[ZERO] = Functional(ZERO, "chance that {} is 0", zero, share=True)
        found[POSITIVE] = Functional(POSITIVE, "mean {} above 0", partial(_mean_above_zero, family))
    return found | {functional.name: functional for functional in family.outcomes}


def knows_quantiles(family: Family) -> bool:
    """Whether a family's responses have quantiles that its record can tell; successes out of trials have none."""
    return not family.is_rate and (family.quantile is not None or family.cdf is not None)


def quantile(family: Family, percent: float) -> Functional:
    """A quantile; of counts, the smallest with at least that chance of being reached."""
    name = f"q{percent:g}"
    if not knows_quantiles(family):
        raise _refuse(family, name)
    label = "median {}" if percent == 50.0 else f"{percent:g} % quantile of {{}}"
    return Functional(
        "median" if percent == 50.0 else name, label, partial(_quantile, family, percent / 100.0),
        per_unit=family.kind in CONTINUOUS, chance=percent / 100.0,
        at_most=partial(_at_most, family) if family.counts else None,
    )  # fmt: skip


def _chance(family: Family, sign: str, number: float, asked: Any) -> Functional:
    """The chance of responses on one side of a number, or of just that one."""
    if sign == "=" and number == 0.0 and (zero := own_outcomes(family).get(ZERO)):
        return zero
    if family.is_rate or (family.cdf is None and (sign != "=" or family.kind in CONTINUOUS)):
        raise _refuse(family, asked)
    if not math.isfinite(number):
        raise AnswerError(f"outcome={asked!r}: a finite number is needed.")
    if sign == "=":
        if family.kind in CONTINUOUS:
            raise AnswerError(
                f"outcome={asked!r}: a single value of the family {family} has the chance 0. Ask for a side of it, "
                f"such as outcome='>{number:g}'."
            )
        if number < 0.0 or number != round(number):
            raise AnswerError(f"outcome={asked!r}: counts are whole numbers from 0 on, so that it has the chance 0.")
    name = f"{number:g}" if sign == "=" else f"{sign}{number:g}"
    words = f"chance that {{}} is {number:g}" if sign == "=" else f"chance that {{}} is {SIGNS[sign]} {number:g}"
    if family.counts and number != round(number):  # whole numbers are on the same side of it and of the one below
        sign, number = sign.replace(">=", ">").replace("<", "<=").replace("<==", "<="), math.floor(number)
    return Functional(name, words, partial(_compared, family, sign, number), share=True)


def _limited(family: Family, horizon: float, asked: Any) -> Functional:
    """The restricted mean, of a response or a horizon, whichever comes first: the area below the survival up to it."""
    if family.limited_mean is None:
        raise _refuse(family, asked)
    if not 0.0 < horizon < math.inf:
        raise AnswerError(f"outcome={asked!r}: a horizon is a finite number above 0, such as 'mean<=90'.")
    value = partial(family.limited_mean, horizon)
    return Functional(f"mean<={horizon:g}", f"mean {{}} up to {horizon:g}", value, bounded=True)


def _compared(family: Family, sign: str, number: float, mu: Linear, *parameters: Any) -> Any:
    if sign == "=":
        return np.exp(family.log_density(NUMPY, (np.float64(number),), mu, *parameters))
    shape = np.broadcast_shapes(np.shape(mu.eta), *map(np.shape, parameters))
    if number < LEAST.get(family.kind, -np.inf):
        below = at_most = np.zeros(shape)
    elif number > LARGEST.get(family.kind, np.inf):
        below = at_most = np.ones(shape)
    elif family.log_tails is not None and number > LEAST.get(family.kind, -np.inf):
        log_below, log_above = family.log_tails(NUMPY, (np.float64(number),), mu, *parameters)
        return np.exp(log_above if sign.startswith(">") else log_below)
    else:
        assert family.cdf is not None
        with np.errstate(divide="ignore"):
            below, at_most = (np.broadcast_to(chance, shape) for chance in family.cdf((number,), mu, *parameters))
    return {"<": below, "<=": at_most, ">": 1.0 - at_most, ">=": 1.0 - below}[sign]


def _mean_above_zero(family: Family, mu: Linear, *parameters: Any) -> Any:
    """The mean over the chance of more than 0, which is 1 where it rounds to 0: at the least count, 1."""
    log_zero = family.log_density(NUMPY, (np.float64(0.0),), mu, *parameters)
    mean, more = family.mean(mu.eta, *parameters), -np.expm1(log_zero)
    return np.divide(mean, more, out=np.ones(np.broadcast_shapes(np.shape(mean), np.shape(more))), where=more > 0.0)


def _quantile(family: Family, chance: float, mu: Linear, *parameters: Any) -> Any:
    if family.quantile is not None:
        return family.quantile(chance, mu, *parameters)
    cdf = family.cdf
    assert cdf is not None
    shape = np.broadcast_shapes(np.shape(mu.eta), *map(np.shape, parameters))
    if family.counts:
        start = np.broadcast_to(family.mean(mu.eta, *parameters), shape)
        return smallest_count(chance, lambda count: _at_most(family, count, mu, *parameters), start)

    def at_most(t: Any) -> Any:
        return cdf((response_at(family, mu, t),), mu, *parameters)[1]

    def density(t: Any) -> Any:
        step = 1e-5 * np.maximum(np.abs(t), 1.0)
        return (at_most(t + step) - at_most(t - step)) / (2.0 * step)

    return inverted(chance, at_most, density, partial(response_at, family, mu), shape)


def _at_most(family: Family, count: Any, mu: Linear, *parameters: Any) -> Any:
    assert family.cdf is not None
    return family.cdf((count,), mu, *parameters)[1]


def response_at(family: Family, mu: Linear, t: Any) -> Any:
    """The response at a number t without ends: what it is sought by."""
    with np.errstate(over="ignore"):
        match family.kind:
            case "real":
                return mu.eta + np.sinh(t)
            case "unit":
                return 1.0 / (1.0 + np.exp(-t))
        return np.exp(t)


def _refuse(family: Family, outcome: Any) -> AnswerError:
    named = own_outcomes(family)
    known = [repr(name) for name in named]
    if knows_quantiles(family):
        known += ["quantiles such as 'q90'", "chances such as '>30'"]
        known += ["means up to a horizon such as 'mean<=90'"] if family.limited_mean else []
    elif family.counts:
        known.append("chances such as 3")
    close = nearest(outcome, named, 1, ALIKE) if isinstance(outcome, str) else []
    hint = f" Did you mean {close[0]!r}?" if close else ""
    why = "" if family.is_rate or family.cdf is not None else " Quantiles and chances need cdf= in its record."
    what = "is none of a rate of successes, which has its mean alone." if family.is_rate and len(named) == 1 else (
        f"is none of the family {family}, which has {', '.join(known)}.{why}"
    )  # fmt: skip
    return AnswerError(f"outcome={outcome!r} {what}{hint}")
