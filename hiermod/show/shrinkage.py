"""Shrinkage: the raw and the pooled rate of each group, joined, beside the grand rate."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from scipy import special

from hiermod.answers.answer import Measure, measure_of
from hiermod.answers.averaging.rows import grand_rate
from hiermod.data.columns.values import level_text
from hiermod.errors import AnswerError
from hiermod.sampling.posterior import Posterior
from hiermod.show.forest import ONE_COLUMN, plot_columns, row_points, set_rows
from hiermod.show.style import COLOURS, FILL, GREY, axes_for, format_percent, ink, literal, one, set_heading, shorten

MANY = 40
RAW, POOLED = COLOURS[1], COLOURS[0]


def plot_shrinkage(
    posterior: Posterior, table: pd.DataFrame, ax: Axes | None = None, prob: float = 0.95, page: int = 1
) -> Axes:  # fmt: skip
    """Draw the table of `Fit.shrinkage`: hollow raw values joined to filled pooled ones, the grand rate dashed.

    Where standard errors are known, it is a forest plot: thin lines are the intervals of raw values, and areas are in
    proportion to their precision.

    Parameters
    ----------
    posterior : Posterior
    table : pandas.DataFrame
        Of `Fit.shrinkage`. More than 40 levels are sorted by their pooled value; a new figure of more than 60 has
        columns.
    ax : matplotlib Axes, optional
        Where to draw; a new figure otherwise.
    prob : float
        Of the table's intervals.
    page : int
        Of more than 200 levels in a new figure.

    Returns
    -------
    matplotlib Axes
    """
    measure, levels = measure_of(posterior.spec), len(table)
    name = one(table.index.name)
    group = name
    if levels > MANY:
        table = table.sort_values("estimate", kind="stable", ascending=False)
        group = f"{name} ({levels:,} levels, sorted by pooled {measure.word})"
    labels = [literal(text) for text in shorten([level_text(level) for level in table.index])]
    n, grand = table["n"].to_numpy(dtype=float), grand_rate(posterior.spec)
    n = n if "se" not in table else (table["se"].min() / table["se"].to_numpy()) ** 2  # areas as their precision
    title = f"Raw and pooled {literal(measure.name)} by {name}"

    def draw(ax: Axes, first: int, last: int) -> list[Line2D]:
        set_rows(ax, np.arange(first, last), labels[first:last], group)
        row = row_points(ax)
        areas = _areas(n, row)
        _draw(ax, table.iloc[first:last], areas[first:last], row, first)
        if "se" in table:
            _draw_errors(ax, table.iloc[first:last], row, first, prob)
        _mark_grand(ax, grand, measure)
        if measure.percent:
            format_percent(ax.xaxis)
        return _legend(n, areas, row, measure, prob)[0]

    if ax is None and levels > ONE_COLUMN:
        names = _legend(n, _areas(n, 10.0), 10.0, measure, prob)[1]
        return plot_columns(labels, draw, literal(measure.name), title, page, names, group)[0]
    if page != 1:
        raise AnswerError(f"page={page!r}: the picture has one page.")
    ax = axes_for(ax, levels, labels)
    handles = draw(ax, 0, levels)
    ax.set_xlabel(literal(measure.name))
    row = row_points(ax)
    set_heading(ax, title, handles, _legend(n, _areas(n, row), row, measure, prob)[1], lines=1)
    return ax


def _areas(n: np.ndarray, row: float) -> np.ndarray:
    """Areas of markers in proportion to n, fitting the height of a row in points; the smallest stay visible."""
    diameter = float(np.clip(row, 6.0 if row > 2 else 3.0, 15.0))
    return np.maximum(diameter**2 * n / n.max(), (0.35 * diameter) ** 2)


def _pooled_size(row: float) -> float:
    return float(np.clip(0.4 * row, 1.5, 6.0))


def _draw(ax: Axes, table: pd.DataFrame, areas: np.ndarray, row: float, first: int) -> None:
    y = np.arange(first, first + len(table))
    raw, estimate = table["raw"].to_numpy(dtype=float), table["estimate"].to_numpy(dtype=float)
    width = float(np.clip(0.25 * row, min(0.4 * row, 1.2), 5.0))
    ax.hlines(y, table["lower"], table["upper"], colors=POOLED, linewidth=width, alpha=FILL, zorder=2)
    ax.hlines(y, raw, estimate, colors=GREY, linewidth=min(1.2, width), zorder=2.5)
    edge = float(np.clip(0.15 * row, 0.4, 1.4))
    ax.scatter(raw, y, s=areas, marker="o", facecolors=ax.get_facecolor(), edgecolors=RAW, linewidths=edge, zorder=3)
    ax.plot(estimate, y, "D", color=POOLED, markersize=_pooled_size(row), zorder=4)


def _draw_errors(ax: Axes, table: pd.DataFrame, row: float, first: int, prob: float) -> None:
    """Intervals of raw values by their standard errors, as forest plots of studies have them."""
    reach = float(special.ndtri(0.5 + 0.5 * prob)) * table["se"].to_numpy()
    raw, y = table["raw"].to_numpy(), np.arange(first, first + len(table)) - 0.2
    width = float(np.clip(0.1 * row, 0.4, 1.2))
    ax.hlines(y, raw - reach, raw + reach, colors=RAW, linewidth=width, zorder=2.2)


def _mark_grand(ax: Axes, grand: float, measure: Measure) -> None:
    ax.axvline(grand, color=ink(), linestyle="--", linewidth=1.0, zorder=1)
    ax.annotate(
        f"grand {measure.word} {measure.text(grand)}", (grand, 1.0), xycoords=("data", "axes fraction"),
        xytext=(0, 3), textcoords="offset points", ha="center", va="bottom", fontsize="small", annotation_clip=False,
    )  # fmt: skip


def _legend(
    n: np.ndarray, areas: np.ndarray, row: float, measure: Measure, prob: float
) -> tuple[list[Line2D], list[str]]:
    """Raw and pooled, then markers for the smallest, the middle and the largest n."""
    hollow = {"marker": "o", "linestyle": "none", "markerfacecolor": "none"}
    handles = [
        Line2D([], [], markeredgecolor=RAW, markersize=7.0, **hollow),  # type: ignore[arg-type]
        Line2D([], [], color=POOLED, marker="D", markersize=max(_pooled_size(row), 4.5), linewidth=1.5),
    ]
    labels = [f"raw {measure.word}", f"pooled {measure.word}, {100 * prob:.4g}% interval"]
    for place in _size_examples(n) if n.max() > 1.0 or n.min() == n.max() else ():
        size = float(np.sqrt(areas[place]))
        handles.append(Line2D([], [], markeredgecolor=GREY, markersize=size, **hollow))  # type: ignore[arg-type]
        labels.append(f"n = {n[place]:,.10g}")
    return handles, labels


def _size_examples(n: np.ndarray) -> Sequence[int]:
    order = np.argsort(n, kind="stable")
    chosen = {float(n[place]): int(place) for place in (order[0], order[len(order) // 2], order[-1])}
    return list(chosen.values())
