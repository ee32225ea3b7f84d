"""Whether predicted rates come true: observed against predicted rates, by isotonic regression.

Reliability without bins: the rates are those of pool-adjacent-violators on the predicted ones, and their intervals come
from data drawn from the posterior predictive distribution (Dimitriadis, Gneiting and Jordan 2021, PNAS 118).
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import optimize

from hiermod.answers.answer import check_prob
from hiermod.answers.expectation import expectation, in_blocks
from hiermod.answers.replicates import replicate_cells
from hiermod.errors import AnswerError
from hiermod.sampling.posterior import Posterior

ROUNDING = 1e-9  # predicted rates that differ by less are one


def calibration(posterior: Posterior, draws: int | None, prob: float) -> pd.DataFrame:
    """A row per distinct predicted rate: ``predicted, n, observed, lower, upper``.

    Raises
    ------
    AnswerError
        If the response is not one of rates.
    """
    check_prob(prob)
    if not posterior.spec.family.is_rate:
        raise AnswerError(
            f"Calibration holds predicted rates against observed ones; family {posterior.spec.family} has none. "
            "Look at fit.plot.loo_pit() or fit.plot.ppc()."
        )
    seen = replicate_cells(posterior, draws)
    model = expectation(posterior, "observed", exposed=True)
    blocks = in_blocks(seen.frame, int(np.prod(posterior.shape)))
    mean = np.concatenate([model.response(block).mean(axis=1) for block in blocks])
    order = np.argsort(mean, kind="stable")
    number = np.empty(len(mean), dtype=np.int64)
    number[order] = np.cumsum(np.diff(mean[order], prepend=mean[order[0]]) > ROUNDING)
    count = int(number.max()) + 1
    trials = np.bincount(number, seen.trials, count)
    predicted = np.bincount(number, seen.trials * mean, count) / trials
    observed, *drawn = (_increasing(np.bincount(number, own, count), trials) for own in (seen.observed, *seen.drawn))
    lower, upper = np.quantile(np.array(drawn), [(1.0 - prob) / 2.0, (1.0 + prob) / 2.0], axis=0)
    columns = {"predicted": predicted, "n": trials.astype(np.int64), "observed": observed}
    return pd.DataFrame({**columns, "lower": lower, "upper": upper})


def _increasing(successes: np.ndarray, trials: np.ndarray) -> np.ndarray:
    """The non-decreasing rates that are nearest to the raw ones."""
    return np.asarray(optimize.isotonic_regression(successes / trials, weights=trials).x)
