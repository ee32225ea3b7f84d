"""What a prior implies on the response scale, as a histogram with its quantiles."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes

from hiermod.answers.implied import Implied
from hiermod.show.measure import format_percent, format_signed_percent
from hiermod.show.style import COLOURS, GREY, axes_for, literal, one, set_heading

BINS = 40
TAIL = 0.005  # of draws on each side that are not shown, where they may reach far


def plot_implied(implied: Implied, effects: bool = False, ax: Axes | None = None) -> Axes:
    """Draw the expected response of a row, or with `effects` the differences between levels.

    Bars are densities; at their foot, the central 50 and 95 % of the draws are lines, with a point at the median.

    Parameters
    ----------
    implied : Implied
    effects : bool
        Whether differences are drawn.
    ax : matplotlib Axes, optional
        Where to draw; a new figure otherwise.

    Returns
    -------
    matplotlib Axes
    """
    percent, name = implied.measure.percent, implied.measure.name
    shown = [label for label in implied.draws if (label != name) == effects]
    ax = axes_for(ax, 8 + len(shown), [name])
    bins = _edges(np.concatenate([implied.draws[label] for label in shown]), percent and not effects)
    handles = []
    for place, label in enumerate(shown):
        colour = COLOURS[place % len(COLOURS)]
        style: dict[str, Any] = {"alpha": 0.35} if len(shown) == 1 else {"histtype": "step", "linewidth": 1.4}
        weights = np.full(len(implied.draws[label]), 1.0 / len(implied.draws[label]) / np.diff(bins)[0])
        shapes: Any = ax.hist(implied.draws[label], bins.tolist(), weights=weights, color=colour, **style)[2]
        handles.append(shapes[0])
        _quantiles(ax, implied, label, place, colour)
    if effects:
        ax.axvline(0.0, color=GREY, linestyle="--", linewidth=1.0)
    ax.set_xlim(bins[0], bins[-1])
    ax.set_xlabel(literal(f"difference in {name}" + (", percentage points" if percent else "")) if effects else name)
    if percent:
        format_signed_percent(ax.xaxis, "") if effects else format_percent(ax.xaxis)
    ax.set_yticks([])
    ax.spines[["top", "right", "left"]].set_visible(False)
    labels = [one(label) for label in shown] if len(shown) > 1 else []
    what = "an effect" if effects else f"the {literal(name)} of a row"
    set_heading(ax, f"What the priors say about {what}", handles if labels else (), labels)
    return ax


def _edges(values: np.ndarray, unit: bool) -> np.ndarray:
    if unit:
        return np.linspace(0.0, 1.0, BINS + 1)
    low, high = np.quantile(values[np.isfinite(values)], [TAIL, 1.0 - TAIL])
    return np.linspace(low, high, BINS + 1) if high > low else np.linspace(low - 0.5, low + 0.5, BINS + 1)


def _quantiles(ax: Axes, implied: Implied, label: str, place: int, colour: str) -> None:
    """Thin and thick lines above the axis, in their own row."""
    row, y = implied.table.loc[label], 0.03 + 0.05 * place
    where: dict[str, Any] = {"transform": ax.get_xaxis_transform(), "color": colour, "solid_capstyle": "butt"}
    for low, high, width in (("q2.5", "q97.5", 1.4), ("q25", "q75", 3.6)):
        ax.plot([row[low], row[high]], [y, y], linewidth=width, **where)
    ax.plot([row["q50"]], [y], marker="o", markersize=5, linestyle="none", **where)
