"""How much of the response's variance a model explains: the Bayesian R², conditional, marginal, and leave-one-out.

Gelman, Goodrich, Gabry and Vehtari (2019, The American Statistician 73, 307-309): in each draw the variance of the
expected responses over it and the mean variance of responses around them.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from hiermod.answers.answer import check_prob
from hiermod.answers.group_effects import Reading, same_for_all
from hiermod.answers.parameters.by_group import spread
from hiermod.answers.reader import block_slices, others_of, predicted, reader
from hiermod.answers.row_moments import RowMoments, trials_of_observations, weighted_observations
from hiermod.answers.scoring.held_out import Runs
from hiermod.answers.scoring.leave_one_out import good_k, log_weights, refuse, relative_efficiency
from hiermod.data.cells.observations import Observations, observations
from hiermod.errors import AnswerError
from hiermod.sampling.posterior import Posterior


def r2(posterior: Posterior, loo: bool, prob: float) -> tuple[pd.DataFrame, list[str]]:
    """Rows ``conditional, marginal`` and, with `loo` and where rows can be left out, ``loo``; and notices."""
    check_prob(prob)
    draws = _explained(posterior)
    notices: list[str] = []
    if loo:
        try:
            draws["loo"], notices = _left_out(posterior)
        except AnswerError as error:
            notices = [f"no leave-one-out R²: {error}"]
    table = pd.DataFrame(spread(np.column_stack(list(draws.values())), prob), index=pd.Index(draws, name="r2"))
    return table, notices


def _explained(posterior: Posterior) -> dict[str, np.ndarray]:
    """Conditional on the groups' effects, and marginal: effects at zero, and what they give counts as unexplained."""
    frame, weight = weighted_observations(posterior.spec)
    family = posterior.spec.family
    observed = reader(posterior, exposed=True)
    typical = reader(posterior, same_for_all(posterior.spec, Reading.TYPICAL), exposed=True)
    given, common, groups, residual = (RowMoments() for _ in range(4))
    for rows in block_slices(len(frame), posterior.size):
        part, times = frame.iloc[rows], weight[rows]
        mean, without = observed.mean(part), typical.mean(part)
        given.add(mean, times)
        common.add(without, times)
        groups.add(mean - without, times)
        residual.add(family.require("variance")(mean, *others_of(posterior, observed, part)), times)
    unexplained = residual.mean
    return {
        "conditional": _share(given.variance, unexplained),
        "marginal": _share(common.variance, unexplained + groups.variance),
    }


def _share(explained: np.ndarray, unexplained: np.ndarray) -> np.ndarray:
    """Nothing is explained where responses have no finite variance."""
    total = explained + unexplained
    return np.divide(explained, total, out=np.zeros_like(total), where=total > 0.0)


def _left_out(posterior: Posterior) -> tuple[np.ndarray, list[str]]:
    """One less the variance of errors over that of responses, under weights of rows by the Bayesian bootstrap."""
    refuse(posterior)
    if reason := posterior.spec.refuses("observed"):
        raise AnswerError(f"it is of errors of responses as observed, and {reason}")
    seen = observations(posterior.spec.cells)
    means, bad = Runs().once(posterior, "expected-without", seen, lambda: expected_without(posterior, seen))
    trials, response = trials_of_observations(seen), seen.responses[:, 0]
    squares = response if seen.responses.shape[1] == 2 else response**2
    errors = trials * means - response
    error_squares = trials * means**2 - 2.0 * means * response + squares
    rng, size = posterior.generator(1002), posterior.size
    sums = np.zeros((5, size))
    for place, times in enumerate(seen.times):
        row = np.array([trials[place], response[place], squares[place], errors[place], error_squares[place]])
        sums += row[:, None] * rng.standard_gamma(times, size)
    count, total, square, error, error_square = sums
    variance = square / count - (total / count) ** 2
    r_squared = 1.0 - (error_square / count - (error / count) ** 2) / variance
    notices = [f"leave-one-out R²: {bad:,} rows have a Pareto k that is too high; see fit.loo()"] if bad else []
    return np.clip(r_squared, -1.0, 1.0), notices


def expected_without(posterior: Posterior, seen: Observations) -> tuple[np.ndarray, int]:
    """The expected response of each observation under the other rows, and for how many rows that is not reliable."""
    family, model = posterior.spec.family, reader(posterior, exposed=True)
    efficiency, limit = relative_efficiency(posterior), good_k(posterior.size)
    means, bad = np.empty(len(seen)), 0
    for place, (response, row) in enumerate(predicted(model, seen)):
        weights, pareto_k = log_weights(model.log_density(response, row), efficiency)
        means[place] = np.exp(weights) @ family.mean(row.mu, *row.others)
        bad += 0 if pareto_k <= limit else int(seen.times[place])
    return means, bad
