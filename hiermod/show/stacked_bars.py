"""Stacked bars: the chances of all categories of a response, a bar for each cell."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from matplotlib.patches import Rectangle

from hiermod.answers.answer import Answer
from hiermod.data.columns.values import level_text
from hiermod.errors import AnswerError
from hiermod.show.style import COLOURS, axes_for, format_percent, literal, set_heading, shorten

MOST = 60  # bars
LABELLED = 0.06  # of a bar, from which on a part has its chance written in it
THICK = 0.8


def plot_stacked(answer: Answer, ax: Axes | None = None) -> Axes:
    """Draw a bar a cell, whose parts are the posterior means of its categories' chances.

    Raises
    ------
    AnswerError
        If the answer is not of all categories, or has more than 60 cells.
    """
    name = answer.question.categories
    if name is None:
        raise AnswerError(
            "kind='stacked' needs an answer with a row for each category, such as fit.rates('arm') of an ordinal model "
            "without outcome=."
        )
    keys = answer.draws.indexes["row"].to_frame(index=False)
    levels = list(pd.unique(keys[name]))
    cells = keys.drop(columns=name).iloc[:: len(levels)]
    if len(cells) > MOST:
        raise AnswerError(
            f"kind='stacked' shows {MOST} bars at most, and there are {len(cells):,}. Take some by where=."
        )
    labels = shorten([", ".join(map(level_text, row)) or "all" for row in cells.itertuples(index=False)])
    chances = answer.table["estimate"].to_numpy().reshape(len(cells), len(levels))
    ax, colours = axes_for(ax, len(cells) + 1, labels), _colours(len(levels))
    left = np.zeros(len(cells))
    for place, colour in enumerate(colours):
        width = chances[:, place]
        ax.barh(np.arange(len(cells)), width, THICK, left=left, color=colour, edgecolor="white", linewidth=0.8)
        for row in np.flatnonzero(width >= LABELLED).tolist():
            ax.text(left[row] + width[row] / 2.0, row, f"{width[row]:.0%}", ha="center", va="center",
                    color=_readable(colour), fontsize="small")  # fmt: skip
        left = left + width
    ax.set_yticks(np.arange(len(cells)), [literal(label) for label in labels])
    ax.set_ylim(len(cells) - 0.5, -0.5)
    ax.set_xlim(0.0, 1.0)
    ax.set_ylabel(literal(", ".join(map(str, cells.columns))))
    ax.set_xlabel(literal(f"chance of each category of {name}"))
    format_percent(ax.xaxis)
    handles = [Rectangle((0.0, 0.0), 1.0, 1.0, color=colour) for colour in colours]
    set_heading(
        ax, literal(f"{name}: chances of categories"), handles, [literal(one) for one in map(level_text, levels)]
    )
    return ax


def _colours(count: int) -> list[str]:
    """From dark to light, as categories rise; the colour-blind tell these apart by their lightness."""
    if count <= 2:
        return list(COLOURS[:count])
    return [to_hex(colour) for colour in colormaps["cividis"](np.linspace(0.05, 0.95, count))]


def _readable(colour: str) -> str:
    red, green, blue = (int(colour[at : at + 2], 16) for at in (1, 3, 5))
    return "white" if 0.299 * red + 0.587 * green + 0.114 * blue < 140 else "black"
