"""Forests: points with thick and thin interval lines, in one column or in pages of several."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from hiermod.answers.answer import Answer, Question, effective_sizes
from hiermod.answers.averaging.columns import levels_of
from hiermod.data.columns.values import level_text
from hiermod.errors import AnswerError
from hiermod.modeling.protocol import ModelSpec
from hiermod.show.answer_text import NOT_ESTIMABLE
from hiermod.show.labels import (
    INNER,
    beats_title,
    format_values,
    log_if_wide,
    series_names,
    title_of,
    values_label,
)
from hiermod.show.style import (
    COLOURS,
    GREY,
    MARKERS,
    TIGHT,
    axes_for,
    bare,
    font_points,
    height_points,
    label_rows,
    literal,
    one,
    probability_text,
    set_heading,
    shorten,
)

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


def default_columns(spec: ModelSpec) -> tuple[list[str], list[str]]:
    """What a forest of rates shows by default: predictors of few levels as variables, and groups as cells.

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
    return [name for name in few if name in chosen], [name for name in groups if name in chosen]


def arrange(keys: pd.DataFrame, rank: np.ndarray | None = None) -> Layout:
    """Group rows by all keys but the last, whose levels are series; by all keys where the last has too many.

    Groups are in the order of their rows, or by the means of `rank`, within the first key and this too.
    """
    last = keys.columns[-1]
    codes, levels = pd.factorize(keys[last])
    several = _has_series(keys)
    grouped = keys[keys.columns[:-1]] if several else keys
    group = pd.factorize(grouped.groupby(list(grouped), sort=False, observed=True).ngroup())[0]
    if rank is not None:
        group = _ranked(group, pd.factorize(grouped.iloc[:, 0])[0], rank)
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


def _has_series(keys: pd.DataFrame) -> bool:
    """Whether the levels of the last key are told apart by colours."""
    return len(keys.columns) > 1 and 1 < keys.iloc[:, -1].nunique() <= len(COLOURS)


def _ranked(group: np.ndarray, leading: np.ndarray, rank: np.ndarray) -> np.ndarray:
    """Numbers of groups in the order of their mean ranks, those with one leading key together; unknown ones last."""
    known = pd.Series(np.nan_to_num(rank, nan=np.inf))
    own = known.groupby(group).mean().to_numpy()
    first = np.unique(group, return_index=True)[1]
    of_leading = known.groupby(leading).mean().to_numpy()
    order = np.lexsort([np.arange(len(first)), own, leading[first], of_leading[leading[first]]])
    place = np.empty(len(order), dtype=np.int64)
    place[order] = np.arange(len(order))
    return np.asarray(place[group])


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


COLUMN = 50  # groups of a column, where a new figure has columns
COLUMNS = 4
ONE_COLUMN = 60  # groups that one column has at most
FEW = 3  # groups below which their order says nothing


@dataclass(frozen=True, eq=False)
class Forest:
    """An answer laid out: its rows' table, the ends of thick lines, and what is printed at the right of each row."""

    layout: Layout
    table: pd.DataFrame
    inner: np.ndarray | None
    beats: list[str] | None

    def part(self, first: int, last: int) -> Forest:
        """Some of the groups, standing where they stand in the whole."""
        layout = self.layout
        low, high = layout.centres[first] - DODGE / 2, layout.centres[last - 1] + DODGE / 2
        rows = np.flatnonzero((layout.positions >= low) & (layout.positions <= high))
        part = replace(
            layout, centres=layout.centres[first:last], labels=layout.labels[first:last],
            positions=layout.positions[rows], series=layout.series[rows],
        )  # fmt: skip
        return Forest(
            part, self.table.iloc[rows], None if self.inner is None else self.inner[:, rows],
            None if self.beats is None else [self.beats[row] for row in rows],
        )  # fmt: skip


def plot_forest(answer: Answer, sort: str, page: int, ax: Axes | None = None) -> Axes:
    """Draw an answer as a forest; a new figure has columns where groups are many.

    Raises
    ------
    AnswerError
        If there is no such page.
    """
    question, keys = answer.question, answer.draws.indexes["row"].to_frame(index=False)
    shown = shown_keys(keys, question)
    layout = arrange(shown, by_estimate(shown, answer, sort))
    forest = Forest(layout, answer.table, inner_ends(answer), _beats(answer))
    names = series_names(layout.names, question)
    if page > 1 and (ax is not None or len(layout.centres) <= ONE_COLUMN):
        raise AnswerError(f"page={page}: the picture has one page.")
    title = title_of(keys, question)
    if ax is None and len(layout.centres) > ONE_COLUMN:
        draw = partial(draw_part, forest, partial(_finish, question))
        axis = _left_name(layout, question)
        axes = plot_columns(layout.labels, draw, values_label(question), title, page, names, axis)
        share_limits(axes, forest.table)
        return axes[0]
    ax = axes_for(ax, layout.lines, layout.labels)
    handles = draw_forest(ax, layout, forest.table, forest.inner)
    _finish(question, ax, forest)
    ax.set_xlabel(values_label(question))
    set_heading(ax, title, handles if names else (), names, int(forest.beats is not None))
    return ax


def _finish(question: Question, ax: Axes, forest: Forest) -> None:
    """The null, the ticks of the scale, and probabilities at the right."""
    if question.scale.null is not None:
        ax.axvline(question.scale.null, color=GREY, linestyle="--", linewidth=1.0, zorder=1)
    ax.set_ylabel(_left_name(forest.layout, question))
    format_values(ax.xaxis, question)
    log_if_wide(ax, forest.table, question, "x")
    if forest.beats is not None:
        _print_beats(ax, forest, beats_title(question))


def _left_name(layout: Layout, question: Question) -> str:
    return layout.axis if question.by else "row" if question.kind == "predict" else ""


def plot_columns(
    labels: Sequence[str], draw: Callable[[Axes, int, int], list[Line2D]], name: str, title: str, page: int,
    names: Sequence[str] = (), axis: str = "",
) -> list[Axes]:  # fmt: skip
    """A page of columns, which share their scale; `draw` puts the groups from one to another into axes.

    Raises
    ------
    AnswerError
        If there is no such page.
    """
    import matplotlib.pyplot as plt

    count = len(labels)
    pages = -(-count // (COLUMN * COLUMNS))
    if page > pages:
        raise AnswerError(f"page={page}: the picture has {pages} page{'s' if pages > 1 else ''}.")
    start, end = (page - 1) * COLUMN * COLUMNS, min(page * COLUMN * COLUMNS, count)
    columns = -(-(end - start) // COLUMN)
    places = np.linspace(start, end, columns + 1).round().astype(int).tolist()
    width = max((2.6 + 0.07 * max(map(len, labels))) * columns, 6.8)
    height = 1.9 + 0.19 * (places[1] - places[0]) * max(1.0, 0.6 * len(names))
    figure, axes = plt.subplots(
        1, columns, figsize=(width, height), sharex=True, layout="constrained", squeeze=False
    )  # fmt: skip
    handles: list[Line2D] = []
    for ax, first, last in zip(axes[0], places, places[1:], strict=False):
        handles = draw(ax, first, last)
        ax.set_ylabel(axis if first == start else "")
        ax.tick_params(axis="x", labelsize="small")
        if isinstance(locator := ax.xaxis.get_major_locator(), MaxNLocator):
            locator.set_params(nbins=5)
    figure.supxlabel(name, fontsize="medium")
    of = f": {start + 1:,} to {end:,} of {count:,}, page {page} of {pages}" if pages > 1 else f": {count:,} groups"
    figure.suptitle(f"{title}{of}", x=0.01, ha="left", fontsize="large")
    if len(names):
        figure.legend(handles, names, loc="outside upper right", ncols=len(names), frameon=False, fontsize="small")
    return list(axes[0])


def draw_part(
    forest: Forest, finish: Callable[[Axes, Forest], None], ax: Axes, first: int, last: int
) -> list[Line2D]:  # fmt: skip
    """Draw some of a forest's groups."""
    part = forest.part(first, last)
    handles = draw_forest(ax, part.layout, part.table, part.inner)
    finish(ax, part)
    return handles


def share_limits(axes: list[Axes], table: pd.DataFrame) -> None:
    """The same range on all pages."""
    if axes[0].get_xscale() == "log":
        return
    values = table[["lower", "upper"]].to_numpy(dtype=float)
    low, high = np.nanmin(values), np.nanmax(values)
    axes[0].set_xlim(low - 0.05 * (high - low), high + 0.05 * (high - low))


def by_estimate(keys: pd.DataFrame, answer: Answer, sort: str) -> np.ndarray | None:
    """What rows are sorted by, their estimates from above, or None where their order stays."""
    grouped = keys[keys.columns[:-1]] if len(keys.columns) > 1 and _has_series(keys) else keys
    if sort == "level" or (sort == "auto" and not _sorted_by_itself(grouped, answer.question)):
        return None
    return -answer.table["estimate"].to_numpy(dtype=float)


def _sorted_by_itself(grouped: pd.DataFrame, question: Question) -> bool:
    """Whether groups have names without an order: no numbers, and three at least."""
    last = grouped.iloc[:, -1]
    if question.kind in ("predict", "hypothesis") or last.nunique() < FEW:
        return False
    if last.name == "contrast" and question.contrast != "control":  # in the order in which they were asked for
        return False
    if isinstance(last.dtype, pd.CategoricalDtype) and last.cat.ordered:
        return False
    return not any(_is_number(text) for text in map(level_text, last.unique()))


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def shown_keys(keys: pd.DataFrame, question: Question) -> pd.DataFrame:
    """The keys that tell rows apart: not a contrast that is the same in all."""
    if question.kind == "interaction":
        same = [name for name in ("contrast", "between") if keys[name].nunique() == 1]
        return keys.drop(columns=same if question.by or len(same) < 2 else "contrast")
    if question.kind == "effect" and question.by and keys["contrast"].nunique() == 1:
        return keys.drop(columns="contrast")
    return keys


def inner_ends(answer: Answer) -> np.ndarray | None:
    """Ends of the thick lines, shape ``(2, rows)``; none where the thin ones are as short."""
    if answer.question.prob <= INNER:
        return None
    draws = answer.draws.transpose("chain", "draw", "row").to_numpy()
    return np.quantile(draws.reshape(-1, draws.shape[-1]), [(1 - INNER) / 2, (1 + INNER) / 2], axis=0)


def _beats(answer: Answer) -> list[str] | None:
    """P(beats) of each row, of effects and their interactions."""
    if answer.question.kind not in ("effect", "interaction"):
        return None
    shown = 1.0 - 1.0 / np.maximum(effective_sizes(answer), 2.0)
    return [
        NOT_ESTIMABLE if np.isnan(value) else probability_text(value, float(most))
        for value, most in zip(answer.table["prob_beats"], shown, strict=True)
    ]


def _print_beats(ax: Axes, forest: Forest, title: str) -> None:
    """P(beats) of each row at its right, as the labels of a second axis; of none where not all have room."""
    right = ax.secondary_yaxis("right")
    assert forest.beats is not None
    label_rows(right.yaxis, forest.layout.positions, forest.beats, scale=0.85, whole=True)
    right.spines["right"].set_visible(False)
    if len(places := np.unique(forest.layout.positions)) > 1:
        row = np.diff(places).min() * row_points(ax)
        if row < TIGHT * 0.85 * font_points("ytick.labelsize"):
            return
    ax.annotate(
        title, (1.0, 1.0), xycoords="axes fraction", xytext=(42, 3), textcoords="offset points",
        ha="right", va="bottom", fontsize="small", annotation_clip=False,
    )  # fmt: skip
