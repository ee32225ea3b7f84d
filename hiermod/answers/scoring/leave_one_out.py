"""Leave-one-out cross-validation of rows, from cells: each distinct observation once, counted as often as it occurs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from arviz_stats.base.array import array_stats
from scipy import special

from hiermod.answers.reader import by_model
from hiermod.answers.scoring.exact_scores import ExactScores
from hiermod.answers.scoring.held_out import Refit, Runs, log_densities, score
from hiermod.answers.scoring.integrated import IntegratedRows, integrated_rows
from hiermod.data.cells.observations import Members, Observations, observations
from hiermod.errors import AnswerError
from hiermod.sampling.diagnostics import mean_sizes, representative
from hiermod.sampling.posterior import Posterior
from hiermod.tabular import Tabular

EQUAL_RATIOS = 1e-12
LARGEST_K = 0.7


def good_k(draws: int) -> float:
    """The largest Pareto k at which so many draws give a reliable estimate."""
    return float(min(1.0 - 1.0 / np.log10(draws), LARGEST_K))


def relative_efficiency(posterior: Posterior) -> float:
    """Effective draws per draw, averaged over all parameters as ArviZ does; 1 where one chain cannot tell."""
    chains, draws = posterior.shape
    if chains == 1:
        return 1.0
    parameters = representative(posterior.dataset).data_vars.values()
    stacked = [values.transpose("chain", "draw", ...).to_numpy().reshape(chains, draws, -1) for values in parameters]
    return float(mean_sizes(np.concatenate(stacked, axis=2)).mean() / (chains * draws))


def left_out(density: np.ndarray, efficiency: float) -> tuple[float, float, float]:
    """``elpd, p, pareto_k`` of what has this log density in every draw, had the model not seen it."""
    if np.ptp(density) < EQUAL_RATIOS:
        return *_unsmoothed(density), -np.inf
    try:
        with np.errstate(all="ignore"):
            elpd, pareto_k, p = array_stats.loo(density, chain_axis=None, r_eff=efficiency)
    except ValueError:  # the ratios in the tail are equal, as where a chain stood still
        return *_unsmoothed(density), np.nan
    return float(elpd), float(p), float(pareto_k)


def log_weights(density: np.ndarray, efficiency: float) -> tuple[np.ndarray, float]:
    """Logarithms of weights that sum to one, and Pareto k, for draws that have not seen what has this log density."""
    plain = -density - special.logsumexp(-density)
    if np.ptp(density) < EQUAL_RATIOS:
        return plain, -np.inf
    try:
        with np.errstate(all="ignore"):
            weights, pareto_k = array_stats.psislw(density, r_eff=efficiency)
    except ValueError:
        return plain, np.nan
    return np.asarray(weights), float(pareto_k)


def _unsmoothed(density: np.ndarray) -> tuple[float, float]:
    """``elpd, p`` with importance ratios as they are."""
    count = np.log(len(density))
    elpd = float(count - special.logsumexp(-density))
    return elpd, float(special.logsumexp(density) - count - elpd)


MIN_DRAWS = 25  # below, a tail has fewer than the five draws that a Pareto distribution is fitted to


@dataclass(frozen=True, eq=False)
class LeaveOneOut(Tabular):
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
        ``value``), how many rows are equal to it (``times``), the ``elpd, p, pareto_k`` of each of them, and whether
        these come from a fit without it (``refitted``).
    troubled : int
        How many of these fits have divergences, or have not converged.
    exact : bool
        Whether the posterior without each row was integrated, so that no draws are needed.
    """

    elpd: float
    se: float
    p: float
    n: int
    draws: int
    pointwise: pd.DataFrame
    troubled: int = 0
    exact: bool = False

    @property
    def pareto_k(self) -> pd.Series:
        """Shape of the tail of each distinct observation's importance ratios.

        NaN where no Pareto distribution can be fitted, -inf where all ratios are equal.

        Examples
        --------
        >>> bool((fit.loo().pareto_k < 0.7).all())
        True
        """
        return self.pointwise["pareto_k"]

    @property
    def good_k(self) -> float:
        """The largest Pareto k at which so many draws give a reliable estimate.

        Examples
        --------
        >>> round(fit.loo().good_k, 2)
        0.7
        """
        return good_k(self.draws)

    @property
    def unreliable(self) -> pd.DataFrame:
        """The rows of `pointwise` whose Pareto k is above `good_k`, or not known, and which were not refitted.

        Examples
        --------
        >>> len(fit.loo().unreliable)
        0
        """
        return self.pointwise[~(self.pareto_k <= self.good_k) & ~self.pointwise["refitted"]]

    @property
    def refits(self) -> int:
        """How many distinct observations were left out by a fit without them.

        Examples
        --------
        >>> fit.loo().refits
        0
        """
        return int(self.pointwise["refitted"].sum())

    @property
    def warning(self) -> bool:
        """Whether some observation's estimate is not reliable.

        Examples
        --------
        >>> fit.loo().warning
        False
        """
        return len(self.unreliable) > 0

    @property
    def table(self) -> pd.DataFrame:
        """One row, ``loo``: ``elpd, se, p, n, warning, good_k``.

        Examples
        --------
        >>> list(fit.loo().table.columns)
        ['elpd', 'se', 'p', 'n', 'warning', 'good_k']
        """
        names = ("elpd", "se", "p", "n", "warning", "good_k")
        return pd.DataFrame({name: [getattr(self, name)] for name in names}, index=["loo"])

    def __repr__(self) -> str:
        elpd, p, distinct = f"{self.elpd:,.2f}", f"{self.p:,.2f}", len(self.pointwise)
        width = max(len(elpd), len(p))
        return "\n".join(
            [
                f"elpd_loo  {elpd:>{width}}  SE {self.se:,.2f}",
                f"   p_loo  {p:>{width}}",
                f"{self.n:,} observations, {_of(distinct, self.n)} distinct"
                + ("" if self.exact else f"; {self.draws:,} draws"),
                *self._verdict(),
            ]
        )

    def _verdict(self) -> list[str]:
        if self.exact:
            return ["Exact: the posterior without each distinct row is integrated anew."]
        if self.refits and not self.warning:
            return [
                f"Pareto k: above {self.good_k:.2f} for {self.refits:,} distinct, each left out by a fit of its own."
            ]
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


def leave_one_out(posterior: Posterior, max_refits: int, runs: Runs, seen: Observations | None = None) -> LeaveOneOut:
    """Leave out one row at a time, by Pareto-smoothed importance sampling.

    Where that is not reliable, the model is fitted without the row: for at most `max_refits` distinct observations,
    those of the largest Pareto k first.

    Raises
    ------
    AnswerError
        If the model has no density of a row, or there are too few draws.
    """
    seen = observations(posterior.spec.cells, posterior.spec.family.counts) if seen is None else seen
    return by_model(
        posterior.spec,
        linear=lambda _: _by_draws(posterior, max_refits, runs, seen),
        pooled=lambda spec: _by_integrals(ExactScores(posterior, spec, seen), posterior.size, seen),
    )


def _by_integrals(scores: ExactScores, draws: int, seen: Observations) -> LeaveOneOut:
    """Each distinct row left out of pooled rates, whose posterior is integrated without it."""
    rows = [Members(np.array([place]), np.ones(1, dtype=np.int64)) for place in range(len(seen))]
    for row in rows:
        scores.refuse_improper(row, f"A row of {scores.label(row)!r}")
    elpd, known = np.array([scores.joint(row, unseen=False) for row in rows]).reshape(-1, 2).T
    pointwise = seen.table.assign(elpd=elpd, p=known - elpd, pareto_k=-np.inf, refitted=True)
    total, p = float(seen.times @ elpd), float(seen.times @ (known - elpd))
    return LeaveOneOut(
        total, standard_error(elpd, seen.times), p, int(seen.times.sum()), draws, pointwise, exact=True
    )  # fmt: skip


def _by_draws(posterior: Posterior, max_refits: int, runs: Runs, seen: Observations) -> LeaveOneOut:
    refuse(posterior)
    efficiency = relative_efficiency(posterior)

    def smoothed() -> tuple[np.ndarray]:
        if (own := integrated_rows(posterior, seen)) is not None:
            return (_by_kind(own, len(seen), efficiency),)
        return (np.array([left_out(density, efficiency) for density in log_densities(posterior, seen)]),)

    scores = runs.once(posterior, "loo", seen, smoothed)[0].copy()
    elpd, p, pareto_k = scores.T
    draws, refitted = posterior.size, np.zeros(len(seen), dtype=bool)
    bad = worst(pareto_k, good_k(draws))[:max_refits]
    exact, clean = _exactly(posterior, seen, bad, runs)
    p[bad] += elpd[bad] - exact
    elpd[bad] = exact
    refitted[bad] = True
    pointwise = seen.table.assign(elpd=elpd, p=p, pareto_k=pareto_k, refitted=refitted)
    total, effective = (seen.times @ scores[:, :2]).tolist()
    se, n, troubled = standard_error(elpd, seen.times), int(seen.times.sum()), int((~clean).sum())
    return LeaveOneOut(total, se, effective, n, draws, pointwise, troubled)


def _by_kind(rows: IntegratedRows, count: int, efficiency: float) -> np.ndarray:
    """``elpd, p, pareto_k`` of each of so many rows of groups whose effects are integrated out."""
    found = np.empty((count, 3))
    for places, density, beside in rows.given_others():
        elpd, _, pareto_k = left_out(density, efficiency)
        found[places] = elpd, special.logsumexp(beside) - np.log(len(beside)) - elpd, pareto_k
    return found


def worst(pareto_k: np.ndarray, good: float) -> np.ndarray:
    """The places of those that are not reliable, the least reliable first."""
    size = np.where(np.isnan(pareto_k), np.inf, pareto_k)
    order = np.argsort(-size, kind="stable")
    return order[size[order] > good]


def _exactly(posterior: Posterior, seen: Observations, places: np.ndarray, runs: Runs) -> tuple[np.ndarray, np.ndarray]:
    """The elpd of some observations, each by a fit without one such row, and which of these fits are clean."""
    rows = np.arange(len(seen))
    tasks = [
        (Refit.without(posterior, seen, rows == place, (1, int(place))), seen.chosen(np.array([place])))
        for place in places
    ]
    scores = runs.each(score, tasks, "row", "refits")
    return np.array([elpd[0] for elpd, _ in scores]), np.array([clean for _, clean in scores], dtype=bool)


def refuse(posterior: Posterior) -> None:
    """Refuse where rows have no densities of their own here, or draws are too few."""
    if reason := posterior.spec.refuses("rows"):
        raise AnswerError(
            f"This weighs draws by the density of one row at a time, which does not apply to {reason}. fit.loo() and "
            "fit.logo() integrate such a model exactly; or fit with pooling='normal'."
        )
    if not posterior.spec.cells.rows_kept:
        raise AnswerError(
            "fit.loo() leaves out one row at a time, and these rows were aggregated where the data is: only cells are "
            "known here. Leave out whole groups (fit.logo()), or fit a sample of the rows that fits in memory."
        )
    draws = posterior.size
    if draws < MIN_DRAWS:
        raise AnswerError(f"fit.loo() needs at least {MIN_DRAWS} draws, better thousands; this fit has {draws}.")


def standard_error(elpd: np.ndarray, times: np.ndarray) -> float:
    """Of a sum over rows: ``sqrt(n · variance)``, the variance divided by the number of rows."""
    n = times.sum()
    mean = times @ elpd / n
    return float(np.sqrt(times @ (elpd - mean) ** 2))
