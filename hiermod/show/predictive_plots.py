"""Predictive checks as pictures: densities, rootograms, bars, and single statistics."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from hiermod.answers.answer import measure_of
from hiermod.answers.averaging.columns import check_columns
from hiermod.answers.checks.predictive_checks import both, numbered, p_value, read_statistics, shares
from hiermod.answers.checks.replicates import Replicated, replicate_cells, replicate_rows
from hiermod.choices import PICTURES
from hiermod.errors import AnswerError, did_you_mean
from hiermod.families.record import Family
from hiermod.sampling.posterior import Posterior
from hiermod.show.forest import default_by
from hiermod.show.style import COLOURS, axes_for, format_percent, literal, one, set_heading, shorten
from hiermod.show.trace_plot import draw_density

CURVES = 50  # drawn data sets that are shown
MAX_COUNTS = 40
MAX_LABELS = 80
TAIL = 0.005
DATA, DRAWN = COLOURS[1], COLOURS[0]


def plot_predictive(
    posterior: Posterior, source: str, kind: str | None, stat: Any, by: Any, draws: int | None, ax: Axes | None
) -> Axes:
    """Draw a predictive check of some kind, or of a statistic.

    Raises
    ------
    AnswerError
        If the kind does not fit the family, or two things are asked for at once.
    """
    if stat is not None:
        if kind is not None or by is not None:
            raise AnswerError("stat= is a picture of its own, without kind= and by=. fit.ppc(stat, by=...) is a table.")
        return _plot_statistic(posterior, source, stat, draws, ax)
    kind = _check_kind(kind, posterior.spec.family)
    if by is not None and kind != "bars":
        raise AnswerError(f"by= is for kind='bars'; kind={kind!r} shows all rows.")
    if kind == "bars":
        return _plot_bars(posterior, source, by, draws, ax)
    seen = replicate_rows(posterior, draws)
    draw: dict[str, Callable[..., None]] = {"density": _draw_densities, "rootogram": _draw_rootogram}
    name = posterior.spec.formula.response.name
    ax = axes_for(ax, 9, [name])
    draw[kind](ax, seen)
    ax.set_xlabel(literal(name))
    ax.spines[["top", "right"]].set_visible(False)
    if kind == "density":
        _head(ax, source, min(CURVES, len(seen.drawn)), [ax.lines[-1], ax.lines[0]])
    else:
        _head(ax, source, len(seen.drawn), ax.containers[:2])
    return ax


def _check_kind(kind: str | None, family: Family) -> str:
    if kind is None:
        return "bars" if family.is_rate else "rootogram" if family.counts else "density"
    if kind not in PICTURES:
        raise AnswerError(f"kind={kind!r}.{did_you_mean(str(kind), PICTURES)} For a statistic, say stat='mean'.")
    if kind == "rootogram" and not family.counts:
        raise AnswerError(f"kind='rootogram' shows how often each count occurs; family {family} has none. Say 'bars'.")
    if kind == "density" and (family.is_rate or family.counts):
        other = "bars" if family.is_rate else "rootogram"
        raise AnswerError(f"kind='density' is for real responses, not for family {family}. Say kind={other!r}.")
    return kind


def _head(ax: Axes, source: str, count: int, handles: Any, note: str = "") -> None:
    labels = ["your data", f"{count:,} drawn data sets"]
    set_heading(ax, f"{source.capitalize()} predictive check{note}", handles, labels)


def _draw_densities(ax: Axes, seen: Replicated) -> None:
    """Thin curves of drawn data sets, then the thick one of the data."""
    values = seen.drawn[np.isfinite(seen.drawn)]
    low, high = np.quantile(values, [TAIL, 1.0 - TAIL])
    low, high = min(low, seen.observed.min()), max(high, seen.observed.max())
    places = np.linspace(0, len(seen.drawn) - 1, min(CURVES, len(seen.drawn))).astype(int)
    for row in seen.drawn[places]:
        draw_density(ax, row[(row >= low) & (row <= high)], color=DRAWN, linewidth=0.6, alpha=0.35)
    draw_density(ax, seen.observed, color=DATA, linewidth=2.0)
    ax.set_xlim(low, high)
    ax.set_ylim(bottom=0.0)
    ax.set_yticks([])


def _draw_rootogram(ax: Axes, seen: Replicated) -> None:
    """Square roots of how often each count occurs: bars of the data, points with intervals of drawn data."""
    top = int(max(seen.observed.max(), min(np.quantile(seen.drawn, 1.0 - TAIL), 3.0 * seen.observed.max() + 10.0)))
    width = max(1, int(np.ceil((top + 1) / MAX_COUNTS)))
    edges = np.arange(0, top + width + 1, width)
    counts = np.array([_frequencies(row, edges) for row in (seen.observed, *seen.drawn)])
    roots = np.sqrt(counts)
    at = edges[:-1] + (width - 1) / 2
    lower, upper = np.quantile(roots[1:], [0.025, 0.975], axis=0)
    middle = np.sqrt(counts[1:].mean(axis=0))
    ax.bar(at, roots[0], 0.9 * width, color=DATA, alpha=0.35)
    reach = np.clip([middle - lower, upper - middle], 0.0, None)
    ax.errorbar(at, middle, reach, fmt="o", color=DRAWN, markersize=4, linewidth=1.2)
    ax.set_ylabel("√ number of rows")


def _frequencies(values: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """How many values are in each bin; the last one holds all that are larger."""
    return np.histogram(np.minimum(values, edges[-1] - 1), edges)[0]


def _plot_bars(posterior: Posterior, source: str, by: Any, draws: int | None, ax: Axes | None) -> Axes:
    """A bar for each cell of `by`: the raw rate or mean, with the median and interval of drawn data upon it."""
    spec, measure = posterior.spec, measure_of(posterior.spec)
    names = check_columns(spec, default_by(spec) if by is None else by)
    seen = replicate_cells(posterior, draws)
    number, keys = numbered(seen.frame, names)
    observed, drawn = shares(seen, number, len(keys))
    labels = [" · ".join(shorten([str(level) for level in row])) for row in keys.itertuples(index=False)] or ["all"]
    if ax is None:
        ax = _wide_axes(len(keys))
    at = np.arange(len(keys))
    lower, middle, upper = np.quantile(drawn, [0.025, 0.5, 0.975], axis=0)
    bars = ax.bar(at, observed, 0.8, color=DATA, alpha=0.35)
    points = ax.errorbar(at, middle, [middle - lower, upper - middle], fmt="o", color=DRAWN, markersize=4)
    step = -(-len(keys) // MAX_LABELS)
    ax.set_xticks(at[::step], [literal(label) for label in labels[::step]], rotation=0 if len(keys) <= 6 else 90)
    ax.set_xlabel(" · ".join(one(name) for name in names))
    ax.set_ylabel(literal(measure.name))
    if measure.percent:
        format_percent(ax.yaxis)
    ax.spines[["top", "right"]].set_visible(False)
    _head(ax, source, len(drawn), [bars, points])
    return ax


def _wide_axes(bars: int) -> Axes:
    import matplotlib.pyplot as plt

    return plt.subplots(figsize=(float(np.clip(2.5 + 0.32 * bars, 6.0, 18.0)), 4.2), layout="constrained")[1]


def _plot_statistic(posterior: Posterior, source: str, stat: Any, draws: int | None, ax: Axes | None) -> Axes:
    chosen = read_statistics(stat)
    if len(chosen) > 1:
        raise AnswerError("plot.ppc(stat=...) shows one statistic. ppc(stat) is a table of several.")
    ((name, statistic),) = chosen.items()
    seen = replicate_rows(posterior, draws)
    observed, drawn = both(seen, name, statistic)
    ax = axes_for(ax, 8, [name])
    finite = drawn[np.isfinite(drawn)]
    bars: Any = ax.hist(finite, _bins(finite).tolist(), color=DRAWN, alpha=0.35)[2]
    line = ax.axvline(observed, color=DATA, linewidth=2.0)
    ax.set_xlabel(literal(f"{name} of {posterior.spec.formula.response.name}"))
    ax.set_yticks([])
    ax.spines[["top", "right", "left"]].set_visible(False)
    _head(ax, source, len(drawn), [line, bars[0]], f": p = {p_value(observed, drawn):.3f}")
    return ax


def _bins(values: np.ndarray) -> np.ndarray:
    """Bins of whole numbers where the statistic is one, as the largest of counts."""
    distinct = np.unique(values)
    if len(distinct) <= MAX_COUNTS and (distinct == np.round(distinct)).all() and np.ptp(distinct) <= MAX_COUNTS:
        return np.arange(distinct[0] - 0.5, distinct[-1] + 1.0)
    return np.histogram_bin_edges(values, 30)
