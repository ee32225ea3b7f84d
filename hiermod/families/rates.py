"""Families of successes: bernoulli, binomial and beta_binomial."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import special

from hiermod.data.columns.responses import ResponseRows, SingleRows, TallyRows, TrialsRows
from hiermod.errors import DataError
from hiermod.families.links import LOGIT
from hiermod.families.names import LINKS, RATE_LINKS
from hiermod.families.ops import NUMPY, Ops, rise
from hiermod.families.record import Chances, Family, Linear, Parameter, overdispersion

SMALLEST_SHAPE = 1e-300  # of a Beta distribution; a rate that rounds to 0 has none


def take_trials(_: str, response: ResponseRows) -> None:
    """Refuse what is neither 0/1 nor successes out of trials."""
    if isinstance(response, SingleRows) and not response.binary:
        wrong = response.values[~np.isin(response.values, (0.0, 1.0))][0]
        raise DataError(
            f"A binomial family needs 0/1 values or successes out of trials; {response.name!r} holds {wrong:g}. "
            "Write successes/trials, or cbind(successes, failures)."
        )


def _take_single_trials(name: str, response: ResponseRows) -> None:
    if isinstance(response, TrialsRows):
        raise DataError("The family bernoulli takes one 0/1 column; for successes out of trials say family='binomial'.")
    take_trials(name, response)


def _take_several_trials(name: str, response: ResponseRows) -> None:
    assert not isinstance(response, TallyRows)  # which `choose_family` refuses
    if isinstance(response, SingleRows) or (response.trials <= 1.0).all():
        what = f"{response.name!r} is one column" if isinstance(response, SingleRows) else "here each row has one"
        raise DataError(
            f"The family {name} takes successes out of several trials; {what}. Single trials cannot show "
            "overdispersion: say family='bernoulli', or write successes/trials."
        )


def log_rates(ops: Ops, mu: Linear) -> tuple[Any, Any]:
    """The logarithms of the chances of success and of failure."""
    assert mu.link.log_rates is not None
    return mu.link.log_rates(ops, mu.link.held(ops, mu.eta))


def log_kernel(ops: Ops, successes: Any, trials: Any, mu: Linear) -> Any:
    """The binomial log density without its constant; that of sums too."""
    log_success, log_failure = log_rates(ops, mu)
    return mu.link.limited(ops, mu.eta, successes * log_success + (trials - successes) * log_failure)


def _binomial(ops: Ops, response: Any, mu: Linear) -> Any:
    successes, trials = response
    return log_kernel(ops, successes, trials, mu) + ops.log_choose(trials, successes)


def _beta_binomial(ops: Ops, response: Any, mu: Linear, kappa: Any) -> Any:
    """Successes of trials whose rate is ``Beta(mu·kappa, (1 - mu)·kappa)``.

    With ``a = mu·kappa`` and ``b = (1 - mu)·kappa`` it is a(a + 1)… b(b + 1)… / kappa(kappa + 1)…, as many factors as
    there are successes, failures and trials. Each first one is taken by its logarithm, since a and b may round to 0.
    """
    successes, trials = response
    log_success, log_failure = log_rates(ops, mu)
    success, failure, failures = ops.exp(log_success), ops.exp(log_failure), trials - successes
    both = ops.minimum(ops.minimum(successes, failures), 1.0)
    return (
        _factors(ops, successes, log_success, success, failure, kappa)
        + _factors(ops, failures, log_failure, failure, success, kappa)
        - both * ops.log1p(1.0 / kappa)
        - rise(ops, 1.0 + kappa, trials - 1.0)
        + ops.log_choose(trials, successes)
    )


def _factors(ops: Ops, count: Any, log_rate: Any, rate: Any, other: Any, kappa: Any) -> Any:
    """a(a + 1)… for ``a = rate·kappa``, its first factor divided by kappa and the others by ``kappa + 1``."""
    further = ops.maximum(count - 1.0, 0.0)
    ratio = ops.log(rate + other / (1.0 + kappa))
    return ops.where(count > 0.0, log_rate + further * ratio + rise(ops, 1.0 + rate * kappa, further), 0.0)


def _binomial_cdf(response: Any, mu: Linear) -> Chances:
    (successes, trials), rate = response, mu.link.inverse(mu.eta)
    below = special.bdtr(successes - 1.0, int(trials), rate) if successes else np.zeros_like(rate)
    return below, special.bdtr(successes, int(trials), rate)


def _beta_binomial_cdf(response: Any, mu: Linear, kappa: Any) -> Chances:
    """Sums of probabilities over the side with fewer terms."""
    successes, trials = (int(number) for number in response)
    from_below = 2 * successes <= trials
    side = range(successes) if from_below else range(successes + 1, trials + 1)
    total = np.zeros_like(mu.eta)
    for count in side:
        total += np.exp(_beta_binomial(NUMPY, (float(count), float(trials)), mu, kappa))
    equal = np.exp(_beta_binomial(NUMPY, response, mu, kappa))
    return (total, total + equal) if from_below else (1.0 - total - equal, 1.0 - total)


def _variance(rate: Any, *_: Any) -> Any:
    return rate * (1.0 - rate)


def _independent(*_: Any) -> Any:
    """Trials of a row have the rate of the row, and nothing else in common."""
    return 0.0


def _share_of_rows(kappa: Any) -> Any:
    """Trials of a row have a rate in common, which varies between rows."""
    return 1.0 / (1.0 + kappa)


def _draw(rng: np.random.Generator, shape: Any, mean: Any, trials: Any) -> np.ndarray:
    return rng.binomial(np.asarray(trials).astype(np.int64), np.clip(mean, 0.0, 1.0), shape).astype(float)


def _draw_beta(rng: np.random.Generator, shape: Any, mean: Any, trials: Any, kappa: Any) -> np.ndarray:
    rate = np.clip(mean, 0.0, 1.0)
    successes, failures = (np.maximum(share * kappa, SMALLEST_SHAPE) for share in (rate, 1.0 - rate))
    return _draw(rng, shape, rng.beta(successes, failures, shape), trials)


BERNOULLI = Family(
    name="bernoulli", links=LINKS["bernoulli"], link=LOGIT, kind="rate", parameters=(), statistic="trials",
    check=_take_single_trials, log_density=_binomial, cdf=_binomial_cdf, variance=_variance,
    correlation=_independent, draw=_draw, kernel="trials", bambi="bernoulli", response="0/1",
    latex=r"\operatorname{Bernoulli}(\mu_i)",
)  # fmt: skip
BINOMIAL = Family(
    name="binomial", links=LINKS["binomial"], link=LOGIT, kind="rate", parameters=(), statistic="trials",
    check=take_trials, log_density=_binomial, cdf=_binomial_cdf, variance=_variance,
    correlation=_independent, draw=_draw, kernel="trials", bambi="binomial", response="successes out of trials",
    latex=r"\operatorname{Binomial}(n_i, \mu_i)",
)  # fmt: skip
BETA_BINOMIAL = Family(
    name="beta_binomial", links=RATE_LINKS, link=LOGIT, kind="rate",
    parameters=(Parameter("kappa", "rates are Beta(mu·kappa, (1 - mu)·kappa)", "precision", overdispersion, True),),
    statistic="pairs", check=_take_several_trials, log_density=_beta_binomial, cdf=_beta_binomial_cdf,
    variance=_variance, correlation=_share_of_rows, draw=_draw_beta, kernel="beta_binomial", bambi="beta_binomial",
    response="successes out of trials that vary more than chance",
    latex=r"\operatorname{BetaBinomial}(n_i, \mu_i \kappa, (1 - \mu_i) \kappa)",
    words="With rate mu, each row's own rate is a draw from Beta(mu·kappa, (1 - mu)·kappa).",
)  # fmt: skip
FAMILIES = (BERNOULLI, BINOMIAL, BETA_BINOMIAL)
