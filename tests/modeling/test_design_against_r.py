"""Design matrices against R's model.matrix and lme4's Z (tests/reference/modelmatrix.R), and against formulae's."""

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from formulae import design_matrices
from modeling_tools import spec_of

REFERENCE = Path(__file__).parents[1] / "reference"
DATA = pd.read_csv(REFERENCE / "modelmatrix_data.csv")
ROWS = len(DATA)
X = pd.read_csv(REFERENCE / "modelmatrix_X.csv")
X_COLUMNS = pd.read_csv(REFERENCE / "modelmatrix_X_columns.csv")
Z = pd.read_csv(REFERENCE / "modelmatrix_Z.csv")
Z_COLUMNS = pd.read_csv(REFERENCE / "modelmatrix_Z_columns.csv")


def name_as_r_does(column, predictors):
    """R's name of a column, as the set of what it multiplies: {'x', 'ftrt'}; the empty set is the intercept."""
    parts = set(column.numerics)
    for name, code in column.levels:
        level = predictors[name].levels[code]
        parts.add(f"{name}{str(level).upper() if isinstance(level, bool) else level}")
    return frozenset(parts)


def parts_of(name):
    return frozenset() if name == "(Intercept)" else frozenset(name.split(":"))


def common_columns(spec):
    """The user's design, column by column."""
    return {
        name_as_r_does(column, spec.cells.predictors): column.values(spec.cells.frame, {})
        for block in spec.common.blocks
        for column in block.columns
    }


def varying_columns(spec):
    """Z, column by column: keyed by the group's levels and the effect."""
    columns = {}
    for term in spec.groups:
        codes = term.grouping.codes(spec.cells.frame)
        for level, combination in enumerate(term.grouping.combinations):
            own = frozenset(
                (factor, str(levels[code]))
                for (factor, levels), code in zip(term.grouping.columns.items(), combination, strict=True)
            )
            for effect in term.effects:
                for column in effect.block.columns:
                    key = (own, name_as_r_does(column, spec.cells.predictors))
                    assert key not in columns
                    columns[key] = column.values(spec.cells.frame, {}) * (codes == level)
    return columns


def assert_same_columns(own, expected):
    assert own.keys() == expected.keys()
    for name, values in expected.items():
        np.testing.assert_allclose(own[name], values, rtol=1e-10, atol=1e-10, err_msg=str(name))


@pytest.mark.parametrize("text", X_COLUMNS["formula"].unique())
def test_common_design_is_model_matrix(text):
    spec = spec_of(f"y {text}", DATA, "gaussian", compress=False)
    entries = X[X["formula"] == text].pivot(index="row", columns="column", values="value")
    assert len(entries) == ROWS
    expected = {parts_of(name): entries[name].to_numpy() for name in entries.columns}
    assert len(expected) == (X_COLUMNS["formula"] == text).sum()
    assert_same_columns(common_columns(spec), expected)


@pytest.mark.parametrize("text", X_COLUMNS["formula"].unique())
def test_columns_stand_in_the_order_of_r_terms(text):
    spec = spec_of(f"y {text}", DATA, "gaussian")
    own = [frozenset(block.term.variables) for block in spec.common.blocks for _ in block.columns]
    named = X_COLUMNS[X_COLUMNS["formula"] == text].sort_values("position")["column"]
    expected = [frozenset(re.sub(r"^([fghb]).+$", r"\1", part) for part in parts_of(name)) for name in named]
    assert own == expected


@pytest.mark.parametrize("text", Z_COLUMNS["formula"].unique())
def test_varying_design_is_lme4s(text):
    spec = spec_of(f"y ~ 1 + {text}", DATA, "gaussian", compress=False)
    entries = Z[Z["formula"] == text]
    expected = {}
    for column in Z_COLUMNS[Z_COLUMNS["formula"] == text].itertuples():
        values = np.zeros(ROWS)
        own = entries[entries["position"] == column.position]
        values[own["row"] - 1] = own["value"]
        factors = re.sub("[()]", "", column.grp).split(":")  # lme4 writes h:(g:f)
        levels = frozenset(zip(factors, str(column.level).split(":"), strict=True))
        expected[levels, parts_of(column.term)] = values
    assert_same_columns(varying_columns(spec), expected)


@pytest.mark.parametrize("text", ["y ~ g*x + (1 + x | h)", "y ~ 0 + f:g + (f | h)", "y ~ b*i + (1 | g/h)"])
def test_the_design_of_cells_is_that_of_their_rows(text):
    doubled = pd.concat([DATA, DATA[::-1]], ignore_index=True)
    cells, rows = spec_of(text, doubled, "gaussian"), spec_of(text, doubled, "gaussian", compress=False)
    assert len(cells.cells) < len(rows.cells)
    for own, expected in (
        (common_columns(cells), common_columns(rows)),
        (varying_columns(cells), varying_columns(rows)),
    ):
        assert own.keys() == expected.keys()
        for name in own:
            spread = np.repeat(own[name], cells.cells.response.rows)
            np.testing.assert_array_equal(np.sort(spread), np.sort(expected[name]))


@pytest.mark.parametrize(
    "text",
    [
        "x + z",
        "f",
        "g",
        "0 + g",
        "x*f",
        "f*g",
        "f + g",
        "0 + f + g",
        "x:z",
        "x*z",
        "f*x + g",
        "0 + x",
        "f*g*x",
        "x:f + f",
    ],
)
def test_common_design_is_formulaes(text):
    spec = spec_of(f"y ~ {text}", DATA, "gaussian", compress=False)
    common = design_matrices(f"y ~ {text}", DATA).common
    expected = {}
    for term in common.terms.values():
        matrix = np.asarray(term.data).reshape(ROWS, -1)
        labels = ["(Intercept)"] if term.name == "Intercept" else term.labels
        expected |= {
            parts_of(re.sub(r"\[(.*?)\]", r"\1", label)): matrix[:, place] for place, label in enumerate(labels)
        }
    assert_same_columns(common_columns(spec), expected)
