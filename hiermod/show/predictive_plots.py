"""Checks of a model as pictures: replicated data, LOO-PIT, calibration, outlying groups."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from scipy import special

from hiermod.answers.answer import category_word, measure_of
from hiermod.answers.averaging.columns import check_columns
from hiermod.answers.checks.outlying import Outlying
from hiermod.answers.checks.predictive_checks import (
    Replicated,
    both,
    histogram,
    numbered,
    p_value,
    part,
    read_statistics,
    replicate_cells,
    replicate_rows,
    replicate_scores,
    shares,
)
from hiermod.choices import PICTURES
from hiermod.data.columns.values import level_text
from hiermod.errors import AnswerError, did_you_mean
from hiermod.families.record import Family
from hiermod.modeling.protocol import ModelSpec
from hiermod.sampling.posterior import Posterior
from hiermod.show.forest import arrange, default_columns, draw_forest, set_rows
from hiermod.show.parameter_plots import draw_density
from hiermod.show.style import BAND, COLOURS, FILL, GREY, axes_for, format_percent, literal, one, set_heading, shorten

CURVES = 50  # drawn data sets that are shown
MAX_COUNTS = 40
UPRIGHT = 6  # bars, above which they lie, so that their labels stay horizontal
MAX_PANELS = 12
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
    if categories := posterior.spec.family.categories:
        return _plot_categories(posterior, list(map(str, categories)), source, by, draws, ax)
    if kind == "bars":
        return _plot_bars(posterior, source, by, draws, ax)
    seen = replicate_rows(posterior, draws)
    name = posterior.spec.formula.response.name
    if by is not None:
        return _plot_panels(seen, source, kind, check_columns(posterior.spec, by), name, ax)
    ax = axes_for(ax, 9, [name])
    count = _draw_kind(ax, seen, kind, name)
    _head(ax, source, count, _handles(ax, kind))
    return ax


def _draw_kind(ax: Axes, seen: Replicated, kind: str, name: str) -> int:
    """Draw densities or a rootogram, and say how many drawn data sets are shown."""
    notes: list[str] = []
    if kind == "density":
        atoms = [value for value in ATOMS if (seen.drawn == value).any()]
        notes = [_share_text(seen, value) for value in atoms]
        _draw_densities(ax, _without(seen, atoms))
    else:
        _draw_rootogram(ax, seen)
    ax.set_xlabel("\n".join([literal(name), *notes]))
    ax.spines[["top", "right"]].set_visible(False)
    return min(CURVES, len(seen.drawn)) if kind == "density" else len(seen.drawn)


def _handles(ax: Axes, kind: str) -> Any:
    """Handles of a legend: of the data, and of drawn data sets, whose thin curves one alone would not show."""
    if kind == "density":
        return [ax.lines[-1], Line2D([], [], color=DRAWN, linewidth=1.2)]
    return ax.containers[:2]


def _plot_panels(
    seen: Replicated, source: str, kind: str, names: tuple[str, ...], response: str, ax: Axes | None
) -> Axes:  # fmt: skip
    """A panel for each combination of columns; the first one's axes are returned."""

    def draw(own: Axes, some: Replicated) -> int:
        return _draw_kind(own, some, kind, response)

    return _in_panels(seen, source, kind, names, draw, partial(_handles, kind=kind), ax)


def _in_panels(
    seen: Replicated, source: str, kind: str, names: tuple[str, ...], draw: Callable[[Axes, Replicated], int],
    handles: Callable[[Axes], Any], ax: Axes | None,
) -> Axes:  # fmt: skip
    """What `draw` makes of the rows of each combination, which says how many data sets it shows."""
    import matplotlib.pyplot as plt

    number, keys = numbered(seen.frame, names)
    if ax is not None:
        raise AnswerError(f"kind={kind!r} with by= draws a panel for each combination, and takes no ax=.")
    if len(keys) > MAX_PANELS:
        raise AnswerError(
            f"by={list(names)}: {len(keys):,} combinations, and {MAX_PANELS} panels at most can be read. "
            + (
                "fit.ppc(by=...) is a table."
                if kind == CATEGORIES
                else "kind='bars' shows means of as many as there are."
            )
        )
    columns = min(3, len(keys))
    rows = -(-len(keys) // columns)
    figure, axes = plt.subplots(
        rows, columns, figsize=(3.2 * columns + 0.4, 2.3 * rows + 0.8), layout="constrained", squeeze=False
    )
    count = 0
    for place, (own, key) in enumerate(zip(axes.flat, keys.itertuples(index=False), strict=False)):
        count = draw(own, part(seen, number == place))
        own.set_title(" · ".join(one(level) for level in key), loc="left", fontsize="medium")
        own.set_ylabel(own.get_ylabel() if place % columns == 0 else "")
    for unused in axes.flat[len(keys) :]:
        unused.remove()
    by = " · ".join(one(name) for name in names)
    figure.suptitle(f"{source.capitalize()} predictive check by {by}", x=0.01, ha="left", fontsize="large")
    labels = ["your data", f"{count:,} drawn data sets"]
    figure.legend(handles(axes[0, 0]), labels, loc="outside lower left", ncols=2, frameon=False)
    return axes[0, 0]


def _check_kind(kind: str | None, family: Family) -> str:
    if kind is None:
        return "bars" if family.is_rate or family.categories else "rootogram" if family.counts else "density"
    if kind not in PICTURES:
        raise AnswerError(f"kind={kind!r}.{did_you_mean(str(kind), PICTURES)} For a statistic, say stat='mean'.")
    if kind == "rootogram" and not family.counts:
        raise AnswerError(f"kind='rootogram' shows how often each count occurs; family {family} has none. Say 'bars'.")
    if kind == "density" and (family.is_rate or family.counts or family.categories):
        other = "rootogram" if family.counts else "bars"
        raise AnswerError(f"kind='density' is for real responses, not for family {family}. Say kind={other!r}.")
    return kind


def _head(ax: Axes, source: str, count: int, handles: Any, note: str = "") -> None:
    labels = ["your data", f"{count:,} drawn data sets"]
    set_heading(ax, f"{source.capitalize()} predictive check{note}", handles, labels)


ATOMS = (0.0, 1.0)  # values that a continuous response has with a chance of their own


def _share_text(seen: Replicated, value: float) -> str:
    """How often such a value occurs in the data and in drawn data, which no density can show."""
    drawn = (seen.drawn == value).mean(axis=1)
    low, high = np.quantile(drawn, [0.025, 0.975])
    return f"{value:g}: {(seen.observed == value).mean():.1%} of your data,\n{low:.1%} to {high:.1%} of those drawn"


def _without(seen: Replicated, atoms: list[float]) -> Replicated:
    """The same without some values: infinite, which densities leave out."""
    if not atoms:
        return seen
    return replace(
        seen, observed=seen.observed[~np.isin(seen.observed, atoms)],
        drawn=np.where(np.isin(seen.drawn, atoms), np.inf, seen.drawn),
    )  # fmt: skip


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
    top = int(max(seen.observed.max(), np.quantile(seen.drawn, 1.0 - TAIL)))
    width = max(1, int(np.ceil((top + 1) / MAX_COUNTS)))
    edges = np.arange(0, top + width + 1, width)
    counts = np.array([_frequencies(row, edges) for row in (seen.observed, *seen.drawn)])
    roots = np.sqrt(counts)
    at = edges[:-1] + (width - 1) / 2
    lower, upper = np.quantile(roots[1:], [0.025, 0.975], axis=0)
    middle = np.sqrt(counts[1:].mean(axis=0))
    ax.bar(at, roots[0], 0.9 * width, color=DATA, alpha=FILL)
    reach = np.clip([middle - lower, upper - middle], 0.0, None)
    ax.errorbar(at, middle, reach, fmt="o", color=DRAWN, markersize=4, linewidth=1.2)
    ax.set_ylabel("√ number of rows")


def _frequencies(values: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """How many values are in each bin; the last one holds all that are larger."""
    return np.histogram(np.minimum(values, edges[-1] - 1), edges)[0]


def _plot_bars(posterior: Posterior, source: str, by: Any, draws: int | None, ax: Axes | None) -> Axes:
    """A bar for each cell of `by`: the raw rate or mean, with the median and interval of drawn data upon it."""
    spec, measure = posterior.spec, measure_of(posterior.spec, exposed=True)
    variables, groups = default_columns(spec)
    names = check_columns(spec, [*groups, *variables] if by is None else by)
    seen = replicate_cells(posterior, draws)
    number, keys = numbered(seen.frame, names)
    observed, drawn = shares(seen, number, len(keys))
    labels = [" · ".join(shorten([str(level) for level in row])) for row in keys.itertuples(index=False)] or ["all"]
    axis = " · ".join(one(name) for name in names)
    if len(keys) > UPRIGHT:
        ax = axes_for(ax, len(keys), labels)
        bars, points = _draw_lying(ax, observed, drawn, [literal(label) for label in labels], axis)
        ax.set_xlabel(literal(measure.name))
    else:
        ax = axes_for(ax, 9, [""])
        bars, points = _draw_upright(ax, observed, drawn, [literal(label) for label in labels])
        ax.set_xlabel(axis)
        ax.set_ylabel(literal(measure.name))
        ax.spines[["top", "right"]].set_visible(False)
    if measure.percent:
        format_percent(ax.xaxis if len(keys) > UPRIGHT else ax.yaxis)
    _head(ax, source, len(drawn), [bars, points])
    return ax


CATEGORIES = "categories"


def _plot_categories(
    posterior: Posterior, labels: list[str], source: str, by: Any, draws: int | None, ax: Axes | None
) -> Axes:
    """A bar for each category: its share of the rows, with the median and interval of drawn data upon it."""
    seen, name = replicate_rows(posterior, draws), category_word(posterior.spec.formula.response)

    def draw(own: Axes, some: Replicated) -> int:
        observed, *drawn = (np.bincount(row.astype(np.int64) - 1, minlength=len(labels)) / len(row)
                            for row in (some.observed, *some.drawn))  # fmt: skip
        texts = [literal(label) for label in labels]
        if len(labels) > UPRIGHT:
            _draw_lying(own, observed, np.array(drawn), texts, literal(name))
            own.set_xlabel("share of rows")
        else:
            _draw_upright(own, observed, np.array(drawn), texts)
            own.set_xlabel(literal(name))
            own.set_ylabel("share of rows")
            own.spines[["top", "right"]].set_visible(False)
        format_percent(own.xaxis if len(labels) > UPRIGHT else own.yaxis)
        return len(drawn)

    if by is not None:
        return _in_panels(seen, source, CATEGORIES, check_columns(posterior.spec, by), draw, _bars_of, ax)
    ax = axes_for(ax, len(labels) if len(labels) > UPRIGHT else 9, labels)
    count = draw(ax, seen)
    _head(ax, source, count, _bars_of(ax))
    return ax


def _bars_of(ax: Axes) -> Any:
    return ax.containers[:2]


def _spread(drawn: np.ndarray) -> tuple[np.ndarray, list[np.ndarray]]:
    """The median of drawn data, and how far their central 95 % reach below and above."""
    lower, middle, upper = np.quantile(drawn, [0.025, 0.5, 0.975], axis=0)
    return middle, [middle - lower, upper - middle]


def _draw_upright(ax: Axes, observed: np.ndarray, drawn: np.ndarray, labels: list[str]) -> tuple[Any, Any]:
    at, (middle, reach) = np.arange(len(labels)), _spread(drawn)
    bars = ax.bar(at, observed, 0.8, color=DATA, alpha=FILL)
    points = ax.errorbar(at, middle, reach, fmt="o", color=DRAWN, markersize=4)
    ax.set_xticks(at, labels)
    return bars, points


def _draw_lying(
    ax: Axes, observed: np.ndarray, drawn: np.ndarray, labels: list[str], name: str
) -> tuple[Any, Any]:  # fmt: skip
    at, (middle, reach) = np.arange(len(labels), dtype=float), _spread(drawn)
    set_rows(ax, at, labels, name)
    bars = ax.barh(at, observed, 0.8, color=DATA, alpha=FILL)
    points = ax.errorbar(middle, at, xerr=reach, fmt="o", color=DRAWN, markersize=4 if len(labels) <= 60 else 2)
    return bars, points


def _plot_statistic(posterior: Posterior, source: str, stat: Any, draws: int | None, ax: Axes | None) -> Axes:
    chosen = read_statistics(stat, posterior.spec.family)
    if len(chosen) > 1:
        raise AnswerError("plot.ppc(stat=...) shows one statistic. ppc(stat) is a table of several.")
    ((name, statistic),) = chosen.items()
    seen = replicate_scores(posterior, draws)
    observed, drawn = both(seen, name, statistic)
    ax = axes_for(ax, 8, [name])
    finite = drawn[np.isfinite(drawn)]
    bars: Any = ax.hist(finite, _bins(finite).tolist(), color=DRAWN, alpha=FILL)[2]
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


MOST_BINS = 100


def plot_loo_pit(table: pd.DataFrame, bins: Any, ax: Axes | None = None) -> Axes:
    """Draw the table of `Fit.loo_pit` as a histogram with a band for uniform values."""
    if isinstance(bins, bool) or not isinstance(bins, int) or not 2 <= bins <= MOST_BINS:
        raise AnswerError(f"bins={bins!r}: a whole number from 2 to {MOST_BINS} is needed.")
    rows = int(table["times"].sum())
    ax = axes_for(ax, 8, [""])
    edges = np.linspace(0.0, 1.0, bins + 1)
    bars = ax.bar(edges[:-1], histogram(table, bins), 1.0 / bins, align="edge", color=COLOURS[0], alpha=FILL)
    band = ax.axhspan(*(_binomial_quantile(tail, rows, 1.0 / bins) for tail in (0.025, 0.975)), color=GREY, alpha=BAND)
    ax.axhline(1.0 / bins, color=GREY, linestyle="--", linewidth=1.0)
    ax.set_xlim(0.0, 1.0)
    ax.set_xlabel("P(response below the row's | other rows)")
    ax.set_ylabel("share of rows")
    ax.spines[["top", "right"]].set_visible(False)
    set_heading(ax, f"LOO-PIT of {rows:,} rows", [bars, band], ["rows", "95% of bars if the model is right"])
    return ax


def _binomial_quantile(tail: float, rows: int, share: float) -> float:
    """A quantile of the share of `rows` that fall into one bar."""
    counts = np.arange(rows + 1) if rows <= 100_000 else None
    if counts is None:
        return float(share + special.ndtri(tail) * np.sqrt(share * (1.0 - share) / rows))
    return float(np.searchsorted(special.bdtr(counts, rows, share), tail) / rows)


def plot_calibration(spec: ModelSpec, table: pd.DataFrame, prob: float, ax: Axes | None = None) -> Axes:
    """Draw the table of `Fit.calibration`: steps of observed rates over a band, and the diagonal."""
    name = measure_of(spec).name
    ax = axes_for(ax, 10, [""])
    x = table["predicted"].to_numpy()
    band: Any = ax.fill_between(x, table["lower"], table["upper"], color=GREY, alpha=BAND, linewidth=0.0)
    if len(x) == 1:
        band = ax.vlines(x, table["lower"], table["upper"], color=GREY, alpha=0.5, linewidth=6.0)
    (line,) = ax.plot(x, table["observed"], color=COLOURS[1], marker="o", markersize=4 if len(x) <= 100 else 0)
    low, high = (
        float(pick(table[["predicted", "observed", "lower", "upper"]].to_numpy())) for pick in (np.min, np.max)
    )
    ax.plot([low, high], [low, high], color=GREY, linestyle="--", linewidth=1.0)
    ax.set_xlabel(literal(f"predicted {name}"))
    ax.set_ylabel(literal(f"observed {name}"))
    format_percent(ax.xaxis)
    format_percent(ax.yaxis)
    ax.spines[["top", "right"]].set_visible(False)
    labels = ["observed", f"{100 * prob:.4g}% of drawn data"]
    set_heading(ax, f"Calibration of {literal(name)}s", [line, band], labels)
    return ax


def plot_outlying(result: Outlying, prob: float, ax: Axes | None = None) -> Axes:
    """Draw the effects of `Fit.outlying` as a forest, sorted by the first effect, with lines at its limit."""
    wide = result.effects.reset_index()
    first = result.effects.xs(wide["effect"].iloc[0], level="effect")["estimate"]
    rank = pd.Series(np.argsort(np.argsort(-first.to_numpy(), kind="stable")), index=first.index)
    order = np.argsort(rank.loc[wide[result.grouping]].to_numpy(), kind="stable")
    shown = wide.iloc[order].reset_index(drop=True)
    several = shown["effect"].nunique() > 1
    keys = shown[[result.grouping, "effect"]] if several else shown[[result.grouping]]
    layout = arrange(keys)
    ax = axes_for(ax, layout.lines, layout.labels)
    handles = draw_forest(ax, layout, shown, None)
    for side in (-1.0, 1.0):
        ax.axvline(side * result.limit, color=GREY, linestyle="--", linewidth=1.0, zorder=1)
    ax.axvline(0.0, color=GREY, linewidth=0.8, zorder=1)
    ax.set_xlabel(f"effect in standard deviations of its population ({100 * prob:.4g}% interval)")
    names = ", ".join(literal(text) for text in shorten([level_text(group) for group in result.groups[:5]]))
    more = f" and {len(result.groups) - 5:,} more" if len(result.groups) > 5 else ""
    title = f"Outlying: {names}{more}" if result.groups else f"No {one(result.grouping)} stands out"
    set_heading(ax, title, handles if several else (), layout.names)
    return ax
