"""Formulas of the suites of brms, glmmTMB, rstanarm, Bambi and lme4 whose family, response or term was once not there.

`peers_formulas.csv` has them as they are written there, with the family and whether a model of made-up data is built;
what is not built is refused in words. `peers_families.csv` has those that were refused for their family alone when
there were nine.
"""

import contextlib
import io
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import hiermod as hm
from hiermod.errors import HiermodError
from hiermod.families.registry import read_family
from hiermod.formula.nodes import TrialsResponse
from hiermod.formula.parser import parse
from hiermod.modeling.spellings import behind_bar

REFERENCE = Path(__file__).parents[1] / "reference"
FORMULAS = pd.read_csv(REFERENCE / "peers_formulas.csv")
FAMILIES = pd.read_csv(REFERENCE / "peers_families.csv")
ROWS = 60


def family_of(name):
    with contextlib.suppress(HiermodError):
        return read_family(name)
    return None


def response_of(family, rng, zeros):
    """A response that the family takes, with zeros among its numbers where they have a part of their own."""
    kind = family.kind if family else "real"
    kind = "positive" if kind == "real" and family and family.link.name == "log" else kind
    values = {
        "rate": rng.integers(0, 2, ROWS), "count": rng.poisson(2, ROWS), "real": rng.normal(size=ROWS),
        "positive": rng.gamma(2.0, 1.0, ROWS) + 0.01, "unit": rng.beta(2.0, 2.0, ROWS),
        "ordered": rng.integers(1, 5, ROWS), "category": rng.choice(list("pqr"), ROWS),
    }[kind]  # fmt: skip
    if family and family.name.startswith("truncated_") and not zeros:
        return values + 1
    return values * rng.integers(0, 2, ROWS) if zeros and kind in ("count", "positive", "unit") else values


def rows_of(text, name):
    """Rows that have the columns of a formula."""
    formula, rng = parse(behind_bar(text, name)[0]), np.random.default_rng(5)
    family = family_of(name) or family_of({"ziGamma": "hurdle_gamma"}.get(str(name).partition("(")[0], ""))
    zeros = bool(family and family.zeros) or any(part.parameter == "ziformula" for part in formula.further)
    columns = {column: rng.uniform(0.2, 3.0, ROWS).round(2) for column in formula.all_columns}
    columns |= {column: np.repeat(list("abcdef"), ROWS // 6) for column in formula.grouping_columns}
    columns |= {bar.by: np.repeat(list("uv"), ROWS // 2) for bar in formula.groups if bar.by}
    for expression in formula.expressions.values():
        if expression.functions & {"ordered", "factor", "mo"}:
            columns |= {column: rng.choice([1, 2, 3, 4], ROWS) for column in expression.columns}
    first, *others = formula.response.columns
    columns[first] = rng.integers(0, 6, ROWS) if others else response_of(family, rng, zeros)
    columns |= {column: rng.integers(6, 12, ROWS) for column in others}
    matrix = isinstance(formula.response, TrialsResponse) and family and family.statistic == "categories"
    if matrix:  # a matrix of counts, as R writes its columns
        del columns[first]
        counts = rng.multinomial(9, [0.2, 0.3, 0.5], ROWS)
        columns |= {f"{first}.y{place + 1}": counts[:, place] for place in range(3)}
        columns |= dict.fromkeys(others, np.full(ROWS, 9))
    if formula.bounds is not None:
        columns |= {column: rng.integers(0, 2, ROWS) for column in formula.bounds.columns}
        upper = formula.bounds.upper.columns if formula.bounds.upper is not None else ()
        columns |= {column: np.asarray(columns[first]) + 1.0 for column in upper}
    return pd.DataFrame(columns)


def built(text, family):
    """None where a model is built, else what is said."""
    with contextlib.redirect_stderr(io.StringIO()):
        try:
            hm.model(text, rows_of(text, family), family)
        except HiermodError as error:
            return str(error)
    return None


def test_most_of_them_are_built():
    assert FORMULAS["builds"].sum() >= 230
    assert FAMILIES["builds"].mean() >= 0.85


ALL = pd.concat([FORMULAS, FAMILIES], ignore_index=True)


@pytest.mark.slow
@pytest.mark.parametrize("suite", ALL["suite"].unique())
def test_formulas_are_built_or_refused_in_words(suite):
    for row in ALL[ALL["suite"] == suite].itertuples():
        said = built(row.formula, row.family)
        assert (said is None) == bool(row.builds), (row.formula, row.family, said)
        assert said is None or len(said) > 20
