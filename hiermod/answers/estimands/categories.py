"""Answers about all categories of a response: a row for each category in each row of the question's."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import wraps
from typing import Concatenate

import numpy as np
import pandas as pd

from hiermod.answers.answer import Answer, Curve, category_word, make_answer
from hiermod.answers.averaging.query import Arguments
from hiermod.data.columns.values import level_series
from hiermod.families.record import Family
from hiermod.formula.nodes import Formula
from hiermod.sampling.posterior import Posterior

MADE = ("estimate", "lower", "upper", "prob_rope", "prob_exceeds", "estimable")
type Asked[**P] = Callable[Concatenate[Posterior, Arguments, P], Answer]


def by_category[**P](question: Asked[P]) -> Asked[P]:
    """A question that, where it names no outcome of a response of categories, is asked about each of these."""

    @wraps(question)
    def asked(posterior: Posterior, arguments: Arguments, /, *further: P.args, **named: P.kwargs) -> Answer:
        family = posterior.spec.family
        drawn = arguments.kind == "response" and family.kind == "category"  # which have no numbers to draw
        whole = arguments.outcome is None and arguments.parameter is None and (arguments.kind == "mean" or drawn)
        if not (family.categories and whole):
            return question(posterior, arguments, *further, **named)
        each = [replace(arguments, outcome=level) for level in family.categories]
        return together(posterior, family, [question(posterior, one, *further, **named) for one in each])

    return asked


def category_column(formula: Formula) -> str:
    """What the column of categories is called: as the response is, or, of counts in several, ``category``."""
    word = category_word(formula.response)
    return f"{word}_" if word in (*formula.predictor_columns, *formula.grouping_columns) else word


def together(posterior: Posterior, family: Family, answers: list[Answer]) -> Answer:
    """One answer of those about each category; the categories of a row stand one after the other."""
    first, count, name = answers[0], len(answers), category_column(posterior.spec.formula)
    rows = len(first.table)
    order = np.arange(count * rows).reshape(count, rows).T.ravel()
    codes = np.tile(np.arange(count), rows)
    keys = first.draws.indexes["row"].to_frame(index=False)
    keys = keys.drop(columns=["all"]) if list(keys) == ["all"] and "all" not in first.table else keys
    place = np.repeat(np.arange(rows), count)
    keys = keys.iloc[place].reset_index(drop=True).assign(**{name: level_series(codes, family.categories)})
    draws = np.concatenate([answer.draws.transpose("row", "chain", "draw").to_numpy().reshape(rows, -1)
                            for answer in answers])[order]  # fmt: skip
    table = pd.concat([answer.table for answer in answers], ignore_index=True).iloc[order].reset_index(drop=True)
    at = [column for column in table if column not in MADE]
    counted = [column for column in at if column in ("rows", "seen")]
    shown = table[[column for column in at if column not in counted]].assign(**{name: keys[name]})
    question = replace(
        first.question, categories=name,
        measure=replace(first.question.measure, name=f"chance of each {name}", percent=True),
    )  # fmt: skip
    notices = tuple(dict.fromkeys(notice for answer in answers for notice in answer.notices))
    return make_answer(
        draws, keys, posterior.shape, question, str(first.draws.name), shown=shown,
        columns={column: table[column] for column in counted}, notices=notices,
        curve=_curve(name, family, [answer.curve for answer in answers]),
    )  # fmt: skip


def _curve(name: str, family: Family, curves: list[Curve | None]) -> Curve | None:
    """The number that the answers are curves over, with the raw shares of each category."""
    first = curves[0]
    if first is None:
        return None
    parts = [
        curve.observed.assign(**{name: level_series(np.full(len(curve.observed), code), family.categories)})
        for code, curve in enumerate(curves)
        if curve is not None and len(curve.observed)
    ]
    return replace(first, observed=pd.concat(parts, ignore_index=True) if parts else pd.DataFrame())
