"""`effect_parts`: an effect on a mean in two parts, by the chance of more than 0 and by the mean of what is above 0."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pandas as pd

from hiermod.answers.answer import Answer, check_prob, make_answer
from hiermod.answers.averaging.columns import check_results, order_of
from hiermod.answers.averaging.contrasts import Pairing
from hiermod.answers.averaging.estimable import estimable_rows
from hiermod.answers.averaging.grid import key_order, select_cells, shared_rows
from hiermod.answers.averaging.query import Arguments, Query, read_effect
from hiermod.answers.averaging.rows import with_levels
from hiermod.answers.draws import wins
from hiermod.answers.group_effects import Reading
from hiermod.answers.mixed import answer_of_each
from hiermod.answers.reader import Reader, block_slices, reader
from hiermod.data.columns.values import Level
from hiermod.errors import AnswerError
from hiermod.families.outcomes import POSITIVE, ZERO, own_outcomes
from hiermod.modeling.protocol import ModelSpec
from hiermod.sampling.posterior import Posterior

CHANCE, SIZE, WHOLE = "chance above 0", "mean above 0", "whole"
COMPUTED = ("contrast", "part", "estimate", "lower", "upper", "prob_beats", "prob_exceeds")


@answer_of_each
def effect_parts(posterior: Posterior, arguments: Arguments) -> Answer:
    """Contrasts of a mean p·m, p being the chance of more than 0 and m the mean above 0, in parts that add up to them.

    In each row and draw they are dp·(mean of both m) and (mean of both p)·dm, which are averaged then.
    """
    check_prob(arguments.prob)
    spec = posterior.spec
    _refuse(spec)
    query = read_effect(spec, arguments)
    if Reading.POPULATION in query.groups.values():
        raise AnswerError(
            "groups='population': within groups a mean is the product of its chance and its size, over all of them it "
            "is not, so that there are no parts. Ask for groups='observed', 'typical' or 'new'."
        )
    check_results(query.cells, COMPUTED)
    assert query.pairing is not None
    tables, draws = [], []
    for levels in itertools.product(*query.lines.values()):
        line = dict(zip(query.lines, levels, strict=True))
        combos, parts = _of_line(posterior, query, query.pairing, line)
        count, contrasts = len(combos), len(query.pairing.labels)
        keys = combos.loc[combos.index.repeat(contrasts * 3)].reset_index(drop=True).assign(**line)
        keys["contrast"] = np.tile(np.repeat(query.pairing.labels, 3), count)
        tables.append(keys.assign(part=[CHANCE, SIZE, WHOLE] * (count * contrasts)))
        draws.append(query.per * parts.reshape(-1, posterior.size))
    question = replace(query.question, kind="parts", control=None)
    found = np.concatenate(draws)
    beats = wins(found, 0.0, question.sign).mean(axis=1)
    beats[np.isnan(found).any(axis=1)] = np.nan
    table = pd.concat(tables, ignore_index=True)
    table = table[[*query.cells, "contrast", "part"]]
    return make_answer(
        found, table, posterior.shape, question, "difference", columns={"prob_beats": beats}, notices=query.notices
    )  # fmt: skip


def _refuse(spec: ModelSpec) -> None:
    known = own_outcomes(spec.family)
    if not {ZERO, POSITIVE} <= known.keys():
        raise AnswerError(
            f"The family {spec.family} has no zeros with a chance of their own, so that its mean has no such parts. "
            "Families of counts have, and those of hurdles: hurdle_gamma, hurdle_lognormal."
        )


def _of_line(
    posterior: Posterior, query: Query, pairing: Pairing, line: Mapping[str, Level]
) -> tuple[pd.DataFrame, np.ndarray]:
    """The cells, and the parts in each, shape ``(cells, contrasts, 3, draws)``."""
    spec, rows, arms = posterior.spec, query.rows, len(query.levels)
    cell, combos = select_cells(rows.frame, query.selecting)
    orders = {name: query.selected.get(name) or order_of(spec, name, rows.frame) for name in query.selecting}
    order = key_order(combos, [*query.selecting], orders)
    rank = np.empty(len(order), dtype=np.int64)
    rank[order] = np.arange(len(order))
    chosen = {name: (level,) * arms for name, level in {**query.held, **line}.items()}
    chosen |= {name: tuple(levels) for name, levels in query.settings.items()}
    frame = with_levels(spec, rows, chosen, arms)
    known = estimable_rows(posterior, query.groups, frame, chosen)
    kept = shared_rows(known, cell, rows, len(combos), arms)[0]
    named = own_outcomes(spec.family)
    chance, size = (reader(posterior, query.groups, outcome=named[name]) for name in (ZERO, POSITIVE))
    total = np.zeros((len(combos), len(pairing.labels), 3, posterior.size))
    for number, (treated, control) in enumerate(zip(pairing.treated, pairing.control, strict=True)):
        sides = treated.argmax(), control.argmax()
        if treated.max() != 1.0 or control.max() != 1.0:
            raise AnswerError("Parts are of two levels: contrast='control', 'pairs' or 'sequential'.")
        weight = rows.weight * (kept[sides[0]] & kept[sides[1]])
        sums = np.bincount(cell, weight, len(combos))
        with np.errstate(invalid="ignore"):
            share = weight / sums[cell]
        for part in block_slices(len(rows.frame), posterior.size * 4):
            both = [_both(chance, size, frame.iloc[side * len(cell) + np.arange(len(cell))[part]]) for side in sides]
            values = np.stack(_parts(*both), axis=1)
            for one in np.unique(cell[part]):
                inside = cell[part] == one
                total[rank[one], number] += np.einsum("r,rpd->pd", share[part][inside], values[inside])
    return combos.iloc[order].reset_index(drop=True)[[*query.selecting]], total


def _both(chance: Reader, size: Reader, frame: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    return 1.0 - chance.mean(frame), size.mean(frame)


def _parts(treated: tuple[np.ndarray, np.ndarray], control: tuple[np.ndarray, np.ndarray]) -> list[np.ndarray]:
    by_chance = (treated[0] - control[0]) * (treated[1] + control[1]) / 2.0
    by_size = (treated[0] + control[0]) / 2.0 * (treated[1] - control[1])
    return [by_chance, by_size, by_chance + by_size]
