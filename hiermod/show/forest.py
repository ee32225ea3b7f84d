"""Forests: points with thick and thin interval lines; answers and shrinkage as forests."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

from hiermod.answers.answer import Answer, Measure, Question, effective_sizes, measure_of
from hiermod.answers.averaging.columns import levels_of
from hiermod.answers.averaging.rows import exposure
from hiermod.data.columns.values import level_text
from hiermod.modeling.protocol import ModelSpec
from hiermod.sampling.posterior import Posterior
from hiermod.show import style
from hiermod.show.answer_text import NOT_ESTIMABLE
from hiermod.show.style import (
    COLOURS,
    GREY,
    MARKERS,
    axes_for,
    bare,
    format_percent,
    height_points,
    ink,
    label_rows,
    literal,
    one,
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


INNER = 0.5
MAX_LINE = 72
LOG_SPAN = 4.0  # ratios that reach further than this are shown on a log axis
WHOSE = {"observed": "", "typical": "typical group", "new": "new group", "population": "population of groups"}


def plot_answer(answer: Answer, ax: Axes | None = None) -> Axes:
    """Draw an answer as a forest.

    Parameters
    ----------
    answer : Answer
    ax : matplotlib Axes, optional
        Where to draw; a new figure otherwise.

    Returns
    -------
    matplotlib Axes
    """
    question = answer.question
    keys = answer.draws.indexes["row"].to_frame(index=False)
    layout = arrange(_shown_keys(keys, question))
    ax = style.axes_for(ax, layout.lines, layout.labels)
    handles = draw_forest(ax, layout, answer.table, _inner(answer))
    if question.scale.null is not None:
        ax.axvline(question.scale.null, color=style.GREY, linestyle="--", linewidth=1.0, zorder=1)
    if not question.by:
        ax.set_ylabel("row" if question.kind == "predict" else "")
    _name_x(ax, question)
    _format_x(ax, answer)
    compares = question.kind in ("effect", "interaction")
    if compares:
        _print_beats(ax, answer, layout)
    names = _series_names(layout, question)
    style.set_heading(ax, _title(keys, question), handles if names else (), names, int(compares))
    return ax


def _shown_keys(keys: pd.DataFrame, question: Question) -> pd.DataFrame:
    """The keys that tell rows apart: not a contrast that is the same in all."""
    if question.kind == "interaction":
        same = [name for name in ("contrast", "between") if keys[name].nunique() == 1]
        return keys.drop(columns=same if question.by or len(same) < 2 else "contrast")
    if question.kind == "effect" and question.by and keys["contrast"].nunique() == 1:
        return keys.drop(columns="contrast")
    return keys


def _inner(answer: Answer) -> np.ndarray | None:
    """Ends of the thick lines, shape ``(2, rows)``; none where the thin ones are as short."""
    if answer.question.prob <= INNER:
        return None
    draws = answer.draws.transpose("chain", "draw", "row").to_numpy()
    return np.quantile(draws.reshape(-1, draws.shape[-1]), [(1 - INNER) / 2, (1 + INNER) / 2], axis=0)


def _series_names(layout: Layout, question: Question) -> list[str]:
    if question.kind in ("effect", "interaction"):
        return [style.literal(name) for name in layout.names]
    return [f"{style.one(question.by[-1])} = {style.literal(name)}" for name in layout.names]


def _intervals(question: Question) -> str:
    point = f"posterior {'median' if question.median else 'mean'}"
    outer = f"{100 * question.prob:.4g}%"
    return f"{point}, {INNER:.0%} and {outer} intervals" if question.prob > INNER else f"{point}, {outer} interval"


def _title(keys: pd.DataFrame, question: Question) -> str:
    whose = WHOSE.get(question.groups, question.groups)
    group = f", {whose}" if whose else ""
    scale = f"scale {question.scale.name.replace('_', ' ')}{group}"
    match question.kind:
        case "effect":
            contrasts = keys["contrast"].unique()
            several = f"{len(contrasts)} levels vs {style.one(question.control)}" if question.control else "contrasts"
            contrast = style.one(contrasts[0]) if len(contrasts) == 1 else several
            return f"Effect of {style.one(question.variable)}: {contrast}\n{scale}"
        case "interaction":
            return f"Effect of {style.one(question.variable)} across {style.one(question.across)}\n{scale}"
        case "hypothesis":
            return "Hypotheses"
        case "slopes":
            return f"Slope of {style.literal(question.measure.name)} in {style.one(question.variable)}{group}"
        case "predict":
            return f"Predictions{group}"
    by = f" by {_listed([style.one(name) for name in question.by])}" if question.by else ""
    return f"{_capital(style.literal(question.measure.name))}{by}{group}"


def _listed(names: list[str]) -> str:
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _name_x(ax: Axes, question: Question) -> None:
    measure = style.literal(question.measure.name)
    name = question.scale.label.format(
        measure=f"the effects on {measure}" if question.kind == "interaction" else measure,
        points=", percentage points" if question.measure.percent else "",
        link=question.measure.link,
        variable=style.one(question.variable),
    )
    intervals = f"({_intervals(question)})"
    ax.set_xlabel(f"{name}\n{intervals}" if len(name) + len(intervals) > MAX_LINE else f"{name} {intervals}")


def _format_x(ax: Axes, answer: Answer) -> None:
    percent = answer.question.measure.percent
    match answer.question.scale.ticks:
        case "share" if percent:
            style.format_percent(ax.xaxis)
        case "points" if percent:
            style.format_signed_percent(ax.xaxis, "")
        case "change":
            style.format_signed_percent(ax.xaxis)
        case "factor":
            _log_if_wide(ax, answer.table)


def _log_if_wide(ax: Axes, table: pd.DataFrame) -> None:
    low, high = min(float(table["lower"].min()), 1.0), max(float(table["upper"].max()), 1.0)
    if low > 0 and np.isfinite(high) and high / low > LOG_SPAN:
        ax.set_xscale("log")
        subs = (1.0, 2.0, 5.0) if high / low > 20.0 else (1.0, 1.5, 2.0, 3.0, 5.0, 7.0)
        ax.xaxis.set_major_locator(LogLocator(subs=subs))
        ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        ax.xaxis.set_minor_locator(NullLocator())


def _beats_title(question: Question) -> str:
    if question.kind == "interaction":
        return "P(larger)"
    return "P(beats control)" if question.contrast == "control" else "P(beats)"


def _print_beats(ax: Axes, answer: Answer, layout: Layout) -> None:
    """P(beats) of each row at its right, as the labels of a second axis."""
    right = ax.secondary_yaxis("right")
    chances = answer.table["prob_beats"]
    shown = 1.0 - 1.0 / np.maximum(effective_sizes(answer), 2.0)
    texts = [
        NOT_ESTIMABLE if np.isnan(value) else style.probability_text(value, float(most))
        for value, most in zip(chances, shown, strict=True)
    ]
    style.label_rows(right.yaxis, layout.positions, texts, scale=0.85)
    right.spines["right"].set_visible(False)
    ax.annotate(
        _beats_title(answer.question), (1.0, 1.0), xycoords="axes fraction", xytext=(42, 3), textcoords="offset points",
        ha="right", va="bottom", fontsize="small", annotation_clip=False,
    )  # fmt: skip


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
    """The raw mean over all cells, by their weights; per unit of exposure."""
    response = spec.cells.response
    weight = response.weight * exposure(spec, spec.cells.frame)
    return float(response.weight @ response.mean / weight.sum())


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
