"""Replicated data beside the data: statistics with predictive p-values, LOO-PIT, calibration."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from numbers import Integral
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from scipy import optimize

from hiermod.answers.answer import check_prob
from hiermod.answers.averaging.columns import check_columns, check_results
from hiermod.answers.reader import in_blocks, others_of, predicted, reader, refuse_tallies
from hiermod.answers.scoring.leave_one_out import log_weights, refuse, relative_efficiency
from hiermod.data.cells.observations import observations
from hiermod.data.cells.statistics import BinomialCells, MeasuredCells, PairCells, TallyCells
from hiermod.errors import AnswerError, did_you_mean
from hiermod.families.record import Family
from hiermod.modeling.protocol import ModelSpec
from hiermod.sampling.posterior import Posterior

LARGEST = 20_000_000  # responses drawn at once
USUAL, FEWEST = 200, 20  # replicated data sets


@dataclass(frozen=True, eq=False)
class Replicated:
    """What was observed and what was drawn in its place.

    Parameters
    ----------
    frame : pandas.DataFrame
        The predictors and groups of each observation.
    trials : numpy.ndarray, shape (rows,)
        Of each observation, 1 where it has none.
    observed : numpy.ndarray, shape (rows,)
        Successes, counts or values.
    drawn : numpy.ndarray, shape (draws, rows)
        The same of each replicated data set.
    """

    frame: pd.DataFrame
    trials: np.ndarray
    observed: np.ndarray
    drawn: np.ndarray


def replicate_rows(posterior: Posterior, draws: int | None = None) -> Replicated:
    """Draw the response of every row of the data anew; a row of frequency weight 3 is three rows.

    Raises
    ------
    AnswerError
        If the rows are not known here, or are too many.
    """
    cells = posterior.spec.cells
    named = posterior.spec.family.kind == "category"  # as which rows are drawn, without an order or a mean
    if not named and (reason := posterior.spec.refuses("observed")):
        raise AnswerError(
            f"Rows are drawn anew here to be set beside those observed, and {reason}. fit.loo_pit() and "
            "fit.residuals(type='quantile') take these."
        )
    if not cells.rows_kept:
        raise AnswerError(
            "Rows are drawn anew here, and these were aggregated where the data is: only cells are known. "
            "Fit a sample of the rows that fits in memory."
        )
    response = cells.response
    times = response.row_times.astype(np.int64)
    rows = int(response.count.sum()) if isinstance(response, TallyCells) else int(times.sum())
    count = _count(posterior, draws, rows)
    if rows * count > LARGEST:
        raise AnswerError(
            f"Every row is drawn anew, and {count} draws of {rows:,} rows are more than {LARGEST:,} numbers. Ask for "
            f"fewer draws=, or fit a sample of the rows; of rates, kind='bars' needs cells alone."
        )
    frame, cell = cells.observations()
    if not cells.averaged:
        frame, place = cells.frame, np.repeat(cell, times)
    else:
        place = np.repeat(np.arange(len(frame)), times)
    if isinstance(response, BinomialCells | PairCells):
        observed, trials = np.repeat(response.row_successes, times), np.repeat(response.row_trials, times)
    elif isinstance(response, TallyCells):  # each trial by itself
        counts = response.count.astype(np.int64)
        place, observed = np.repeat(np.arange(len(cells)), counts), np.repeat(response.value, counts)
        trials = np.ones(len(observed))
    else:
        observed, trials = np.repeat(response.row_values, times), np.ones(rows)
    errors = np.repeat(response.row_errors, times) if isinstance(response, MeasuredCells) else trials
    drawn = _drawn(posterior, frame, place, errors, count)
    return Replicated(frame.iloc[place].reset_index(drop=True), trials, observed.astype(float), drawn)


def replicate_cells(posterior: Posterior, draws: int | None = None) -> Replicated:
    """Draw the successes of whole cells of trials, which are binomial as well; of other responses, rows."""
    cells = posterior.spec.cells
    if not isinstance(cells.response, BinomialCells):
        return replicate_rows(posterior, draws)
    count = _count(posterior, draws, len(cells))
    place = np.arange(len(cells))
    drawn = _drawn(posterior, cells.frame, place, cells.response.trials, count)
    return Replicated(cells.frame, cells.response.trials, cells.response.successes, drawn)


def thinned(posterior: Posterior, count: int) -> Posterior:
    """A posterior of `count` of its draws, evenly spread over the chains, as one chain."""
    places = np.linspace(0, posterior.size - 1, min(count, posterior.size)).astype(np.int64)
    kept = {}
    for name in posterior.dataset.data_vars:
        values = posterior.values(str(name))[places][None]
        kept[str(name)] = (("chain", "draw", *(f"{name}_{axis}" for axis in range(values.ndim - 2))), values)
    return replace(posterior, tree=xr.DataTree.from_dict({"posterior": xr.Dataset(kept)}))


def _count(posterior: Posterior, draws: Any, rows: int) -> int:
    """How many data sets: those asked for, else as many as fit."""
    total = posterior.size
    if draws is None:
        return min(total, max(FEWEST, min(USUAL, LARGEST // max(rows, 1))))
    if isinstance(draws, bool) or not isinstance(draws, Integral) or not 1 <= int(draws) <= total:
        raise AnswerError(f"draws={draws!r}: a whole number from 1 to {total:,}, the number of draws there are.")
    return int(draws)


def _drawn(posterior: Posterior, frame: pd.DataFrame, place: np.ndarray, trials: np.ndarray, count: int) -> np.ndarray:
    some, family = thinned(posterior, count), posterior.spec.family
    model = reader(some, exposed=True)
    read = (lambda block: model.at(block).mu) if family.categories else model.mean
    mean = np.concatenate([read(block) for block in in_blocks(frame, count)])[place]
    own = others_of(some, model, frame.iloc[place])
    return family.draw_responses(mean, trials[:, None], own, posterior.generator(1001)).T


COMPUTED = ("stat", "observed", "estimate", "lower", "upper", "p")
Statistic = Callable[[np.ndarray], Any]
STATISTICS: dict[str, Statistic] = {
    "mean": np.mean,
    "sd": np.std,
    "min": np.min,
    "median": np.median,
    "max": np.max,
    "zeros": lambda values: np.mean(values == 0),
}


def replicate_scores(posterior: Posterior, draws: int | None = None) -> Replicated:
    """As `replicate_rows`; categories by what each counts in a mean score."""
    seen, family = replicate_rows(posterior, draws), posterior.spec.family
    if not family.categories:
        return seen
    scores = np.array(family.scores)
    observed, drawn = (scores[places.astype(np.int64) - 1] for places in (seen.observed, seen.drawn))
    return Replicated(seen.frame, seen.trials, observed, drawn)


def predictive_check(posterior: Posterior, stat: Any, by: Any, draws: int | None, prob: float) -> pd.DataFrame:
    """A row per statistic and `by` cell: ``stat, observed, estimate, lower, upper, p``."""
    check_prob(prob)
    names = check_columns(posterior.spec, by)
    chosen = _usual(posterior.spec) if stat is None else read_statistics(stat, posterior.spec.family)
    check_results(names, COMPUTED)
    seen = replicate_scores(posterior, draws)
    number, keys = numbered(seen.frame, names)
    rows = []
    for place in range(len(keys)):
        inside = part(seen, number == place)
        key: dict[Any, Any] = keys.iloc[place].to_dict()
        for name, statistic in chosen.items():
            rows.append(key | summary(name, *both(inside, name, statistic), prob))
    return pd.DataFrame(rows)


def _usual(spec: ModelSpec) -> dict[str, Statistic]:
    """The statistics that say something of a family: of categories the share of each."""
    family = spec.family
    if family.categories:
        pairs = zip(family.categories, family.scores, strict=True)
        return {f"share of {level}": partial(_share, score) for level, score in pairs}
    return read_statistics(_usual_names(spec), family)


def _share(score: float, values: np.ndarray) -> float:
    return float(np.mean(values == score))


def _usual_names(spec: ModelSpec) -> list[str]:
    """Of single trials their mean alone."""
    if spec.family.is_rate and isinstance(spec.cells.response, BinomialCells | PairCells):
        return ["mean"] if (spec.cells.response.row_trials == 1.0).all() else ["mean", "sd", "min", "max", "zeros"]
    return ["mean", "sd", "max", "zeros"] if spec.family.counts else ["mean", "sd", "min", "median", "max"]


def read_statistics(stat: Any, family: Family) -> dict[str, Statistic]:
    """Read ``stat=``: a name, a function of an array, or a list of both.

    Raises
    ------
    AnswerError
        If there is no such statistic, or none of categories without an order.
    """
    if family.kind == "category":
        raise AnswerError(
            f"stat={stat!r}: categories without an order have no statistic but the share of each, which ppc() gives "
            "without stat=."
        )
    statistics: dict[str, Statistic] = {}
    for each in stat if isinstance(stat, list | tuple) else [stat]:
        name = each if isinstance(each, str) else str(getattr(each, "__name__", each))
        if name in statistics:
            raise AnswerError(f"stat=: two statistics are called {name!r}. Give functions names of their own (def).")
        if callable(each):
            statistics[name] = each
        elif isinstance(each, str) and each in STATISTICS:
            statistics[name] = STATISTICS[each]
        else:
            hint = did_you_mean(str(each), STATISTICS)
            raise AnswerError(f"stat={each!r}: a name or a function of an array is needed.{hint}")
    if not statistics:
        raise AnswerError(f"stat= is empty: name one of {', '.join(STATISTICS)}, or leave it out.")
    return statistics


def both(seen: Replicated, name: str, statistic: Statistic) -> tuple[float, np.ndarray]:
    """A statistic of what was observed, and of each replicated data set; of trials, rows are shares of successes."""
    observed = _number(statistic(seen.observed / seen.trials), name)
    return observed, np.array([_number(statistic(drawn / seen.trials), name) for drawn in seen.drawn])


def _number(value: Any, name: str) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = np.nan
    if np.isnan(number):
        shown = f"an array of shape {np.shape(value)}" if np.ndim(value) else repr(value)
        raise AnswerError(f"stat={name}: it gives {shown}, not a number. A statistic turns an array into one number.")
    return number


def p_value(observed: float, drawn: np.ndarray) -> float:
    """P(T(replicated) > T(observed)), ties counted half."""
    return float((drawn > observed).mean() + 0.5 * (drawn == observed).mean())


def summary(name: str, observed: float, drawn: np.ndarray, prob: float) -> dict[Any, Any]:
    """One row of the table."""
    lower, upper = np.quantile(drawn, [(1.0 - prob) / 2.0, (1.0 + prob) / 2.0])
    return {
        "stat": name, "observed": observed, "estimate": drawn.mean(), "lower": lower, "upper": upper,
        "p": p_value(observed, drawn),
    }  # fmt: skip


def numbered(frame: pd.DataFrame, names: tuple[str, ...]) -> tuple[np.ndarray, pd.DataFrame]:
    """The number of each row's combination of `names`, in the order of levels, and those combinations."""
    if not names:
        return np.zeros(len(frame), dtype=np.int64), pd.DataFrame(index=[0])
    number = frame.groupby(list(names), observed=True, sort=True).ngroup().to_numpy()
    first = np.unique(number, return_index=True)[1]
    return number, frame.iloc[first][list(names)].reset_index(drop=True)


def part(seen: Replicated, chosen: np.ndarray) -> Replicated:
    """Some of the observations."""
    return Replicated(seen.frame[chosen], seen.trials[chosen], seen.observed[chosen], seen.drawn[:, chosen])


def shares(seen: Replicated, number: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Successes over trials, or means, of each combination of rows: observed ``(cells,)``, drawn ``(draws, cells)``."""
    total = np.bincount(number, seen.trials, count)
    observed = np.bincount(number, seen.observed, count) / total
    drawn = np.array([np.bincount(number, drawn, count) / total for drawn in seen.drawn])
    return observed, drawn


def loo_pit(posterior: Posterior) -> pd.DataFrame:
    """A row per distinct observation: ``cell``, its response, ``times, lower, upper, pareto_k``.

    `lower` is P(Y < y) and `upper` P(Y <= y) under the other rows; equal where the response is continuous.
    """
    refuse(posterior)
    refuse_tallies(posterior, "fit.loo_pit() is of one number a row")
    family, model = posterior.spec.family, reader(posterior, exposed=True)
    seen = observations(posterior.spec.cells, family.counts)
    efficiency = relative_efficiency(posterior)
    rng = posterior.generator(1003)
    columns = np.empty((3, len(seen)))
    for place, (response, row) in enumerate(predicted(model, seen)):
        weights, pareto_k = log_weights(model.log_density(response, row), efficiency)
        chances = family.chances(response, family.mean(row.mu, *row.others), row.mu, row.others, rng)
        columns[:, place] = *(np.clip(np.exp(weights) @ chance, 0.0, 1.0) for chance in chances), pareto_k
    return seen.table.assign(**dict(zip(("lower", "upper", "pareto_k"), columns, strict=True)))


def histogram(table: pd.DataFrame, bins: int) -> np.ndarray:
    """The share of rows in each of `bins` equal parts of (0, 1).

    An observation of a discrete response is spread evenly over its interval (Czado, Gneiting and Held 2009), so that
    the histogram is flat under the true model and nothing is drawn at random.
    """
    edges = np.linspace(0.0, 1.0, bins + 1)
    lower, upper = table["lower"].to_numpy(), table["upper"].to_numpy()
    width = np.maximum(upper - lower, 1e-12)
    reached = np.clip((edges[:, None] - lower) / width, 0.0, 1.0)
    reached[-1] = 1.0
    times = table["times"].to_numpy(dtype=float)
    return np.diff(reached, axis=0) @ times / times.sum()


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
        look = "fit.plot.ppc()" if posterior.spec.family.categories else "fit.plot.loo_pit() or fit.plot.ppc()"
        raise AnswerError(
            f"Calibration holds predicted rates against observed ones; family {posterior.spec.family} has none. Look "
            f"at {look}."
        )
    seen = replicate_cells(posterior, draws)
    model = reader(posterior, exposed=True)
    blocks = in_blocks(seen.frame, posterior.size)
    mean = np.concatenate([model.mean(block).mean(axis=1) for block in blocks])
    order = np.argsort(mean, kind="stable")
    number = np.empty(len(mean), dtype=np.int64)
    number[order] = np.cumsum(np.diff(mean[order], prepend=mean[order[0]]) > ROUNDING)
    count = int(number.max()) + 1
    trials = np.bincount(number, seen.trials, count)
    predicted = np.bincount(number, seen.trials * mean, count) / trials
    observed, *drawn = (_increasing(np.bincount(number, each, count), trials) for each in (seen.observed, *seen.drawn))
    lower, upper = np.quantile(np.array(drawn), [(1.0 - prob) / 2.0, (1.0 + prob) / 2.0], axis=0)
    columns = {"predicted": predicted, "n": trials.astype(np.int64), "observed": observed}
    return pd.DataFrame({**columns, "lower": lower, "upper": upper})


def _increasing(successes: np.ndarray, trials: np.ndarray) -> np.ndarray:
    """The non-decreasing rates that are nearest to the raw ones."""
    return np.asarray(optimize.isotonic_regression(successes / trials, weights=trials).x)
