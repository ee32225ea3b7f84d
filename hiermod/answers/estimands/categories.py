"""Answers about all categories of a response: a row for each category in each row of the question's."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import wraps
from typing import Concatenate

import numpy as np
import pandas as pd

from hiermod.answers.answer import Answer, make_answer
from hiermod.answers.averaging.query import Arguments
from hiermod.data.columns.values import level_series
from hiermod.families.record import Family
from hiermod.sampling.posterior import Posterior

MADE = ("estimate", "lower", "upper", "prob_rope", "prob_exceeds", "estimable")
type Asked[**P] = Callable[Concatenate[Posterior, Arguments, P], Answer]


def by_category[**P](question: Asked[P]) -> Asked[P]:
    """A question that, where it names no outcome of a response of categories, is asked about each of these."""

    @wraps(question)
    def asked(posterior: Posterior, arguments: Arguments, /, *further: P.args, **named: P.kwargs) -> Answer:
        family = posterior.spec.family
        if (
            not family.categories
            or arguments.outcome is not None
            or arguments.parameter is not None
            or arguments.kind != "mean"
        ):
            return question(posterior, arguments, *further, **named)
        each = [replace(arguments, outcome=level) for level in family.categories]
        return together(posterior, family, [question(posterior, one, *further, **named) for one in each])

    return asked


def together(posterior: Posterior, family: Family, answers: list[Answer]) -> Answer:
    """One answer of those about each category; the categories of a row stand one after the other."""
    first, count, name = answers[0], len(answers), posterior.spec.formula.response.name
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
    )  # fmt: skip
