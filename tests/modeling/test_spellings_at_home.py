"""Spellings of other packages against what they make of them themselves (tests/reference/spellings.R).

The response, the columns of the common design and of groups' effects, and which of these are correlated.
"""

import numpy as np
import pandas as pd
import pytest
from reading_designs import common_columns, groups_columns, response_of, same_columns, table_of_r

import hiermod as hm
from tests.truth import REFERENCE

FORMULAS = pd.read_csv(REFERENCE / "spellings_formulas.csv").set_index("id")
ENTRIES = pd.read_csv(REFERENCE / "spellings.csv")


@pytest.fixture(scope="module")
def data():
    return table_of_r()


@pytest.mark.parametrize("number", FORMULAS.index)
def test_it_means_what_it_means_at_home(number, data):
    line = FORMULAS.loc[number]
    spec = hm.model(line["formula"], data, line["family"], compress=False)._defined.spec
    made = {}
    for part, own in ENTRIES[ENTRIES["id"] == number].groupby("part"):
        made[part] = np.zeros((max(len(data), own["row"].max() + 1), own["position"].max()))
        made[part][own["row"], own["position"] - 1] = own["value"]
    times = made["weights"][:, 0].astype(int) if "weights" in made else np.ones(len(data), dtype=int)
    same_columns(common_columns(spec), made["X"])
    varying = groups_columns(spec)
    if varying.shape[1]:
        theirs = made["Z"]
        same_columns(varying[:, varying.any(axis=0)], theirs[:, theirs.any(axis=0)])
    outcome, _ = response_of(spec)
    np.testing.assert_allclose(outcome, made["y"][:, 0].repeat(times), rtol=1e-12)
    if line["home"] in ("glmmTMB", "brms") and spec.groups:
        several = made.get("correlated", np.zeros((len(data), 1)))[: len(spec.groups), 0]
        assert sorted(term.correlated for term in spec.groups) == sorted(several.astype(bool))
    if "rate" in made:
        offset = sum(spec.cells.frame[name].to_numpy(float) for name in spec.formula.offsets)
        np.testing.assert_allclose(np.exp(offset), made["rate"][:, 0], rtol=1e-12)
