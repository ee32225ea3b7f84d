"""The whole formula language against R: `model.matrix`, lme4's Z and offsets (tests/reference/language.R).

R's formula is typed as it stands. Columns of common terms are found by their names: R's ``fyes`` is ``f[yes]`` here,
``poly(x, 2)1`` is ``poly(x, 2)[1]``, ``C(g, contr.sum)1`` is ``C(g, 'sum')[1]``, ``o.L`` is ``o[L]``. Columns of Z are
found by their values, and their groups' levels by name.
"""

import re
from functools import cache

import numpy as np
import pandas as pd
import pytest

import hiermod as hm
from hiermod.data.columns.factors import contrast_labels, contrast_matrix
from hiermod.data.columns.predictors import Basis
from hiermod.errors import HiermodError
from hiermod.formula.parser import canonical
from tests.truth import REFERENCE

TABLES = {
    name: pd.read_csv(REFERENCE / f"language_{name}.csv", keep_default_na=name == "data")
    for name in ("data", "formulas", "levels", "rows", "X", "X_columns", "Z", "Z_columns", "offset")
}
FORMULAS = TABLES["formulas"].set_index("id")
SETS = ["complete", "missing", "nested", "numbers"]
REFUSED = {
    86: "to take away",  # x - z: a term that is not there
    99: r"stands in I\(\)",  # z > 0: in R, x + z > 0 compares the sum
}
NUMBERED = (155,)  # R numbers the columns of these contrasts, which are called by their levels here  # fmt: skip
REMOVED_VARIABLES = (84, 85)  # R drops rows for z in x + z - z too; here a variable that is not used drops none
UNCORRELATED_FACTORS = (214,)  # lme4 reads (f || h) as correlated levels


@cache
def frame_of(name):
    data = TABLES["data"]
    data = data[data["data"] == name].drop(columns="data").reset_index(drop=True)
    for column, levels in TABLES["levels"].groupby("column", sort=False):
        ordered = bool((levels["ordered"].astype(str) == "True").any())
        data[column] = pd.Categorical(data[column], categories=[*levels["level"]], ordered=ordered)
    data["b"] = data["b"].map({"True": True, "False": False, True: True, False: False}).astype("boolean")
    for column in ("i", "k"):
        data[column] = data[column].astype("Int64")
    return data


@cache
def spec_of(name, number):
    right = FORMULAS.loc[number, "r"]
    text = right if right.startswith("y ~") else f"y ~ {right}"
    data = frame_of(name)
    if FORMULAS.loc[number, "kind"] == "common":
        data = data.assign(y=np.arange(len(data), dtype=float))  # R's matrix of common terms does not look at y
    return hm.model(text, data, compress=False)._defined.spec


def table(kind, name, number):
    rows = TABLES[kind]
    return rows[(rows["data"] == name) & (rows["id"] == number)]


def kept_rows(name, number):
    (text,) = table("rows", name, number)["rows"]
    return np.array(text.split(), dtype=int)


def matrix(kind, name, number, kept, columns):
    values = np.zeros((kept.max() + 1, columns))
    entries = table(kind, name, number)
    values[entries["row"], entries["position"] - 1] = entries["value"]
    return values[kept]


def named_as_in_r(spec):
    """The design's columns by what they multiply: pairs of a variable and what R writes behind it."""
    columns = {}
    for block in spec.common.blocks:
        for column in block.columns:
            parts = [numeric_part(spec, name) for name in column.numerics]
            parts += [(name, level_text(spec.cells.predictors[name].levels[code])) for name, code in column.levels]
            parts += [(name, contrast_text(spec.cells.predictors[name], numbers)) for name, numbers in column.contrasts]
            assert frozenset(parts) not in columns
            columns[frozenset(parts)] = column.values(spec.cells.frame, {})
    return columns


def numeric_part(spec, name):
    for variable, predictor in spec.cells.predictors.items():
        if isinstance(predictor, Basis) and name in predictor.columns:
            return variable, predictor.labels[predictor.columns.index(name)]
    return name, ""


def level_text(level):
    return str(level).upper() if isinstance(level, bool) else str(level)


def contrast_text(factor, numbers):
    place = next(
        k for k, own in enumerate(contrast_matrix(factor.coding, len(factor.levels)).T) if tuple(own) == numbers
    )
    return contrast_labels(factor.coding, factor.levels)[place]


def parts_of(name, variables):
    """The same of R's name of a column."""
    if name == "(Intercept)":
        return frozenset()
    return frozenset(
        part_of(part, variables) for part in re.findall(r"(?:`[^`]*`|\([^()]*(?:\([^()]*\)[^()]*)*\)|[^:])+", name)
    )


def part_of(part, variables):
    ends = [place + 1 for place, character in enumerate(part) if character == ")"]
    for end in ends:
        if "(" in part[:end] and canonical(part[:end]) in variables:
            return canonical(part[:end]), part[end:].lstrip(".")
    plain = part.replace("`", "")
    for variable in sorted(variables, key=len, reverse=True):
        if plain.startswith(variable):
            suffix = plain[len(variable) :]
            return variable, suffix.lstrip(".") if suffix in (".L", ".Q", ".C") else suffix
    raise AssertionError(f"{part} is none of {variables}")


def matched(ours, theirs):
    """Whether two sets of columns are the same, in whatever order; each column of one has its own in the other."""
    assert ours.shape == theirs.shape
    left = list(range(ours.shape[1]))
    scale = np.abs(theirs).max(initial=1.0)
    for column in theirs.T:
        place = next((k for k in left if np.allclose(ours[:, k], column, rtol=1e-10, atol=1e-10 * scale)), None)
        assert place is not None, column
        left.remove(place)


@pytest.mark.parametrize(
    ("number", "name"),
    [
        (number, name)
        for number in FORMULAS.index.difference(REFUSED)
        for name in SETS
        if not (number in REMOVED_VARIABLES and name == "missing")
    ],
)
def test_common_terms(number, name):
    spec = spec_of(name, number)
    kept = kept_rows(name, number)
    assert spec.cells.source.rows == len(kept)
    columns = table("X_columns", name, number)
    theirs = matrix("X", name, number, kept, len(columns))
    ours = named_as_in_r(spec)
    if number in NUMBERED:
        matched(np.column_stack([*ours.values()]), theirs)
        return
    variables = set(spec.formula.common_variables)
    names = [parts_of(text, variables) for text in columns["name"]]
    assert set(names) == set(ours)
    scale = np.abs(theirs).max(initial=1.0)
    for own, column in zip(names, theirs.T, strict=True):
        np.testing.assert_allclose(ours[own], column, rtol=1e-10, atol=1e-10 * scale, err_msg=str(own))
    offsets = table("offset", name, number)
    if len(offsets):
        values = offsets.set_index("row")["value"].loc[kept].to_numpy()
        ours = sum(spec.cells.frame[column].to_numpy(float) for column in spec.formula.offsets)
        np.testing.assert_allclose(ours, values, rtol=1e-12)


@pytest.mark.parametrize("name", SETS)
@pytest.mark.parametrize("number", [*FORMULAS.index[FORMULAS["kind"] == "bars"].difference(UNCORRELATED_FACTORS)])
def test_varying_terms(number, name):
    spec = spec_of(name, number)
    kept = kept_rows(name, number)
    columns = table("Z_columns", name, number)
    theirs = matrix("Z", name, number, kept, len(columns))
    ours = []
    for term in spec.groups:
        codes = term.grouping.codes(spec.cells.frame)
        effects = np.hstack([effect.block.matrix(spec.cells.frame) for effect in term.effects])
        ours += [effects * (codes == level)[:, None] for level in range(term.grouping.size)]
    matched(np.hstack(ours), theirs)
    labels = {frozenset(re.split(":", label)) for label in columns["level"]}
    assert {frozenset(str(label).split(":")) for term in spec.groups for label in term.grouping.labels()} == labels


@pytest.mark.parametrize("number", REFUSED)
def test_what_is_refused_says_why(number):
    with pytest.raises(HiermodError, match=REFUSED[number]):
        spec_of("complete", number)
