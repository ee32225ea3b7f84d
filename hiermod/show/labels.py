"""What pictures of answers say: titles, axes with their units, whose responses they are, and ticks of each scale."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

from hiermod.answers.answer import Question
from hiermod.show.style import format_percent, format_signed_percent, literal, one

INNER = 0.5  # the probability of thick lines and dark ribbons
MAX_LINE = 72
LOG_SPAN = 4.0  # ratios that reach further than this are shown on a log axis
WHOSE = {"observed": "", "typical": "typical group", "new": "new group", "population": "population of groups"}


def series_names(names: tuple[str, ...], question: Question) -> list[str]:
    """Series in a legend: ``device = phone``; of contrasts ``B vs A``."""
    if question.kind in ("effect", "interaction", "parts"):
        return [literal(name) for name in names]
    return [f"{one(question.by[-1])} = {literal(name)}" for name in names]


def intervals(question: Question) -> str:
    """What points and lines are."""
    point = f"posterior {'median' if question.median else 'mean'}"
    outer = f"{100 * question.prob:.4g}%"
    return f"{point}, {INNER:.0%} and {outer} intervals" if question.prob > INNER else f"{point}, {outer} interval"


def title_of(keys: pd.DataFrame, question: Question) -> str:
    """The title of an answer's picture."""
    whose = WHOSE.get(question.groups, question.groups)
    group = f", {whose}" if whose else ""
    scale = f"scale {question.scale.name.replace('_', ' ')}{group}"
    match question.kind:
        case "effect":
            contrasts = keys["contrast"].unique()
            several = f"{len(contrasts)} levels vs {one(question.control)}" if question.control else "contrasts"
            contrast = one(contrasts[0]) if len(contrasts) == 1 else several
            return f"Effect of {one(question.variable)}: {contrast}\n{scale}"
        case "parts":
            return f"Parts of the effect of {one(question.variable)}\n{scale}"
        case "interaction":
            return f"Effect of {one(question.variable)} across {one(question.across)}\n{scale}"
        case "hypothesis":
            return "Hypotheses"
        case "slopes":
            return f"Slope of {literal(question.measure.name)} in {one(question.variable)}{group}"
        case "predict":
            return f"Predictions{group}"
    by = f" by {_listed([one(name) for name in question.by])}" if question.by else ""
    return f"{capital(literal(question.measure.name))}{by}{group}"


def _listed(names: list[str]) -> str:
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def capital(text: str) -> str:
    """A text that starts a title."""
    return text[:1].upper() + text[1:]


def values_name(question: Question) -> str:
    """What the numbers of an answer are, with their unit."""
    measure = literal(question.measure.name)
    return question.scale.label.format(
        measure=f"the effects on {measure}" if question.kind == "interaction" else measure,
        points=", percentage points" if question.measure.percent else "",
        link=question.measure.link,
        variable=one(question.variable),
    )


def values_label(question: Question) -> str:
    """The same with what points and lines are, in one line or two."""
    name, drawn = values_name(question), f"({intervals(question)})"
    return f"{name}\n{drawn}" if len(name) + len(drawn) > MAX_LINE else f"{name} {drawn}"


def format_values(axis: Axis, question: Question) -> None:
    """Ticks of an answer's scale."""
    percent = question.measure.percent
    match question.scale.ticks:
        case "share" if percent:
            format_percent(axis)
        case "points" if percent:
            format_signed_percent(axis, "")
        case "change":
            format_signed_percent(axis)


def log_if_wide(ax: Axes, table: pd.DataFrame, question: Question, side: str) -> None:
    """Ratios that are far apart stand on a logarithmic axis, ``x`` or ``y``."""
    if question.scale.ticks != "factor":
        return
    low, high = min(float(table["lower"].min()), 1.0), max(float(table["upper"].max()), 1.0)
    if not (low > 0 and np.isfinite(high) and high / low > LOG_SPAN):
        return
    ax.set(**{f"{side}scale": "log"})
    axis = ax.xaxis if side == "x" else ax.yaxis
    axis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0) if high / low > 20.0 else (1.0, 1.5, 2.0, 3.0, 5.0, 7.0)))
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axis.set_minor_locator(NullLocator())


def beats_title(question: Question) -> str:
    """What the probabilities beside rows are: of beating the level that is compared with."""
    if question.kind == "interaction":
        return "P(larger)"
    return f"P(beats {one(question.control)})" if question.control is not None else "P(beats)"
