"""Forest plots: rows of point estimates with thick and thin interval lines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from hiermod.show.style import COLOURS, MARKERS, bare, label_rows, level_text, literal, one, shorten

DODGE = 0.75  # of a group's height is shared by its series
GAP = 0.6  # between groups that differ in their first key
DENSE = 60


@dataclass(frozen=True, eq=False)
class Layout:
    """Where rows stand: groups from the top down, and within a group its series.

    Parameters
    ----------
    centres, labels
        Position and label of each group.
    positions, series
        Position and series of each row.
    names
        The series; empty where there is only one.
    axis : str
        What the groups are.
    """

    centres: np.ndarray
    labels: tuple[str, ...]
    positions: np.ndarray
    series: np.ndarray
    names: tuple[str, ...]
    axis: str

    @property
    def lines(self) -> float:
        """How many lines of text the rows are high."""
        return len(self.centres) * max(1.0, 0.9 * len(self.names))


def arrange(keys: pd.DataFrame) -> Layout:
    """Group rows by all keys but the last, whose levels are series; by all keys where the last has too many."""
    last = keys.columns[-1]
    codes, levels = pd.factorize(keys[last])
    several = len(keys.columns) > 1 and 1 < len(levels) <= len(COLOURS)
    grouped = keys[keys.columns[:-1]] if several else keys
    texts = [tuple(row) for row in np.column_stack([_texts(grouped[name]) for name in grouped])]
    group, distinct = pd.factorize(pd.Series(texts))
    starts = [index > 0 and len(row) > 1 and row[0] != distinct[index - 1][0] for index, row in enumerate(distinct)]
    centres = np.arange(len(distinct)) + GAP * np.cumsum(starts)
    series = codes if several else np.zeros(len(keys), dtype=int)
    count = len(levels) if several else 1
    return Layout(
        centres,
        tuple(literal(" · ".join(row)) for row in distinct),
        centres[group] + (series - (count - 1) / 2.0) * DODGE / count,
        series,
        tuple(shorten([level_text(level) for level in levels])) if several else (),
        " · ".join(one(name) for name in grouped),
    )


def _texts(column: pd.Series) -> list[str]:
    codes, levels = pd.factorize(column)
    short = shorten([level_text(level) for level in levels])
    return [short[code] for code in codes]


def draw_forest(ax: Axes, layout: Layout, table: pd.DataFrame, inner: np.ndarray | None) -> list[Line2D]:
    """Draw ``estimate, lower, upper`` of each row, and the ends of `inner` as thick lines; return legend handles."""
    estimate, lower, upper = (table[name].to_numpy(dtype=float) for name in ("estimate", "lower", "upper"))
    dense = len(estimate) > DENSE
    thick, thin = (1.8, 0.8) if dense else (3.6, 1.4)
    handles = []
    for place in range(max(len(layout.names), 1)):
        rows = layout.series == place
        y, colour, marker = layout.positions[rows], COLOURS[place], MARKERS[place]
        ax.hlines(y, lower[rows], upper[rows], colors=colour, linewidth=thin)
        if inner is not None:
            ax.hlines(y, inner[0][rows], inner[1][rows], colors=colour, linewidth=thick)
        point = _hollow(colour) if dense else _solid()
        ax.plot(estimate[rows], y, linestyle="none", marker=marker, color=colour, zorder=3, **point)
        handles.append(Line2D([], [], linewidth=1.4, marker=marker, color=colour, **_solid()))
    set_rows(ax, layout.centres, layout.labels, layout.axis)
    return handles


def _solid() -> dict[str, Any]:
    return {"markersize": 6.5, "markeredgecolor": "white", "markeredgewidth": 0.8}


def _hollow(colour: str) -> dict[str, Any]:
    """Small points that show on lines of their own colour."""
    return {"markersize": 3.2, "markerfacecolor": "white", "markeredgecolor": colour, "markeredgewidth": 0.9}


def set_rows(ax: Axes, centres: np.ndarray, labels: Sequence[str], name: str) -> None:
    """Rows downwards from the first, labelled where there is room."""
    bare(ax)
    ax.set_ylim(centres[-1] + 0.6, centres[0] - 0.6)
    label_rows(ax.yaxis, centres, labels)
    ax.set_ylabel(name)
