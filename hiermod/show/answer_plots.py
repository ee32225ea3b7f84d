"""The picture of an answer: which kind it is, where none is asked for."""

from __future__ import annotations

from numbers import Integral
from typing import Any

from matplotlib.axes import Axes

from hiermod.answers.answer import Answer
from hiermod.answers.averaging.curves import MOST_SERIES
from hiermod.choices import ANSWER_PICTURES, ROW_ORDERS
from hiermod.errors import AnswerError, did_you_mean
from hiermod.show.curves import plot_curve
from hiermod.show.forest import plot_forest
from hiermod.show.ridges import plot_ridges
from hiermod.show.stacked_bars import plot_stacked


def plot_answer(answer: Answer, kind: Any = None, sort: Any = "auto", page: Any = 1, ax: Axes | None = None) -> Axes:
    """Draw an answer; `hiermod.answers.answer.Answer.plot` describes the arguments."""
    if kind is not None and kind not in ANSWER_PICTURES:
        raise AnswerError(f"kind={kind!r}.{did_you_mean(str(kind), ANSWER_PICTURES)}")
    if sort not in ROW_ORDERS:
        raise AnswerError(f"sort={sort!r}.{did_you_mean(str(sort), ROW_ORDERS)}")
    if isinstance(page, bool) or not isinstance(page, Integral) or page < 1:
        raise AnswerError(f"page={page!r}: a whole number from 1 on is needed.")
    if kind is None:
        kind = _usual(answer)
    if kind == "stacked":
        return plot_stacked(answer, ax)
    if kind == "curve":
        if answer.curve is None:
            raise AnswerError(
                "kind='curve' needs an answer over a number with five values or more, such as fit.rates('age') or "
                "at=hm.grid('age')."
            )
        return plot_curve(answer, answer.curve, ax)
    return plot_ridges(answer, sort, ax) if kind == "ridges" else plot_forest(answer, sort, int(page), ax)


def _usual(answer: Answer) -> str:
    """A curve over a number; of all categories one only where its lines can be told apart, else a bar for each cell."""
    categories, curve = answer.question.categories, answer.curve
    if categories is None:
        return "forest" if curve is None else "curve"
    if curve is None:
        return "stacked"
    others = answer.draws.indexes["row"].droplevel(curve.name)
    return "curve" if others.nunique() <= MOST_SERIES else "stacked"
