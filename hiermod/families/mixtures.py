"""Families with a part of their own for zeros: zero-inflated ones and hurdles, built of families without it.

A zero-inflated response is 0 with the chance `zi`, and else one of its base, which may be 0 too. A hurdle's response is
0 with the chance `hu`, and else one of a family that has no zeros. As in brms, mu stays the base's own: the mean of its
responses, of truncated counts the mean before zeros are cut off, of lognormal numbers the mean logarithm.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from hiermod.data.columns.responses import ResponseRows, SingleRows, TrialsRows
from hiermod.errors import DataError
from hiermod.families.counts import GENPOIS, NBINOM1, NEGBINOMIAL, POISSON, take_counts
from hiermod.families.functionals import Functional
from hiermod.families.links import Link
from hiermod.families.names import LINKS
from hiermod.families.ops import Ops
from hiermod.families.outcomes import POSITIVE, ZERO
from hiermod.families.positive import GAMMA, LOGNORMAL
from hiermod.families.rates import BETA_BINOMIAL, BINOMIAL
from hiermod.families.real import take_numbers
from hiermod.families.record import Chances, Family, Linear, Parameter, first_wrong
from hiermod.families.truncated import POSITIVE_COUNTS

SMALLEST_CHANCE = 1e-300
LOG_MEAN = "log of the mean"


def log_shares(ops: Ops, share: Any) -> tuple[Any, Any]:
    """The logarithms of a share and of what it leaves to 1, by its linear predictor where it has one."""
    if isinstance(share, Linear):
        assert share.link.log_rates is not None
        log_share, log_rest = share.link.log_rates(ops, share.eta)
        return log_share, log_rest
    return ops.log(share), ops.log1p(-share)


def _times(share: Any, link: Link) -> Link:
    """The link of a mean, a share of which is left; only a logarithm's keeps closed forms over a population."""
    named = link.name if link.name == "log" else f"{link.name}_shared"
    return replace(
        link, name=named, forward=partial(_whole, share, link), inverse=partial(_part, share, link.inverse),
        slope=partial(_part, share, link.slope), log_rates=None,
        log_inverse=link.log_inverse and partial(_log_part, share, link.log_inverse),
    )  # fmt: skip


def _whole(share: Any, link: Link, mean: Any) -> Any:
    return link.forward(mean / share)


def _part(share: Any, function: Callable[[Any], Any], eta: Any) -> Any:
    return share * function(eta)


def _log_part(share: Any, function: Callable[[Any], Any], eta: Any) -> Any:
    return np.log(share) + function(eta)


def _mean_link(base: Family, link: Link, *parameters: Any) -> Link:
    """That of the base, of which zeros of their own leave the rest."""
    *own, share = parameters
    return _times(1.0 - share, base.mean_link(link, *own))


def _variance(base: Family, mean: Any, *parameters: Any) -> Any:
    """Within the base's responses, and between these and 0."""
    *own, share = parameters
    inner = mean / (1.0 - share)
    assert base.variance is not None
    return (1.0 - share) * base.variance(inner, *own) + share * mean * inner


def _draw(base: Family, rng: np.random.Generator, shape: Any, mean: Any, trials: Any, *parameters: Any) -> Any:
    *own, share = parameters
    assert base.draw is not None
    drawn = base.draw(rng, shape, mean / (1.0 - share), trials, *own)
    return np.where(rng.random(shape) < share, 0.0, drawn)


def _inflated(base: Family, ops: Ops, response: Any, mu: Linear, *parameters: Any) -> Any:
    """A zero is one of either kind."""
    *own, share = parameters
    log_zero, log_rest = log_shares(ops, share)
    density = log_rest + base.log_density(ops, response, mu, *own)
    return ops.where(response[0] > 0.0, density, log_zero + ops.softplus(density - log_zero))


def _inflated_cdf(base: Family, response: Any, mu: Linear, *parameters: Any) -> Chances:
    *own, share = parameters
    assert base.cdf is not None
    below, up_to = base.cdf(response, mu, *own)
    return np.where(response[0] > 0.0, share + (1.0 - share) * below, below), share + (1.0 - share) * up_to


def _usual(base: Family) -> float:
    """A response above 0."""
    return 0.5 if base.kind == "unit" else 1.0


def _hurdle(base: Family, ops: Ops, response: Any, mu: Linear, *parameters: Any) -> Any:
    """Zeros have one kind; what is computed of a number above 0 there, is of one that there can be."""
    *own, share = parameters
    log_zero, log_rest = log_shares(ops, share)
    above = response[0] > 0.0
    density = log_rest + base.log_density(ops, (ops.where(above, response[0], _usual(base)),), mu, *own)
    return ops.where(above, density, log_zero)


def _hurdle_cdf(base: Family, response: Any, mu: Linear, *parameters: Any) -> Chances:
    *own, share = parameters
    assert base.cdf is not None
    above = response[0] > 0.0
    below, up_to = base.cdf((np.where(above, response[0], _usual(base)), *response[1:]), mu, *own)
    return np.where(above, share + (1.0 - share) * below, 0.0), share + np.where(above, (1.0 - share) * up_to, 0.0)


def _hurdle_quantile(base: Family, chance: float, mu: Linear, *parameters: Any) -> Any:
    """0 up to the chance of zeros, and above it the quantile of what is not 0."""
    *own, share = parameters
    assert base.quantile is not None
    rest = np.maximum(chance - share, 0.0) / (1.0 - share)
    return np.where(rest > 0.0, base.quantile(np.maximum(rest, SMALLEST_CHANCE), mu, *own), 0.0)


def _share(_: Linear, *parameters: Any) -> Any:
    return parameters[-1]


def _link_of_share(link: Link, *_: Any) -> Link:
    return link


def _mean_of_base(base: Family, link: Link, *parameters: Any) -> Link:
    return base.mean_link(link, *parameters[:-1])


def take_from_zero(name: str, response: ResponseRows) -> None:
    """Refuse numbers below 0, and those above 0 which are all the same: nothing tells how far they vary."""
    take_numbers(name, response)
    assert isinstance(response, SingleRows)
    wrong = np.flatnonzero(response.values < 0.0)
    if len(wrong):
        raise DataError(
            f"The family {name} takes numbers from 0 on; {response.name!r} holds {first_wrong(response, wrong)}. "
            "Where numbers below 0 are possible, another family fits, such as 'student'."
        )
    above = response.values[response.values > 0.0]
    if len(above) and (above == above[0]).all():
        raise DataError(
            f"All numbers above 0 in {response.name!r} are {above[0]:g}, so that nothing tells how far they vary. "
            f"The family bernoulli models alone whether a response is above 0: I({response.name} > 0)."
        )


def take_several_trials(name: str, response: ResponseRows) -> None:
    """Refuse single trials, which cannot tell zeros of two kinds apart."""
    if isinstance(response, TrialsRows) and (response.trials > 1.0).any():
        return
    what = f"{response.name!r} is one column" if isinstance(response, SingleRows) else "here each row has one"
    raise DataError(
        f"The family {name} takes successes out of several trials; {what}. Single trials cannot tell two kinds of "
        "zeros apart: say family='bernoulli', or write successes/trials."
    )


def zero_inflated(base: Family) -> Family:
    """The family of responses that are 0 with the chance `zi`, and else those of `base`, which may be 0 too.

    Lambert (1992, Technometrics 34, 1-14).
    """
    share = Parameter("zi", "share of further zeros", "share", support="unit")
    record = _with_zeros(base, f"zero_inflated_{base.name}", share)
    return replace(
        record, zeros="inflated", statistic="pairs" if base.is_rate else "values",
        check=take_several_trials if base.is_rate else take_counts,
        log_density=partial(_inflated, base), cdf=partial(_inflated_cdf, base),
        kernel=f"zero_inflated_{base.kernel}" if base.name not in BY_PYMC else None,
        response=f"{base.response}, with further zeros", latex=_latex("zi", base.latex),
        words=f"With the chance zi it is 0, and else {base.name}.{_sentence(base)}",
        location="" if base.is_rate else "log of the mean beside further zeros",
    )  # fmt: skip


def hurdle(base: Family, name: str, title: str = "", hu: str = "hu") -> Family:
    """The family of responses that are 0 with the chance `hu`, and else those of `base`, which has no zeros.

    Mullahy (1986, Journal of Econometrics 33, 341-365). It may have another `title` than ``hurdle_``.
    """
    without = " without zeros" if base.counts else ""
    record = _with_zeros(base, title or f"hurdle_{name}", Parameter(hu, "share of zeros", "share", support="unit"))
    return replace(
        record, zeros="hurdle", outcomes=_outcomes(base, hu),
        quantile=None if base.quantile is None else partial(_hurdle_quantile, base),
        check=take_counts if base.counts else take_from_zero,
        log_density=partial(_hurdle, base), cdf=partial(_hurdle_cdf, base),
        kernel=f"hurdle_{name}" if name not in BY_PYMC else None,
        response="counts, whose zeros are another matter" if base.counts else "numbers above 0, and zeros",
        latex=_latex(hu, base.latex),
        words=f"With the chance {hu} it is 0, and else {name}{without}.{_sentence(base)}",
        location="log of the mean before zeros are cut off" if base.counts else f"{base.location or LOG_MEAN} above 0",
    )  # fmt: skip


def _with_zeros(base: Family, name: str, share: Parameter) -> Family:
    return replace(
        base, name=name, links=LINKS[name], parameters=(*base.parameters, share), rated="",  # type: ignore[index]
        mean_link=partial(_mean_link, base), variance=partial(_variance, base), draw=partial(_draw, base),
        correlation=None, median_link=None, quantile=None, outcomes=(), bambi=None,
        log_tails=None, limited_mean=None,
    )  # fmt: skip


def _outcomes(base: Family, hu: str) -> tuple[Functional, ...]:
    """The share of zeros, and the mean of what is above 0."""
    zero = Functional(ZERO, "chance that {} is 0", _share, _link_of_share, of=hu, uses=(hu,), share=True)
    uses = ("mu", *(base.auxiliary if base.expected.uses is None else ()))
    above = Functional(POSITIVE, "mean {} above 0", link=partial(_mean_of_base, base), uses=uses)
    return zero, above


def _latex(share: str, base: str) -> str:
    return rf"\mathit{{{share}}} \cdot \delta_0 + (1 - \mathit{{{share}}}) \cdot {base}"


def _sentence(base: Family) -> str:
    return f" {base.words}" if base.words else ""


BY_PYMC = ("nbinom1", "genpois", "beta")  # families whose counterparts with zeros of their own the engine does not have
FAMILIES = (
    *(zero_inflated(base) for base in (POISSON, NEGBINOMIAL, NBINOM1, GENPOIS, BINOMIAL, BETA_BINOMIAL)),
    *(hurdle(base, base.name.removeprefix("truncated_")) for base in (*POSITIVE_COUNTS, GAMMA, LOGNORMAL)),
)
