"""Checks of a model as pictures: LOO-PIT, calibration, outlying groups."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from scipy import special

from hiermod.answers.answer import measure_of
from hiermod.answers.checks.outlying import Outlying
from hiermod.answers.checks.predictive_checks import histogram
from hiermod.data.columns.values import level_text
from hiermod.errors import AnswerError
from hiermod.modeling.protocol import ModelSpec
from hiermod.show.forest import arrange, draw_forest
from hiermod.show.style import COLOURS, GREY, axes_for, format_percent, literal, one, set_heading, shorten

MOST_BINS = 100


def plot_loo_pit(table: pd.DataFrame, bins: Any, ax: Axes | None = None) -> Axes:
    """Draw the table of `Fit.loo_pit` as a histogram with a band for uniform values."""
    if isinstance(bins, bool) or not isinstance(bins, int) or not 2 <= bins <= MOST_BINS:
        raise AnswerError(f"bins={bins!r}: a whole number from 2 to {MOST_BINS} is needed.")
    rows = int(table["times"].sum())
    ax = axes_for(ax, 8, [""])
    edges = np.linspace(0.0, 1.0, bins + 1)
    bars = ax.bar(edges[:-1], histogram(table, bins), 1.0 / bins, align="edge", color=COLOURS[0], alpha=0.5)
    band = ax.axhspan(*(_binomial_quantile(tail, rows, 1.0 / bins) for tail in (0.025, 0.975)), color=GREY, alpha=0.25)
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
    band: Any = ax.fill_between(x, table["lower"], table["upper"], color=GREY, alpha=0.25, linewidth=0.0)
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
