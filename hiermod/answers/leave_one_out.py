"""Leave-one-out cross-validation of rows, from cells: each distinct observation once, counted as often as it occurs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
from arviz_stats.base.array import array_stats
from scipy import special

from hiermod.answers.expectation import expectation, in_blocks
from hiermod.answers.observation_density import log_density
from hiermod.data.cells import Cells
from hiermod.data.statistics import BinomialCells, PairCells
from hiermod.errors import AnswerError
from hiermod.modeling.beta_pooling import BetaSpec
from hiermod.sampling.diagnostics import representative
from hiermod.sampling.effective import mean_sizes
from hiermod.sampling.posterior import Posterior

MIN_DRAWS = 25  # below, a tail has fewer than the five draws that a Pareto distribution is fitted to
EQUAL_RATIOS = 1e-12


@dataclass(frozen=True, eq=False)
class LeaveOneOut:
    """The expected log predictive density of each row, had the model not seen it; its repr is a summary.

    Parameters
    ----------
    elpd : float
        Expected log pointwise predictive density, a sum over rows; higher is better.
    se : float
        Its standard error over rows.
    p : float
        Effective number of parameters.
    n : int
        Number of rows; a row with a frequency weight counts that often.
    draws : int
        Posterior draws that it is computed from.
    pointwise : pandas.DataFrame
        A row per distinct observation: its ``cell`` (row of ``fit.cells``), its response (``successes, trials`` or
        ``value``), how many rows are equal to it (``times``), and the ``elpd, p, pareto_k`` of each of them.
    """

    elpd: float
    se: float
    p: float
    n: int
    draws: int
    pointwise: pd.DataFrame

    @property
    def pareto_k(self) -> pd.Series:
        """Shape of the tail of each distinct observation's importance ratios.

        NaN where no Pareto distribution can be fitted, -inf where all ratios are equal.
        """
        return self.pointwise["pareto_k"]

    @property
    def good_k(self) -> float:
        """The largest Pareto k at which so many draws give a reliable estimate."""
        return float(min(1.0 - 1.0 / np.log10(self.draws), 0.7))

    @property
    def unreliable(self) -> pd.DataFrame:
        """The rows of `pointwise` whose Pareto k is above `good_k`, or not known."""
        return self.pointwise[~(self.pareto_k <= self.good_k)]

    @property
    def warning(self) -> bool:
        """Whether some observation's estimate is not reliable."""
        return len(self.unreliable) > 0

    @property
    def table(self) -> pd.DataFrame:
        """One row, ``loo``: ``elpd, se, p, n, warning, good_k``."""
        names = ("elpd", "se", "p", "n", "warning", "good_k")
        return pd.DataFrame({name: [getattr(self, name)] for name in names}, index=["loo"])

    def __repr__(self) -> str:
        elpd, p, distinct = f"{self.elpd:,.2f}", f"{self.p:,.2f}", len(self.pointwise)
        width = max(len(elpd), len(p))
        return "\n".join(
            [
                f"elpd_loo  {elpd:>{width}}  SE {self.se:,.2f}",
                f"   p_loo  {p:>{width}}",
                f"{self.n:,} observations, {_of(distinct, self.n)} distinct; {self.draws:,} draws",
                *self._verdict(),
            ]
        )

    def _verdict(self) -> list[str]:
        if not self.warning:
            return [f"Pareto k: none above {self.good_k:.2f} (largest {self.pareto_k.max():.2f})."]
        bad = self.unreliable
        rows = int(bad["times"].sum())
        return [
            f"Pareto k: above {self.good_k:.2f} for {rows:,} observations, {_of(len(bad), rows)} distinct "
            f"(largest {self.pareto_k.max():.2f}).",
            "  -> their elpd is not reliable, and elpd_loo is likely too high. Look at them in .unreliable: the model",
            "     is surprised by them, or bends to each of them (a group of one row).",
        ]


def _of(part: int, whole: int) -> str:
    return "all" if part == whole else f"{part:,} of them"


def leave_one_out(posterior: Posterior) -> LeaveOneOut:
    """Leave out one row at a time, by Pareto-smoothed importance sampling.

    Raises
    ------
    AnswerError
        If the model has no density of a row, or there are too few draws.
    """
    refuse(posterior)
    seen = observations(posterior.spec.cells, posterior.spec.family.counts)
    rows = seen.table
    efficiency = relative_efficiency(posterior)
    found = np.empty((len(rows), 3))
    for place, density in enumerate(_log_densities(posterior, seen)):
        found[place] = _left_out(density, efficiency)
    pointwise = rows.assign(elpd=found[:, 0], p=found[:, 1], pareto_k=found[:, 2])
    times, draws = rows["times"].to_numpy(), int(np.prod(posterior.shape))
    elpd, p = (times @ found[:, :2]).tolist()
    return LeaveOneOut(elpd, _standard_error(found[:, 0], times), p, int(times.sum()), draws, pointwise)


def refuse(posterior: Posterior) -> None:
    """Refuse where rows have no densities of their own here, or draws are too few."""
    if isinstance(posterior.spec, BetaSpec):
        raise AnswerError(
            "fit.loo() leaves out one row at a time, which does not apply to pooling='beta': the rates are integrated "
            "out, so a row has no density of its own. Fit with pooling='normal'."
        )
    if not posterior.spec.cells.rows_kept:
        raise AnswerError(
            "fit.loo() leaves out one row at a time, and these rows were aggregated where the data is: only cells are "
            "known here, which are enough to leave out whole groups. Fit a sample of the rows that fits in memory."
        )
    draws = int(np.prod(posterior.shape))
    if draws < MIN_DRAWS:
        raise AnswerError(f"fit.loo() needs at least {MIN_DRAWS} draws, better thousands; this fit has {draws}.")


@dataclass(frozen=True, eq=False)
class Observations:
    """Distinct observations: `table` has their ``cell``, response and ``times``, `place` their rows of `frame`."""

    frame: pd.DataFrame
    place: np.ndarray
    table: pd.DataFrame


def observations(cells: Cells, whole: bool = False) -> Observations:
    """The distinct observations behind cells, and the predictors of each; `whole` numbers are shown as such."""
    response = cells.response
    if isinstance(response, BinomialCells | PairCells):
        pairs = {"successes": response.row_successes, "trials": response.row_trials}
        values = {name: numbers.astype(np.int64) for name, numbers in pairs.items()}
    else:
        values = {"value": response.row_values.astype(np.int64) if whole else response.row_values}
    rows = pd.DataFrame({"cell": np.repeat(np.arange(len(cells)), response.rows), **values})
    rows["times"] = response.row_times.astype(np.int64)
    if cells.averaged:
        return Observations(cells.observations()[0], np.arange(len(rows)), rows)
    distinct = rows.groupby(["cell", *values], as_index=False).sum()
    return Observations(cells.frame, distinct["cell"].to_numpy(), distinct)


def _log_densities(posterior: Posterior, seen: Observations) -> Iterator[np.ndarray]:
    """Log densities of the observations, one after another: each in every draw."""
    spec = posterior.spec
    model = expectation(posterior, "observed", exposed=True)
    auxiliary = [posterior.values(name) for name in spec.family.auxiliary]
    responses = seen.table.drop(columns=["cell", "times"]).to_numpy(dtype=float)
    first = np.searchsorted(seen.place, np.arange(len(seen.frame) + 1))
    row = 0
    for block in in_blocks(seen.frame, int(np.prod(posterior.shape))):
        for predictor in model.predictor(block):
            for response in responses[first[row] : first[row + 1]]:
                yield log_density(spec.family, response, predictor, auxiliary)
            row += 1


def relative_efficiency(posterior: Posterior) -> float:
    """Effective draws per draw, averaged over all parameters as ArviZ does; 1 where one chain cannot tell."""
    chains, draws = posterior.shape
    if chains == 1:
        return 1.0
    parameters = representative(posterior.dataset).data_vars.values()
    stacked = [values.transpose("chain", "draw", ...).to_numpy().reshape(chains, draws, -1) for values in parameters]
    return float(mean_sizes(np.concatenate(stacked, axis=2)).mean() / (chains * draws))


def _left_out(density: np.ndarray, efficiency: float) -> tuple[float, float, float]:
    """``elpd, p, pareto_k`` of one observation, from its log density in every draw."""
    if np.ptp(density) < EQUAL_RATIOS:
        return *_unsmoothed(density), -np.inf
    try:
        with np.errstate(all="ignore"):
            elpd, pareto_k, p = array_stats.loo(density, chain_axis=None, r_eff=efficiency)
    except ValueError:  # the ratios in the tail are equal, as where a chain stood still
        return *_unsmoothed(density), np.nan
    return float(elpd), float(p), float(pareto_k)


def _unsmoothed(density: np.ndarray) -> tuple[float, float]:
    """``elpd, p`` with importance ratios as they are."""
    count = np.log(len(density))
    elpd = float(count - special.logsumexp(-density))
    return elpd, float(special.logsumexp(density) - count - elpd)


def _standard_error(elpd: np.ndarray, times: np.ndarray) -> float:
    """Of a sum over rows: ``sqrt(n · variance)``, the variance divided by the number of rows."""
    n = times.sum()
    mean = times @ elpd / n
    return float(np.sqrt(times @ (elpd - mean) ** 2))
