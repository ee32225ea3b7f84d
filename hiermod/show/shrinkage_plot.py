"""Shrinkage: the raw and the pooled rate of each level, and how far one was pulled from the other."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from hiermod.answers.answer import Measure, measure_of
from hiermod.data.columns.values import level_text
from hiermod.modeling.protocol import ModelSpec
from hiermod.sampling.posterior import Posterior
from hiermod.show.forest import row_points, set_rows
from hiermod.show.style import COLOURS, GREY, axes_for, format_percent, ink, literal, one, set_heading, shorten

MANY = 40
RAW, POOLED = COLOURS[1], COLOURS[0]


def plot_shrinkage(posterior: Posterior, table: pd.DataFrame, ax: Axes | None = None, prob: float = 0.95) -> Axes:
    """Draw the table of `Fit.shrinkage`: hollow raw values joined to filled pooled ones, the grand rate dashed.

    Parameters
    ----------
    posterior : Posterior
    table : pandas.DataFrame
        Of `Fit.shrinkage`. More than 40 levels are sorted by their pooled value.
    ax : matplotlib Axes, optional
        Where to draw; a new figure otherwise.
    prob : float
        Of the table's intervals.

    Returns
    -------
    matplotlib Axes
    """
    measure, levels = measure_of(posterior.spec), len(table)
    group = one(table.index.name)
    if levels > MANY:
        table = table.sort_values("estimate", kind="stable")
        group = f"{group} ({levels:,} levels, sorted by pooled {measure.word})"
    labels = [literal(text) for text in shorten([level_text(level) for level in table.index])]
    ax = axes_for(ax, levels, labels)
    set_rows(ax, np.arange(levels), labels, group)
    row = row_points(ax)
    areas = _areas(table["n"].to_numpy(dtype=float), row)
    _draw(ax, table, areas, row)
    _mark_grand(ax, grand_rate(posterior.spec), measure)
    ax.set_xlabel(literal(measure.name))
    if measure.percent:
        format_percent(ax.xaxis)
    handles, names = _legend(table["n"].to_numpy(dtype=float), areas, row, measure, prob)
    set_heading(ax, f"Raw and pooled {literal(measure.name)} by {one(table.index.name)}", handles, names, lines=1)
    return ax


def grand_rate(spec: ModelSpec) -> float:
    """The raw mean over all cells, by their weights."""
    return float(np.average(spec.cells.response.mean, weights=spec.cells.response.weight))


def _areas(n: np.ndarray, row: float) -> np.ndarray:
    """Areas of markers in proportion to n, fitting the height of a row in points; the smallest stay visible."""
    diameter = float(np.clip(row, 6.0 if row > 2 else 3.0, 15.0))
    return np.maximum(diameter**2 * n / n.max(), (0.35 * diameter) ** 2)


def _pooled_size(row: float) -> float:
    return float(np.clip(0.4 * row, 1.5, 6.0))


def _draw(ax: Axes, table: pd.DataFrame, areas: np.ndarray, row: float) -> None:
    y = np.arange(len(table))
    raw, estimate = table["raw"].to_numpy(dtype=float), table["estimate"].to_numpy(dtype=float)
    width = float(np.clip(0.25 * row, min(0.4 * row, 1.2), 5.0))
    ax.hlines(y, table["lower"], table["upper"], colors=POOLED, linewidth=width, alpha=0.3, zorder=2)
    ax.hlines(y, raw, estimate, colors=GREY, linewidth=min(1.2, width), zorder=2.5)
    edge = float(np.clip(0.15 * row, 0.4, 1.4))
    ax.scatter(raw, y, s=areas, marker="o", facecolors=ax.get_facecolor(), edgecolors=RAW, linewidths=edge, zorder=3)
    ax.plot(estimate, y, "D", color=POOLED, markersize=_pooled_size(row), zorder=4)


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
    for place in _size_examples(n):
        size = float(np.sqrt(areas[place]))
        handles.append(Line2D([], [], markeredgecolor=GREY, markersize=size, **hollow))  # type: ignore[arg-type]
        labels.append(f"n = {n[place]:,.10g}")
    return handles, labels


def _size_examples(n: np.ndarray) -> Sequence[int]:
    order = np.argsort(n, kind="stable")
    chosen = {float(n[place]): int(place) for place in (order[0], order[len(order) // 2], order[-1])}
    return list(chosen.values())
