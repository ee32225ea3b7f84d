"""Ridges: the posterior density of each row of an answer, one above the other, beside the grand rate."""

from __future__ import annotations

import arviz_stats as azs
import numpy as np
from matplotlib.axes import Axes

from hiermod.answers.answer import Answer
from hiermod.errors import AnswerError
from hiermod.show.forest import Layout, arrange, by_estimate, set_rows, shown_keys
from hiermod.show.labels import format_values, title_of, values_name
from hiermod.show.style import COLOURS, GREY, axes_for, ink, literal, set_heading

MOST = 60  # rows
HEIGHT = 1.6  # of the highest ridge, in rows
TAIL = 0.001


def plot_ridges(answer: Answer, sort: str, ax: Axes | None = None) -> Axes:
    """Draw the density of each row; all have the same area, and darker parts are intervals.

    Of rates, a dashed line is the raw mean of all data.

    Raises
    ------
    AnswerError
        If there are more than 60 rows.
    """
    question, keys = answer.question, answer.draws.indexes["row"].to_frame(index=False)
    if len(keys) > MOST:
        raise AnswerError(
            f"kind='ridges' shows {MOST} rows at most, and there are {len(keys):,}. Say kind='forest', or take rows by "
            "where=."
        )
    shown = shown_keys(keys, question)
    layout = arrange(shown, by_estimate(shown, answer, sort))
    rows = np.argsort(layout.positions, kind="stable")
    ax = axes_for(ax, len(rows) + 1, layout.labels)
    labels = [_label(layout, row) for row in rows]
    places = np.arange(len(rows), dtype=float)
    set_rows(ax, places, labels, layout.axis if question.by else "")
    ax.set_ylim(len(rows) - 0.6, -HEIGHT - 0.1)
    draws = answer.draws.transpose("row", "chain", "draw").to_numpy().reshape(len(keys), -1)
    curves = {place: _density(draws[row]) for place, row in zip(places, rows, strict=True)}
    highest = max((float(density.max()) for _, density in curves.values() if len(density)), default=1.0)
    for (place, (grid, density)), row in zip(curves.items(), rows, strict=True):
        if not len(grid):
            continue
        colour, top = COLOURS[int(layout.series[row])], place - HEIGHT * density / highest
        ax.fill_between(grid, place, top, color=colour, alpha=0.3, linewidth=0.0, zorder=2 + place / 100)
        inside = (grid >= answer.table["lower"].iloc[row]) & (grid <= answer.table["upper"].iloc[row])
        ax.fill_between(grid, place, top, where=inside, color=colour, alpha=0.45, linewidth=0.0, zorder=2 + place / 100)
        ax.plot(grid, top, color=colour, linewidth=1.0, zorder=2.005 + place / 100)
    if question.scale.null is not None:
        ax.axvline(question.scale.null, color=GREY, linestyle="--", linewidth=1.0, zorder=1)
    elif answer.grand is not None:
        ax.axvline(answer.grand, color=ink(), linestyle="--", linewidth=1.0, zorder=4)
        ax.annotate(
            f"grand {question.measure.word} {question.measure.text(answer.grand)}", (answer.grand, 1.0),
            xycoords=("data", "axes fraction"), xytext=(0, 3), textcoords="offset points", ha="center", va="bottom",
            fontsize="small", annotation_clip=False,
        )  # fmt: skip
    ax.set_xlabel(f"{values_name(question)} (posterior density, {100 * question.prob:.4g}% interval dark)")
    format_values(ax.xaxis, question)
    set_heading(ax, title_of(keys, question), lines=int(answer.grand is not None))
    return ax


def _label(layout: Layout, row: int) -> str:
    group = layout.labels[int(np.abs(layout.centres - layout.positions[row]).argmin())]
    return f"{group} · {literal(layout.names[int(layout.series[row])])}" if layout.names else group


def _density(draws: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A grid and the density on it; none of draws that are not known or all equal."""
    if not np.isfinite(draws).all() or np.ptp(draws) == 0.0:
        return np.empty(0), np.empty(0)
    grid, density = azs.kde(draws)[:2]
    low, high = np.quantile(draws, [TAIL, 1.0 - TAIL])
    kept = (grid >= low) & (grid <= high)
    return grid[kept], density[kept]
