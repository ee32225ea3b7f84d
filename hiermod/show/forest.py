"""Forest plots: rows of point estimates with thick and thin interval lines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from hiermod.answers.averaging.columns import levels_of
from hiermod.data.columns.values import level_text
from hiermod.modeling.protocol import ModelSpec
from hiermod.show.style import COLOURS, MARKERS, bare, height_points, label_rows, literal, one, shorten

DODGE = 0.75  # of a group's height is shared by its series
GAP = 0.6  # between groups that differ in their first key
MAX_CELLS = 60  # of a forest of rates whose cells are not given


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


def default_by(spec: ModelSpec) -> tuple[str, ...]:
    """The variables that a forest of rates shows by default: groups first, predictors with few levels after them.

    Predictors come before groups where there is no room for all; without any, the smallest group is shown whole.
    """
    formula = spec.formula
    shown = [name for name in spec.cells.frame if name not in spec.cells.averaged]
    variables = [name for name in formula.common_columns if name in shown]
    groups = [name for name in formula.grouping_columns if name not in variables]
    sizes = {name: len(levels_of(spec, name)) for name in [*variables, *groups]}
    few = [name for name in variables if sizes[name] <= len(COLOURS)]
    chosen: list[str] = []
    for name in [*few, *sorted(groups, key=lambda name: sizes[name])]:
        if np.prod([sizes[other] for other in (*chosen, name)]) <= MAX_CELLS:
            chosen.append(name)
    if not chosen and groups:
        chosen = [min(groups, key=lambda name: sizes[name])]
    return tuple(name for name in [*groups, *few] if name in chosen)


def arrange(keys: pd.DataFrame) -> Layout:
    """Group rows by all keys but the last, whose levels are series; by all keys where the last has too many."""
    last = keys.columns[-1]
    codes, levels = pd.factorize(keys[last])
    several = len(keys.columns) > 1 and 1 < len(levels) <= len(COLOURS)
    grouped = keys[keys.columns[:-1]] if several else keys
    group = pd.factorize(grouped.groupby(list(grouped), sort=False, observed=True).ngroup())[0]
    first = np.unique(group, return_index=True)[1]
    leading = pd.factorize(grouped.iloc[first, 0])[0]
    starts = (np.diff(leading, prepend=leading[0]) != 0) & (len(grouped.columns) > 1)
    centres = np.arange(len(first)) + GAP * np.cumsum(starts)
    texts = np.column_stack([_texts(grouped[name]) for name in grouped])[first]
    series = codes if several else np.zeros(len(keys), dtype=int)
    count = len(levels) if several else 1
    return Layout(
        centres,
        tuple(literal(" · ".join(row)) for row in texts),
        centres[group] + (series - (count - 1) / 2.0) * DODGE / count,
        series,
        tuple(shorten([level_text(level) for level in levels])) if several else (),
        " · ".join(one(name) for name in grouped),
    )


def _texts(column: pd.Series) -> np.ndarray:
    codes, levels = pd.factorize(column)
    return np.array(shorten([level_text(level) for level in levels]), dtype=object)[codes]


def draw_forest(ax: Axes, layout: Layout, table: pd.DataFrame, inner: np.ndarray | None) -> list[Line2D]:
    """Draw ``estimate, lower, upper`` of each row, and the ends of `inner` as thick lines; return legend handles."""
    estimate, lower, upper = (table[name].to_numpy(dtype=float) for name in ("estimate", "lower", "upper"))
    set_rows(ax, layout.centres, layout.labels, layout.axis)
    row = row_points(ax) * (DODGE / len(layout.names) if layout.names else 1.0)
    thick, thin = float(np.clip(0.35 * row, 0.2, 3.6)), float(np.clip(0.15 * row, 0.1, 1.4))
    handles = []
    for place in range(max(len(layout.names), 1)):
        rows = layout.series == place
        y, colour, marker = layout.positions[rows], COLOURS[place], MARKERS[place]
        ax.hlines(y, lower[rows], upper[rows], colors=colour, linewidth=thin)
        if inner is not None:
            ax.hlines(y, inner[0][rows], inner[1][rows], colors=colour, linewidth=thick)
        ax.plot(estimate[rows], y, linestyle="none", marker=marker, zorder=3, **_point(ax, colour, row))
        handles.append(Line2D([], [], linewidth=1.4, marker=marker, **_point(ax, colour, np.inf)))
    return handles


def _point(ax: Axes, colour: str, row: float) -> dict[str, Any]:
    """A point that fits its row; a small one is hollow, to show on lines of its own colour."""
    size, ground = float(np.clip(0.6 * row, 2.0, 6.5)), ax.get_facecolor()
    if size < 4.0:
        return {"color": colour, "markersize": size, "markerfacecolor": ground, "markeredgewidth": 0.9}
    return {"color": colour, "markersize": size, "markeredgecolor": ground, "markeredgewidth": 0.8}


def row_points(ax: Axes) -> float:
    """How high a row is now, in points."""
    low, high = ax.get_ylim()
    return height_points(ax) / abs(high - low)


def set_rows(ax: Axes, centres: np.ndarray, labels: Sequence[str], name: str) -> None:
    """Rows downwards from the first, labelled where there is room."""
    bare(ax)
    ax.set_ylim(centres[-1] + 0.6, centres[0] - 0.6)
    label_rows(ax.yaxis, centres, labels)
    ax.set_ylabel(name)
