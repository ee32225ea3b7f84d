"""Cells of a part of the observations are the cells of these rows."""

import numpy as np
import pandas as pd
import pytest

from hiermod.data.cells.observations import observations, part
from hiermod.modeling.definition import Definition, define


def cells_of(formula, data, family=None, compress=True):
    return define(Definition(formula, family, compress=compress), data).spec.cells


def table(rows):
    rng = np.random.default_rng(5)
    return pd.DataFrame(
        {
            "g": list("abc") * (rows // 3), "x": rng.normal(size=rows), "t": rng.integers(0, 2, rows),
            "y": rng.normal(size=rows), "count": rng.poisson(2.0, rows), "s": rng.integers(0, 3, rows), "n": 3,
            "won": rng.integers(0, 2, rows),
        }
    )  # fmt: skip


CASES = [
    ("won ~ t + (1 | g)", None), ("s/n ~ t + (1 | g)", None), ("s/n ~ t + (1 | g)", "beta_binomial"),
    ("count ~ t + (1 | g)", "poisson"), ("count ~ t + (1 | g)", "negbinomial"), ("y ~ t + (1 | g)", None),
    ("y ~ x + (1 + x | g)", None),
]  # fmt: skip


@pytest.mark.parametrize(("formula", "family"), CASES)
@pytest.mark.parametrize("compress", [True, False])
def test_a_part_has_the_cells_of_its_rows(formula, family, compress):
    data = table(240)
    cells = cells_of(formula, data, family, compress)
    seen = observations(cells)
    rng = np.random.default_rng(1)
    kept = rng.binomial(seen.times, 0.6)
    found = part(cells, seen, kept)
    again = observations(found)
    assert again.times.sum() == kept.sum() == found.source.rows

    def counted(own, times):
        key = own.frame.iloc[own.place].reset_index(drop=True).astype(str)
        responses = pd.DataFrame(own.responses.astype(str))
        rows = pd.concat([key, responses], axis=1)[times > 0]
        rows.columns = rows.columns.map(str)
        return rows.assign(times=times[times > 0]).groupby(list(rows.columns)).sum().sort_index()

    pd.testing.assert_frame_equal(counted(again, again.times), counted(seen, kept), check_dtype=False)


def test_moments_of_a_part_are_those_of_its_rows():
    data = table(240)
    cells = cells_of("y ~ x + (1 + x | g)", data)
    assert cells.averaged == ("x",)
    seen = observations(cells)
    left = seen.frame["g"].to_numpy()[seen.place] == "b"
    found = part(cells, seen, np.where(left, 0, seen.times))
    expected = data[data["g"] != "b"].groupby("g")[["x", "y"]]
    np.testing.assert_allclose(found.frame["x"], expected.mean()["x"], rtol=1e-12)
    np.testing.assert_allclose(found.response.mean, expected.mean()["y"], rtol=1e-12)
    squares = expected.var(ddof=0) * 80
    np.testing.assert_allclose(found.response.moments.cross[:, 0, 0], squares["x"], rtol=1e-12)
    np.testing.assert_allclose(found.response.within, squares["y"], rtol=1e-12)
    assert list(found.groupings["g"].labels()) == ["a", "b", "c"]
