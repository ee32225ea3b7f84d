"""Caterpillars: the varying effects of one term, sorted, as R's `dotplot(ranef(m))` has them."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from hiermod.answers.parameters.by_group import GroupEstimates
from hiermod.data.columns.values import level_text
from hiermod.errors import AnswerError, did_you_mean
from hiermod.show.forest import ONE_COLUMN, Forest, Layout, draw_forest, draw_part, plot_columns, share_limits
from hiermod.show.style import GREY, axes_for, literal, one, set_heading, shorten


def plot_ranef(
    effects: GroupEstimates, group: Any, term: Any, sort: Any, prob: float, page: int, ax: Axes | None
) -> Axes:  # fmt: skip
    """Draw the effects of a term on the link scale, those of each level of a grouping factor.

    Raises
    ------
    AnswerError
        If there is no such grouping factor or term, or several factors and none is named.
    """
    group = _chosen(group, list(effects), "group", "grouping factor")
    terms = list(effects[group].columns)
    term = terms[0] if term is None else _chosen(term, terms, "term", f"varying term of {group}")
    table = effects.table
    own = table[(table["group"] == group) & (table["term"] == term)].reset_index(drop=True)
    draws = effects.draws[group].sel(term=term).transpose("chain", "draw", "level").to_numpy()
    inner = np.quantile(draws.reshape(-1, draws.shape[-1]), [0.25, 0.75], axis=0)
    order = np.arange(len(own)) if sort == "level" else np.argsort(-own["estimate"].to_numpy(), kind="stable")
    own, inner = own.iloc[order].reset_index(drop=True), inner[:, order]
    labels = tuple(literal(text) for text in shorten([level_text(level) for level in own["level"]]))
    at = np.arange(len(own), dtype=float)
    layout = Layout(at, labels, at, np.zeros(len(own), dtype=np.int64), (), one(group))
    name = f"varying effect on the link scale (50% and {100 * prob:.4g}% intervals)"
    others = [one(each) for each in terms if each != term]
    more = f"  (also: {', '.join(others)})" if others else ""
    title = f"{one(term)} by {one(group)}{more}"
    forest = Forest(layout, own, inner, None)
    if ax is None and len(own) > ONE_COLUMN:
        axes = plot_columns(labels, partial(draw_part, forest, _zero), name, title, page, axis=layout.axis)
        share_limits(axes, own)
        return axes[0]
    ax = axes_for(ax, layout.lines, labels)
    draw_forest(ax, layout, pd.DataFrame(own), inner)
    _zero(ax, forest)
    ax.set_xlabel(name)
    set_heading(ax, title)
    return ax


def _zero(ax: Axes, forest: Forest) -> None:
    ax.axvline(0.0, color=GREY, linestyle="--", linewidth=1.0, zorder=1)


def _chosen(name: Any, known: list[str], argument: str, what: str) -> str:
    if name is None:
        if len(known) == 1:
            return known[0]
        raise AnswerError(
            f"{argument}=: name one {what}, of {', '.join(known)}." if known else f"The model has no {what}s."
        )
    if name not in known:
        raise AnswerError(f"{argument}={name!r}: there is no such {what}.{did_you_mean(str(name), known)}")
    return str(name)
