"""Curves: an answer over a number as a line with ribbons, the data's raw averages as dots, and a rug of its values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from hiermod.answers.answer import Answer, Curve, Question
from hiermod.answers.averaging.curves import MOST_SERIES
from hiermod.data.columns.levels import encode
from hiermod.data.columns.values import as_levels, level_text
from hiermod.show.forest import inner_ends, shown_keys
from hiermod.show.labels import format_values, intervals, log_if_wide, title_of, values_name
from hiermod.show.style import COLOURS, GREY, MARKERS, axes_for, literal, one, set_heading, shorten

OUTER_ALPHA, INNER_ALPHA = 0.16, 0.28
LARGEST = 60.0  # the area of the dot of the largest bin


def plot_curve(answer: Answer, curve: Curve, ax: Axes | None = None) -> Axes:
    """Draw an answer over a number: a line for each combination of its other keys; above seven, lines alone."""
    question, keys = answer.question, answer.draws.indexes["row"].to_frame(index=False)
    others = shown_keys(keys, question).drop(columns=curve.name)
    number, labels = _series(others)
    ax = axes_for(ax, 11, [""])
    few = len(labels) <= MOST_SERIES
    table, inner = answer.table, inner_ends(answer)
    for place in range(len(labels)):
        rows = np.flatnonzero(number == place)
        rows = rows[np.argsort(keys[curve.name].to_numpy(dtype=float)[rows], kind="stable")]
        x, colour = keys[curve.name].to_numpy(dtype=float)[rows], COLOURS[place if few else 0]
        if few:
            ends = None if inner is None else inner[:, rows]
            _draw_ribbons(ax, x, table.iloc[rows], ends, colour)
        line: dict[str, Any] = {"linewidth": 1.8} if few else {"linewidth": 0.8, "alpha": 0.55}
        ax.plot(x, table["estimate"].to_numpy(dtype=float)[rows], color=colour, **line)
    dots = few and _draw_dots(ax, curve, others, number)
    _draw_rug(ax, curve)
    _name(ax, question, curve)
    log_if_wide(ax, table, question, "y")
    _head(ax, title_of(keys, question), labels if len(labels) > 1 else (), others, bool(dots))
    return ax


def _series(others: pd.DataFrame) -> tuple[np.ndarray, list[str]]:
    """The number of each row's line, and the lines' labels."""
    if not len(others.columns):
        return np.zeros(len(others), dtype=np.int64), [""]
    number = others.groupby(list(others), sort=False, observed=True).ngroup().to_numpy()
    first = np.unique(number, return_index=True)[1]
    return number, [" · ".join(shorten([level_text(level) for level in row])) for row in others.iloc[first].to_numpy()]


def _draw_ribbons(ax: Axes, x: np.ndarray, table: pd.DataFrame, ends: np.ndarray | None, colour: str) -> None:
    """The outer interval, and the inner one where there is one."""
    lower, upper = (table[name].to_numpy(dtype=float) for name in ("lower", "upper"))
    ax.fill_between(x, lower, upper, color=colour, alpha=OUTER_ALPHA, linewidth=0.0)
    if ends is not None:
        ax.fill_between(x, ends[0], ends[1], color=colour, alpha=INNER_ALPHA, linewidth=0.0)


def _draw_dots(ax: Axes, curve: Curve, others: pd.DataFrame, number: np.ndarray) -> bool:
    """Raw averages of bins, their areas in proportion to what they are averages of; whether there are any."""
    observed = curve.observed
    if not len(observed):
        return False
    areas = np.maximum(LARGEST * observed["size"] / observed["size"].max(), 8.0)
    places = _places(observed, others, number)
    for place in np.unique(places[places >= 0]):
        own = places == place
        ax.scatter(
            observed[curve.name][own], observed["raw"][own], s=areas[own], marker=MARKERS[place], linewidths=1.1,
            facecolors=ax.get_facecolor(), edgecolors=COLOURS[place], zorder=3,
        )  # fmt: skip
    return True


def _places(observed: pd.DataFrame, others: pd.DataFrame, number: np.ndarray) -> np.ndarray:
    """The line of each bin, by its keys; -1 of those that have none."""
    found = np.full(len(observed), -1)
    codes = {}
    for name in others:
        levels = as_levels(pd.Index(pd.unique(others[name])))
        codes[name] = encode(others[name], levels), encode(observed[name], levels)
    for place in np.unique(number):
        row = int(np.flatnonzero(number == place)[0])
        same = np.ones(len(observed), dtype=bool)
        for own, seen in codes.values():
            same &= seen == own[row]
        found[same] = place
    return found


def _draw_rug(ax: Axes, curve: Curve) -> None:
    if len(curve.rug):
        foot = np.zeros(len(curve.rug))
        place: dict[str, Any] = {"transform": ax.get_xaxis_transform(), "clip_on": True, "zorder": 1.5}
        ax.plot(curve.rug, foot, "|", color=GREY, markersize=7, markeredgewidth=0.7, alpha=0.8, **place)


def _name(ax: Axes, question: Question, curve: Curve) -> None:
    if question.scale.null is not None:
        ax.axhline(question.scale.null, color=GREY, linestyle="--", linewidth=1.0, zorder=1)
    ax.set_xlabel(f"{one(curve.name)}  ({intervals(question)})")
    ax.set_ylabel(values_name(question))
    format_values(ax.yaxis, question)
    ax.spines[["top", "right"]].set_visible(False)
    ax.grid(axis="y", color=GREY, alpha=0.25, linewidth=0.6)
    ax.set_axisbelow(True)
    ax.margins(x=0.02)
    if (curve.rug == np.round(curve.rug)).all():
        ax.xaxis.set_major_locator(MaxNLocator(integer=True, steps=[1, 2, 5, 10]))


def _head(ax: Axes, title: str, labels: Sequence[str], others: pd.DataFrame, dots: bool) -> None:
    """Lines by name; where they are too many, what there is a line for."""
    names = " · ".join(one(name) for name in others)
    handles: list[Line2D] = []
    texts: list[str] = []
    if 0 < len(labels) <= MOST_SERIES:
        marker = {"markerfacecolor": ax.get_facecolor(), "markersize": 5.5}
        for place, label in enumerate(labels):
            own: dict[str, Any] = {"marker": MARKERS[place], **marker} if dots else {}
            handles.append(Line2D([], [], color=COLOURS[place], linewidth=1.8, **own))
            texts.append(literal(label) if "contrast" in others else f"{names} = {literal(label)}")
    elif labels:
        handles.append(Line2D([], [], color=COLOURS[0], linewidth=0.8))
        texts.append(f"each {names} ({len(labels):,})")
    if dots:
        hollow: dict[str, Any] = {"markerfacecolor": ax.get_facecolor(), "linestyle": "none", "markersize": 5.5}
        handles.append(Line2D([], [], marker="o", color=COLOURS[0] if not labels else GREY, **hollow))
        texts.append("raw average of a bin")
    set_heading(ax, title, handles, texts)
