"""The columns of a spec's design, and the data on which R's designs were made."""

import numpy as np
import pandas as pd

from hiermod.data.cells.statistics import BinomialCells
from hiermod.formula.nodes import TrialsResponse
from tests.truth import REFERENCE


def table_of_r():
    """The data "complete" of tests/reference/language.R, with R's order of levels."""
    frame = pd.read_csv(REFERENCE / "language_data.csv")
    frame = frame[frame["data"] == "complete"].drop(columns="data").reset_index(drop=True)
    for column, levels in pd.read_csv(REFERENCE / "language_levels.csv").groupby("column", sort=False):
        ordered = bool((levels["ordered"].astype(str) == "True").any())
        present = [level for level in levels["level"] if level in set(frame[column])]
        frame[column] = pd.Categorical(frame[column], categories=present, ordered=ordered)
    return frame.assign(b=frame["b"].astype(str) == "True")


def common_columns(spec):
    """The columns of common terms."""
    return np.hstack([block.matrix(spec.cells.frame) for block in spec.common.blocks])


def groups_columns(spec):
    """The columns of effects, one for each of a group's levels."""
    columns = [np.empty((len(spec.cells.frame), 0))]
    for term in spec.groups:
        codes = term.grouping.codes(spec.cells.frame)
        effects = np.hstack([effect.block.matrix(spec.cells.frame) for effect in term.effects])
        columns += [effects * (codes == level)[:, None] for level in range(term.grouping.size)]
    return np.hstack(columns)


def same_columns(ours, theirs):
    """Each column of one is one of the other's, whatever their order."""
    assert ours.shape == theirs.shape
    left, scale = list(range(ours.shape[1])), np.abs(theirs).max(initial=1.0)
    for column in theirs.T:
        place = next((k for k in left if np.allclose(ours[:, k], column, rtol=1e-9, atol=1e-10 * scale)), None)
        assert place is not None, column
        left.remove(place)


def response_of(spec):
    """The response of each row, and its trials where it has some."""
    _, response = spec.cells.as_rows()
    if isinstance(spec.formula.response, TrialsResponse):
        return response["successes"], response["trials"]
    values = response["successes"] if isinstance(spec.cells.response, BinomialCells) else response["values"]
    return values, None
