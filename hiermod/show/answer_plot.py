"""Answers as forests: rates, effects, predictions."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

from hiermod.answers.answer import Answer, Measure, Question
from hiermod.answers.averaging.contrasts import BY_MEDIAN
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
    question, measure = answer.question, answer.question.measure
    keys = answer.draws.indexes["row"].to_frame(index=False)
    layout = arrange(_shown_keys(keys, question))
    ax = axes_for(ax, layout.lines, layout.labels)
    handles = draw_forest(ax, layout, answer.table, _inner(answer))
    match question.kind:
        case "effect" | "interaction":
            _finish_effect(ax, answer, layout, measure)
        case "slopes":
            _finish_slopes(ax, question, measure)
        case "predict":
            _finish_predict(ax, question, measure)
        case "hypothesis":
            _finish_hypothesis(ax, question)
        case _:
            _finish_rates(ax, question, measure)
    names = _series_names(layout, question)
    lines = 1 if question.kind in ("effect", "interaction") else 0
    set_heading(ax, _title(keys, question, measure), handles if names else (), names, lines)
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
    point = f"posterior {'median' if question.scale in BY_MEDIAN else 'mean'}"
    outer = f"{100 * question.prob:.4g}%"
    return f"{point}, {INNER:.0%} and {outer} intervals" if question.prob > INNER else f"{point}, {outer} interval"


def _title(keys: pd.DataFrame, question: Question, measure: Measure) -> str:
    whose = WHOSE.get(question.groups)
    if question.kind == "effect":
        contrasts = keys["contrast"].unique()
        several = f"{len(contrasts)} levels vs {one(question.control)}" if question.control else "contrasts"
        contrast = one(contrasts[0]) if len(contrasts) == 1 else several
        second = f"scale {question.scale.replace('_', ' ')}"
        return f"Effect of {one(question.variable)}: {contrast}\n{second}" + (f", {whose}" if whose else "")
    if question.kind == "hypothesis":
        return "Hypotheses"
    if question.kind == "interaction":
        first = f"Effect of {one(question.variable)} across {one(question.across)}"
        return f"{first}\nscale {question.scale.replace('_', ' ')}" + (f", {whose}" if whose else "")
    if question.kind == "slopes":
        return f"Slope of {literal(measure.name)} in {one(question.variable)}" + (f", {whose}" if whose else "")
    kind = "Predictions" if question.kind == "predict" else _capital(literal(measure.name))
    by = f" by {_listed([one(name) for name in question.by])}" if question.by else ""
    return f"{kind}{by}" + (f", {whose}" if whose else "")


def _listed(names: list[str]) -> str:
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _name_x(ax: Axes, name: str, question: Question) -> None:
    intervals = f"({_intervals(question)})"
    ax.set_xlabel(f"{name}\n{intervals}" if len(name) + len(intervals) > MAX_LINE else f"{name} {intervals}")


def _finish_rates(ax: Axes, question: Question, measure: Measure) -> None:
    if not question.by:
        ax.set_ylabel("")
    _name_x(ax, literal(measure.name), question)
    if measure.percent:
        format_percent(ax.xaxis)


def _finish_predict(ax: Axes, question: Question, measure: Measure) -> None:
    names = {
        "mean": literal(measure.name),
        "link": f"linear predictor ({measure.link} scale)",
        "response": "new response",
    }
    ax.set_ylabel("row")
    _name_x(ax, names[question.scale], question)
    if question.scale == "mean" and measure.percent:
        format_percent(ax.xaxis)


def _finish_hypothesis(ax: Axes, question: Question) -> None:
    ax.axvline(0.0, color=GREY, linestyle="--", linewidth=1.0, zorder=1)
    ax.set_ylabel("")
    _name_x(ax, "left less right side", question)


def _finish_slopes(ax: Axes, question: Question, measure: Measure) -> None:
    ax.axvline(0.0, color=GREY, linestyle="--", linewidth=1.0, zorder=1)
    if not question.by:
        ax.set_ylabel("")
    name = literal(measure.name) if question.scale == "response" else f"linear predictor ({measure.link} scale)"
    _name_x(ax, f"change of {name} per unit of {one(question.variable)}", question)


def _finish_effect(ax: Axes, answer: Answer, layout: Layout, measure: Measure) -> None:
    question, name = answer.question, literal(measure.name)
    if question.kind == "interaction":
        name = f"the effects on {name}"
    null = 1.0 if question.scale in ("ratio", "odds_ratio") else 0.0
    ax.axvline(null, color=GREY, linestyle="--", linewidth=1.0, zorder=1)
    points = ", percentage points" if measure.percent else ""
    names = {
        "difference": f"difference in {name}{points}",
        "ratio": f"ratio of {name}",
        "lift": f"lift of {name}",
        "odds_ratio": f"odds ratio of {name}",
        "link": f"difference on the {measure.link} scale",
    }
    _name_x(ax, names[question.scale], question)
    if question.scale == "lift":
        format_signed_percent(ax.xaxis)
    elif question.scale == "difference" and measure.percent:
        format_signed_percent(ax.xaxis, "")
    elif null == 1.0:
        _log_if_wide(ax, answer.table)
    if not question.by:
        ax.set_ylabel("")
    _print_beats(ax, answer, layout)


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
