"""Answers as forests: rates, effects, predictions."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

from hiermod.answers.answer import Answer, Question
from hiermod.show.forest import Layout, arrange, draw_forest
from hiermod.show.style import (
    GREY,
    axes_for,
    format_percent,
    format_signed_percent,
    label_rows,
    literal,
    one,
    probability_text,
    set_heading,
)

INNER = 0.5
MAX_LINE = 72
LOG_SPAN = 4.0  # ratios that reach further than this are shown on a log axis
WHOSE = {"typical": "typical group", "new": "new group", "population": "population of groups"}


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
    ax = axes_for(ax, layout.lines, layout.labels)
    handles = draw_forest(ax, layout, answer.table, _inner(answer))
    if question.scale.null is not None:
        ax.axvline(question.scale.null, color=GREY, linestyle="--", linewidth=1.0, zorder=1)
    if not question.by:
        ax.set_ylabel("row" if question.kind == "predict" else "")
    _name_x(ax, question)
    _format_x(ax, answer)
    compares = question.kind in ("effect", "interaction")
    if compares:
        _print_beats(ax, answer, layout)
    names = _series_names(layout, question)
    set_heading(ax, _title(keys, question), handles if names else (), names, int(compares))
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
        return [literal(name) for name in layout.names]
    return [f"{one(question.by[-1])} = {literal(name)}" for name in layout.names]


def _intervals(question: Question) -> str:
    point = f"posterior {'median' if question.median else 'mean'}"
    outer = f"{100 * question.prob:.4g}%"
    return f"{point}, {INNER:.0%} and {outer} intervals" if question.prob > INNER else f"{point}, {outer} interval"


def _title(keys: pd.DataFrame, question: Question) -> str:
    whose = WHOSE.get(question.groups)
    group = f", {whose}" if whose else ""
    scale = f"scale {question.scale.name.replace('_', ' ')}{group}"
    match question.kind:
        case "effect":
            contrasts = keys["contrast"].unique()
            several = f"{len(contrasts)} levels vs {one(question.control)}" if question.control else "contrasts"
            contrast = one(contrasts[0]) if len(contrasts) == 1 else several
            return f"Effect of {one(question.variable)}: {contrast}\n{scale}"
        case "interaction":
            return f"Effect of {one(question.variable)} across {one(question.across)}\n{scale}"
        case "hypothesis":
            return "Hypotheses"
        case "slopes":
            return f"Slope of {literal(question.measure.name)} in {one(question.variable)}{group}"
        case "predict":
            return f"Predictions{group}"
    by = f" by {_listed([one(name) for name in question.by])}" if question.by else ""
    return f"{_capital(literal(question.measure.name))}{by}{group}"


def _listed(names: list[str]) -> str:
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _name_x(ax: Axes, question: Question) -> None:
    measure = literal(question.measure.name)
    name = question.scale.label.format(
        measure=f"the effects on {measure}" if question.kind == "interaction" else measure,
        points=", percentage points" if question.measure.percent else "",
        link=question.measure.link,
        variable=one(question.variable),
    )
    intervals = f"({_intervals(question)})"
    ax.set_xlabel(f"{name}\n{intervals}" if len(name) + len(intervals) > MAX_LINE else f"{name} {intervals}")


def _format_x(ax: Axes, answer: Answer) -> None:
    percent = answer.question.measure.percent
    match answer.question.scale.ticks:
        case "share" if percent:
            format_percent(ax.xaxis)
        case "points" if percent:
            format_signed_percent(ax.xaxis, "")
        case "change":
            format_signed_percent(ax.xaxis)
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
    texts = [probability_text(value) for value in answer.table["prob_beats"]]
    label_rows(right.yaxis, layout.positions, texts, scale=0.85)
    right.spines["right"].set_visible(False)
    ax.annotate(
        _beats_title(answer.question), (1.0, 1.0), xycoords="axes fraction", xytext=(42, 3), textcoords="offset points",
        ha="right", va="bottom", fontsize="small", annotation_clip=False,
    )  # fmt: skip
