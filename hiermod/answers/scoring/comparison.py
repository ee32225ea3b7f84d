"""`ModelComparison`: models beside each other, with a verdict on what the table can bear."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy import special
from scipy.optimize import Bounds, LinearConstraint, minimize

from hiermod.answers.scoring.scores import ModelScores, Scores
from hiermod.errors import visible
from hiermod.tabular import Tabular
from hiermod.terminal import lines_of, width
from hiermod.text_table import Column, TextTable

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SMALL = 4.0  # a difference below which models predict alike (Sivula, Magnusson, Matamoros and Vehtari 2025)
CLEAR = 2.0  # standard errors
FEW_ROWS = 100
FEW_GROUPS = 20
SHOWN, VERDICT = ("elpd", "p", "elpd_diff", "dse", "weight"), "verdict"
NAMES = {"loo": "leave-one-out", "kfold": "k-fold", "logo": "leave-one-group-out"}


@dataclass(frozen=True, eq=False)
class ModelComparison(Tabular):
    """Models compared by cross-validation, the best one first; its repr is the table and what to make of it.

    Parameters
    ----------
    table : pandas.DataFrame
        A row per model: ``rank, elpd_diff`` (from the best one, never positive), ``dse`` (its standard error, paired by
        rows or groups), ``p_worse, diag_diff, diag_elpd, p, elpd, se, weight`` (stacking) as ArviZ has them, and a
        ``verdict`` in words.
    pointwise : pandas.DataFrame
        A row per unit left out (distinct row, row and fold, or group), and a column per model, in `elpd`.
    scores : Scores
        All of it in numbers.

    Examples
    --------
    >>> import hiermod as hm
    >>> found = hm.compare({"slopes": fit, "same": fit})
    >>> list(found.table["rank"])
    [0, 1]
    """

    table: pd.DataFrame
    pointwise: pd.DataFrame
    scores: Scores

    @property
    def method(self) -> str:
        """``loo``, ``kfold`` or ``logo``.

        Examples
        --------
        >>> import hiermod as hm
        >>> hm.compare({"one": fit}, progress=False).method
        'loo'
        """
        return self.scores.method

    @property
    def caution(self) -> str:
        """What limits the whole table; empty where nothing does.

        Examples
        --------
        >>> import hiermod as hm
        >>> hm.compare({"one": fit}, progress=False).caution
        ''
        """
        if not _few(self.scores):
            return ""
        count = _count(self.scores.independent, _independent_units(self.scores))
        return f"{count} only: standard errors are too small, and not to be relied on."

    def __repr__(self) -> str:
        decimals = {**dict.fromkeys(SHOWN, "{:,.1f}"), "weight": "{:.2f}"}
        figures = [Column(name, [decimals[name].format(value) for value in self.table[name]]) for name in SHOWN]
        columns = [
            Column("", [visible(str(name)) for name in self.table.index], "key", left=True),
            *figures,
            Column(VERDICT, [visible(text) for text in self.table[VERDICT]], "words"),
        ]
        room = width()
        parts = [lines_of(self._head(), room), TextTable(columns).text(room), lines_of(self.caution, room)]
        return "\n".join(filter(None, parts))

    def _repr_html_(self) -> str:
        table = self.table[[*SHOWN, VERDICT]].to_html(escape=True, float_format="{:,.2f}".format)
        caution = f"<p><strong>{self.caution}</strong></p>" if self.caution else ""
        return visible(f"<p>{self._head()}</p>{table}{caution}")

    def plot(self, *, ax: Axes | None = None) -> Axes:
        """Draw the differences of ELPD from the best model with one and two standard errors, and the weights.

        Examples
        --------
        >>> import hiermod as hm
        >>> smaller = fit.update("~ . - treated", progress=False)
        >>> found = hm.compare({"effect": fit, "none": smaller}, progress=False)
        >>> found.plot().get_xlabel().startswith("difference of ELPD from the best")
        True
        """
        from hiermod.show.comparison_plot import plot_comparison

        return plot_comparison(self, ax)

    def _head(self) -> str:
        size = f"{self.scores.independent:,} {_independent_units(self.scores)}"
        return f"{NAMES[self.method]}, {size}; elpd_diff and dse are from the best model"


def compared(scores: Scores) -> ModelComparison:
    """Put scores into a table."""
    totals = {name: scores.total(model.elpd) for name, model in scores.models.items()}
    order = sorted(totals, key=lambda name: -totals[name][0])
    elpd = np.array([scores.models[name].elpd for name in order])
    rows = []
    for rank, (name, weight) in enumerate(zip(order, stacking_weights(elpd, scores.times), strict=True)):
        difference, dse = scores.total(elpd[rank] - elpd[0])
        total, se = totals[name]
        rows.append(
            {
                "rank": rank, "elpd_diff": difference, "dse": dse,
                "p_worse": _worse(difference, dse) if rank else np.nan,
                "diag_diff": _diag_difference(scores, difference) if rank else "",
                "diag_elpd": _diag_elpd(scores.models[name]), "p": scores.models[name].p, "elpd": total, "se": se,
                "weight": float(weight),
            }
        )  # fmt: skip
    table = pd.DataFrame(rows, index=pd.Index(order, name="model"))
    table["verdict"] = [_verdict(scores, table, rank) for rank in range(len(order))]
    by_model = pd.DataFrame({name: model.elpd for name, model in scores.models.items()})
    pointwise = pd.concat([scores.labels.reset_index(drop=True), by_model], axis=1, keys=["unit", "elpd"])
    return ModelComparison(table, pointwise, scores)


def _worse(difference: float, dse: float) -> float:
    """The probability of being worse than the best, by a normal distribution."""
    return float(special.ndtr(-difference / dse)) if dse else 0.5


def _diag_difference(scores: Scores, difference: float) -> str:
    if scores.independent < FEW_ROWS:
        return f"N < {FEW_ROWS}"
    return f"|elpd_diff| < {SMALL:.0f}" if abs(difference) < SMALL else ""


def _diag_elpd(model: ModelScores) -> str:
    return f"{model.unreliable} k̂ too high" if model.unreliable else ""


def _verdict(scores: Scores, table: pd.DataFrame, rank: int) -> str:
    model = scores.models[str(table.index[rank])]
    parts = [_standing(table, rank, _errors_needed(scores)) if len(table) > 1 else "the only model"]
    what = "groups" if scores.units == "groups" or scores.method == "logo" else "rows"
    if model.unreliable:
        parts.append(f"not reliable: Pareto k too high for {_count(model.unreliable, what)}")
    if model.refits:
        parts.append(f"{_count(model.refits, what)} left out by refits (Pareto k)")
    if model.troubled:
        parts.append(f"{_count(model.troubled, 'fits')} with divergences or R-hat or ESS out of bounds")
    return "; ".join(parts)


def _independent_units(scores: Scores) -> str:
    return "groups" if scores.units == "groups" or scores.clusters is not None else "rows"


def _few(scores: Scores) -> bool:
    """Whether independent units are too few for a normal standard error."""
    return scores.independent < (FEW_GROUPS if _independent_units(scores) == "groups" else FEW_ROWS)


def _errors_needed(scores: Scores) -> float:
    """By how many standard errors models differ clearly: two; where units are few, as rare by Student's t.

    A standard error here divides by the number of units, not by one less.
    """
    count = scores.independent
    if count < 2:
        return np.inf
    by_t = -special.stdtrit(count - 1, special.ndtr(-CLEAR)) * np.sqrt(count / (count - 1))
    return float(by_t) if _few(scores) else CLEAR


def _standing(table: pd.DataFrame, rank: int, needed: float) -> str:
    if rank == 0:
        clear_of_all = all(_clear(*pair, needed) for pair in _differences(table)[1:])
        return "best" if clear_of_all else "best, but not clearly"
    difference, dse = _differences(table)[rank]
    if dse == 0.0 and difference == 0.0:
        return "the same predictions"
    errors = f"{abs(difference) / dse:.1f} SE" if dse else "the same everywhere"
    if abs(difference) < SMALL:
        return f"predicts about as well: the difference is under {SMALL:.0f} ({errors})"
    return f"worse by {errors}" if _clear(difference, dse, needed) else f"not clearly worse: {errors}"


def _clear(difference: float, dse: float, needed: float) -> bool:
    return abs(difference) >= SMALL and abs(difference) > needed * dse


def _differences(table: pd.DataFrame) -> list[tuple[float, float]]:
    return list(zip(table["elpd_diff"], table["dse"], strict=True))


def _count(count: int, what: str) -> str:
    return f"{count:,} {what if count > 1 else what[:-1]}"


def stacking_weights(elpd: np.ndarray, times: np.ndarray) -> np.ndarray:
    """Weights that sum to one and maximise the log score of the mixture of the models.

    The optimiser, where it starts and where it stops are ArviZ's, so that the weights are.

    Parameters
    ----------
    elpd : ndarray, shape (models, units)
        Log predictive densities, the models in falling order of their sums.
    times : ndarray
        How often each unit counts.
    """
    models = len(elpd)
    if models == 1:
        return np.ones(1)
    density = np.exp(elpd - elpd.max(axis=0)).T

    def loss(weights: np.ndarray) -> float:
        return -float(times @ np.log(density @ weights))

    def gradient(weights: np.ndarray) -> np.ndarray:
        return -(times / (density @ weights)) @ density

    bounds, one = Bounds(np.zeros(models), np.ones(models)), LinearConstraint(np.ones(models), 1.0, 1.0)
    solution = minimize(loss, np.full(models, 1.0 / models), jac=gradient, bounds=bounds, constraints=one)
    return np.asarray(solution.x)
