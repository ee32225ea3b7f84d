"""Heat maps: probabilities of every group and arm, of every pair, and of being best."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import Normalize

from hiermod.data.columns.values import level_text
from hiermod.show.style import (
    GREY,
    font_points,
    heat_map,
    height_points,
    ink,
    literal,
    one,
    set_heading,
    shorten,
    width_points,
)

LINES = 1.5  # a cell with a number is so many lines high
CHARACTERS = 3.4  # and so many wide, in font sizes
MOST_LABELS = 60
MOST_SHAPES = 2_000
STRONG = 0.85  # the opacity from which on white text is read best


def plot_probabilities(
    table: pd.DataFrame, title: str, name: str, both_ways: bool, ax: Axes | None = None
) -> Axes:  # fmt: skip
    """Draw a table of probabilities as a heat map, with all numbers where they have room, else with none.

    Parameters
    ----------
    table : pandas.DataFrame
        From 0 to 1; NaN where there is nothing, as on a diagonal.
    title, name : str
        Of the picture, and of the probabilities.
    both_ways : bool
        Whether 0.5 is neutral, and both ends are coloured.
    ax : matplotlib Axes, optional
    """
    rows = [" · ".join(shorten([level_text(level) for level in _tuple(key)])) for key in table.index]
    columns = shorten([level_text(key) for key in table.columns], 18)
    ax = _axes(ax, rows, columns)
    values = table.to_numpy(dtype=float)
    colours, norm = heat_map(both_ways), Normalize(0.0, 1.0)
    edges = [np.arange(size + 1) - 0.5 for size in values.shape]
    image = ax.pcolormesh(
        edges[1], edges[0], np.ma.masked_invalid(values), cmap=colours, norm=norm, rasterized=values.size > MOST_SHAPES
    )  # fmt: skip
    ax.set_ylim(len(rows) - 0.5, -0.5)
    _label_cells(ax, rows, columns, table)
    if not _print_numbers(ax, values, colours, norm):
        bar = _figure_of(ax).colorbar(image, ax=ax, shrink=0.8, pad=0.02, format=lambda value, _: f"{value:.0%}")
        bar.set_label(literal(name))
        bar.outline.set_visible(False)
    set_heading(ax, title)
    return ax


def _tuple(key: Any) -> tuple[Any, ...]:
    return key if isinstance(key, tuple) else (key,)


def _figure_of(ax: Axes) -> Any:
    return ax.get_figure(root=True)


def _axes(ax: Axes | None, rows: Sequence[str], columns: Sequence[str]) -> Axes:
    if ax is not None:
        return ax
    import matplotlib.pyplot as plt

    width = 1.6 + 0.085 * max(map(len, rows)) + len(columns) * max(0.62, 0.095 * max(map(len, columns)))
    height = 1.2 + (0.3 if len(rows) <= 40 else 0.14) * min(len(rows), 80)
    return plt.subplots(figsize=(float(np.clip(width, 4.5, 16.0)), height), layout="constrained")[1]


def _label_cells(ax: Axes, rows: list[str], columns: list[str], table: pd.DataFrame) -> None:
    down, across = (-(-len(labels) // MOST_LABELS) for labels in (rows, columns))
    wide = max(map(len, columns)) * len(columns) * 0.6 * font_points("ytick.labelsize") > width_points(ax)
    ax.set_yticks(range(0, len(rows), down), [literal(label) for label in rows[::down]])
    ax.set_xticks(range(0, len(columns), across), [literal(label) for label in columns[::across]])
    ax.xaxis.tick_top()
    ax.tick_params(length=0)
    ax.tick_params(axis="x", rotation=40 if wide else 0)
    if wide:
        for label in ax.get_xticklabels():
            label.set(ha="left", rotation_mode="anchor")
    names = [name for name in table.index.names if name is not None]
    ax.set_ylabel(" · ".join(one(name) for name in names))
    ax.set_xlabel(one(table.columns.name) if table.columns.name is not None else "")
    ax.xaxis.set_label_position("top")
    ax.spines[:].set_visible(False)
    ax.set_xticks(np.arange(-0.5, len(columns)), minor=True)
    ax.set_yticks(np.arange(-0.5, len(rows)), minor=True)
    if len(rows) <= MOST_LABELS:
        ax.grid(which="minor", color=ax.get_facecolor(), linewidth=1.5)
    ax.tick_params(which="minor", length=0)


def _print_numbers(ax: Axes, values: np.ndarray, colours: Any, norm: Normalize) -> bool:
    """The number in each cell, as whole percentages, if all have room."""
    size = 0.9 * font_points("ytick.labelsize")
    high, wide = height_points(ax) / values.shape[0], width_points(ax) / values.shape[1]
    if high < LINES * size or wide < CHARACTERS * size:
        return False
    for (row, column), value in np.ndenumerate(values):
        if np.isnan(value):
            ax.text(column, row, "–", ha="center", va="center", fontsize=size, color=GREY)
            continue
        colour = "white" if colours(norm(value))[3] > STRONG else ink()
        ax.text(column, row, percent_text(value), ha="center", va="center", fontsize=size, color=colour)
    return True


def percent_text(value: float) -> str:
    """A probability in whole percent; draws that agree are no certainty."""
    return ">99%" if value > 0.995 else "<1%" if value < 0.005 else f"{value:.0%}"
