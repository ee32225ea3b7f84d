"""Models side by side: estimates with their intervals, a column for each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from hiermod.answers.parameters.estimates import described, existing, fixef_draws
from hiermod.sampling.posterior import Posterior
from hiermod.show.paper import PARTS, PaperTable
from hiermod.show.summary import number_text, part_of, random_draws, term_of


def side_by_side(
    posteriors: Mapping[str, Posterior], prob: float, exponentiate: bool, names: Mapping[str, str],
    scores: Mapping[str, Sequence[tuple[str, str]]],
) -> PaperTable:  # fmt: skip
    """Estimates with intervals of several fits, a column each; `scores` are further rows at its foot."""
    columns: dict[str, dict[tuple[str, str], str]] = {}
    for model, posterior in posteriors.items():
        columns[model] = dict(_estimates(posterior, prob, exponentiate))
        columns[model] |= {(PARTS[-1], name): text for name, text in (*_facts(posterior), *scores.get(model, ()))}
    keys = list(dict.fromkeys(key for column in columns.values() for key in column))
    keys.sort(key=lambda key: PARTS.index(key[0]))
    rows = [
        (part, names.get(term, term), *(column.get((part, term), "") for column in columns.values()))
        for part, term in keys
    ]
    scale = "exponentials of coefficients" if exponentiate else "coefficients on the link scale"
    notes = (f"Posterior means of {scale}, and {100 * prob:g}% intervals in brackets; medians where there is no mean.",)
    return PaperTable(pd.DataFrame(rows, columns=["part", "term", *columns]), "Models", notes)


def _estimates(posterior: Posterior, prob: float, exponentiate: bool) -> list[tuple[tuple[str, str], str]]:
    fixed, random = fixef_draws(posterior, wiggles=False), random_draws(posterior)
    if exponentiate:
        fixed = {name: np.exp(values) for name, values in fixed.items()}
    rows = [((PARTS[0], name), name, values) for name, values in fixed.items()]
    rows += [
        ((part_of(group, term), term_of(group, term)), name, values) for (group, term), (name, values) in random.items()
    ]
    found = []
    for key, name, values in rows:
        table = described({name: values}, prob, existing(posterior.spec, [name])).iloc[0]
        low, high = number_text(float(table["lower"])), number_text(float(table["upper"]))
        found.append((key, f"{number_text(float(table['estimate']))} [{low}, {high}]"))
    return found


def _facts(posterior: Posterior) -> list[tuple[str, str]]:
    cells = posterior.spec.cells
    family = posterior.spec.family
    facts = [("Family", f"{family.name} ({family.link.name})"), ("Rows", f"{cells.source.rows:,}")]
    return facts + [(f"Levels of {grouping.name}", f"{grouping.groups:,}") for grouping in cells.groupings.values()]
