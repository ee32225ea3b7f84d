"""Mixtures of posteriors, those of fits to imputed data sets: each answers for its own data, answers are put together.

Every posterior of a mixture has as many draws as the others, so that probabilities and other means over draws are the
averages of theirs.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import wraps
from typing import Any, Concatenate

import numpy as np
import pandas as pd

from hiermod.answers.answer import Answer, make_answer
from hiermod.errors import AnswerError
from hiermod.sampling.posterior import Posterior

Table = tuple[pd.DataFrame, tuple[str, ...]]
type Asked[**P, R] = Callable[Concatenate[Posterior, P], R]
MADE = ("estimate", "lower", "upper", "prob_rope", "prob_exceeds", "estimable")  # of all draws
AVERAGED = ("rows", "seen", "prob_beats", "expected_loss")


def answer_of_each[**P](question: Callable[Concatenate[Posterior, P], Answer]) -> Asked[P, Answer]:
    """A question about a posterior that gives an `Answer`, which of a mixture is that of all its draws."""

    @wraps(question)
    def asked(posterior: Posterior, /, *arguments: P.args, **named: P.kwargs) -> Answer:
        return mixed_answers([question(part, *arguments, **named) for part in posterior.each])

    return asked


def table_of_each[**P](question: Callable[Concatenate[Posterior, P], Table]) -> Asked[P, Table]:
    """A question about a posterior that gives a table of means over draws, and notices."""

    @wraps(question)
    def asked(posterior: Posterior, /, *arguments: P.args, **named: P.kwargs) -> Table:
        return _mixed_tables([question(part, *arguments, **named) for part in posterior.each])

    return asked


def mixed_answers(answers: Sequence[Answer]) -> Answer:
    """One answer of the draws of all.

    Raises
    ------
    AnswerError
        If they have other rows.
    """
    first, *others = answers
    if not others:
        return first
    keys = [answer.draws.indexes["row"].to_frame(index=False) for answer in answers]
    refuse_other_rows([list(key.itertuples(index=False, name=None)) for key in keys])
    draws = np.concatenate([answer.draws.transpose("chain", "draw", "row").to_numpy() for answer in answers])
    tables = [answer.table for answer in answers]
    columns = {name: _average([table[name] for table in tables]) for name in AVERAGED if name in first.table}
    names = [name for name in first.table if name not in (*MADE, *AVERAGED)]
    shown = first.table[[name for name in names if all(_same(first.table[name], table[name]) for table in tables)]]
    remarks = dict.fromkeys(answer.question.remark for answer in answers if answer.question.remark)
    return make_answer(
        draws.reshape(-1, draws.shape[2]).T, keys[0], draws.shape[:2],
        replace(first.question, remark=" ".join(remarks)), str(first.draws.name), shown=shown, columns=columns,
        notices=_said(answer.notices for answer in answers), curve=first.curve, grand=first.grand,
    )  # fmt: skip


def _average(columns: Sequence[pd.Series]) -> np.ndarray:
    """The mean of numbers; whole ones stay so."""
    mean = np.mean([column.to_numpy(dtype=float) for column in columns], axis=0)
    whole = all(pd.api.types.is_integer_dtype(column) for column in columns) and np.array_equal(mean, np.round(mean))
    return mean.astype(np.int64) if whole else mean


def _same(one: pd.Series, other: pd.Series) -> bool:
    """Whether the rows of two data sets agree in a column; imputed ones do not."""
    return one.astype(object).reset_index(drop=True).equals(other.astype(object).reset_index(drop=True))


def _mixed_tables(results: Sequence[Table]) -> Table:
    tables = [table for table, _ in results]
    if len(tables) == 1:
        return results[0]
    refuse_other_rows([[*map(str, table.index), *map(str, table.columns)] for table in tables])
    mean = np.mean([table.to_numpy(dtype=float) for table in tables], axis=0)
    return pd.DataFrame(mean, tables[0].index, tables[0].columns), _said(notices for _, notices in results)


def refuse_other_rows(keys: Sequence[list[Any]]) -> None:
    """Refuse to put together what is of other cells, values or levels.

    Raises
    ------
    AnswerError
        With what one of them has alone.
    """
    for place, own in enumerate(keys[1:], start=2):
        if own != keys[0]:
            only = [key for key in keys[0] if key not in own] or [key for key in own if key not in keys[0]]
            raise AnswerError(
                f"The data sets of fit 1 and fit {place} do not have the same combinations: {only[0]} is in one of "
                "them alone. Name values, variable={...} or at={...}, take rows by where=, or give data=."
            )


def _said(notices: Any) -> tuple[str, ...]:
    return tuple(dict.fromkeys(notice for own in notices for notice in own))
