"""Compared models: each one's expected log predictive density below the best, with its standard error."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes

from hiermod.answers.scoring.comparison import NAMES, SMALL, ModelComparison
from hiermod.show.forest import set_rows
from hiermod.show.style import BAND, COLOURS, GREY, axes_for, literal, set_heading, shorten


def plot_comparison(found: ModelComparison, ax: Axes | None = None) -> Axes:
    """Draw differences from the best model, with one and two standard errors, and weights at the right.

    A grey band holds differences below 4, of models that predict alike.
    """
    table = found.table
    labels = [literal(text) for text in shorten([str(name) for name in table.index], 36)]
    ax = axes_for(ax, len(table) + 1, labels)
    places = np.arange(len(table), dtype=float)
    set_rows(ax, places, labels, "")
    difference, error = (table[name].to_numpy(dtype=float) for name in ("elpd_diff", "dse"))
    ax.axvspan(-SMALL, 0.0, color=GREY, alpha=BAND, linewidth=0.0, zorder=0)
    ax.axvline(0.0, color=GREY, linestyle="--", linewidth=1.0, zorder=1)
    ax.hlines(places, difference - 2 * error, difference + 2 * error, colors=COLOURS[0], linewidth=1.4)
    ax.hlines(places, difference - error, difference + error, colors=COLOURS[0], linewidth=3.6)
    ax.plot(
        difference, places, "o", color=COLOURS[0], markersize=6.5, markeredgecolor=ax.get_facecolor(),
        linestyle="none", zorder=3,
    )  # fmt: skip
    ax.set_xlabel(f"difference of ELPD from the best ({NAMES[found.method]}; 1 and 2 standard errors; grey: below 4)")
    right = ax.secondary_yaxis("right")
    right.set_yticks(places, [f"{weight:.2f}" for weight in table["weight"]], fontsize="small")
    right.tick_params(length=0)
    right.spines["right"].set_visible(False)
    ax.annotate(
        "weight", (1.0, 1.0), xycoords="axes fraction", xytext=(30, 3), textcoords="offset points", ha="right",
        va="bottom", fontsize="small", annotation_clip=False,
    )  # fmt: skip
    set_heading(ax, "Models compared, the best one first", lines=1)
    return ax
