"""Groups left out of rows that an engine has aggregated, against multivariate normals of the rows themselves."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
import xarray as xr
from scipy import special, stats

import hiermod as hm
from hiermod.data.cells.observations import observations, part
from hiermod.data.pushdown import gather
from hiermod.errors import AnswerError

TEXT = "y ~ x * z + t + (1 + x | g)"
DRAWS = 120  # as many as a score needs


def frame_of(rows=90, seed=3):
    rng = np.random.default_rng(seed)
    x, z, t = rng.normal(2.0, 1.0, rows), rng.normal(size=rows), rng.integers(0, 2, rows)
    y = 1.0 + 0.5 * x - 0.3 * z + 0.2 * x * z + rng.normal(size=rows)
    return pd.DataFrame({"g": rng.choice(list("abcde"), rows), "x": x, "z": z, "t": t, "y": y})


FRAME = frame_of()


@pytest.fixture
def aggregated(monkeypatch):
    """A model of the frame, only whose cells come here."""
    monkeypatch.setattr(gather, "LARGE", 0)
    return lambda text=TEXT, frame=FRAME: hm.model(text, pl.from_pandas(frame).lazy())


def draws_of(seed=1):
    """Draws of all parameters in one chain, and the same by name."""
    rng = np.random.default_rng(seed)
    near = {"Intercept": 1.0, "x": 0.5, "z": -0.3, "x:z": 0.2, "t": 0.1}
    values = {name: at + 0.02 * rng.normal(size=DRAWS) for name, at in near.items()}
    values |= {name: np.exp(0.02 * rng.normal(size=DRAWS)) for name in ("sigma", "1|g_sigma", "x|g_sigma")}
    own = {name: (("chain", "draw"), value[None]) for name, value in values.items()}
    for name in ("1|g", "x|g"):
        own[name] = (("chain", "draw", "level"), 0.1 * rng.normal(size=(1, DRAWS, 5)))
    own["1+x|g_cor"] = (("chain", "draw", "pair"), np.full((1, DRAWS, 1), 0.3))
    return xr.Dataset(own), values


def test_a_group_is_scored_as_the_normal_that_its_rows_are(aggregated):
    """Given a draw, a group's rows are normal about the common part, and covary by their effects."""
    dataset, values = draws_of()
    fit = aggregated().with_draws(dataset)
    assert not fit._posterior.spec.cells.rows_kept
    seen = observations(fit._posterior.spec.cells)
    from hiermod.answers.scoring.group_density import Members, group_density

    density = group_density(fit._posterior, seen)
    codes = seen.frame["g"].to_numpy()
    for group, rows in FRAME.groupby("g"):
        places = np.flatnonzero(codes == group)
        found = density.joint(Members(places, seen.times[places]))
        design = np.column_stack([np.ones(len(rows)), rows["x"]])
        for draw in range(0, DRAWS, 40):
            v = {name: value[draw] for name, value in values.items()}
            mean = v["Intercept"] + v["x"] * rows["x"] + v["z"] * rows["z"] + v["x:z"] * rows["x"] * rows["z"]
            sds = np.array([v["1|g_sigma"], v["x|g_sigma"]])
            covariance = np.array([[1.0, 0.3], [0.3, 1.0]]) * sds[:, None] * sds
            whole = design @ covariance @ design.T + v["sigma"] ** 2 * np.eye(len(rows))
            truth = stats.multivariate_normal(mean + v["t"] * rows["t"], whole).logpdf(rows["y"])
            np.testing.assert_allclose(found[draw], truth, rtol=1e-9)


def test_scores_are_those_of_rows_in_memory(aggregated):
    dataset, _ = draws_of()
    there, here = aggregated().with_draws(dataset), hm.model(TEXT, FRAME).with_draws(dataset)
    found, expected = (fit.logo(max_refits=0, progress=False) for fit in (there, here))
    pd.testing.assert_frame_equal(found.pointwise, expected.pointwise, rtol=1e-9)
    assert found.pointwise["rows"].sum() == len(FRAME)
    assert found.p == pytest.approx(expected.p, rel=1e-9)
    assert special.logsumexp(found.pointwise["elpd"]) < 0.0


def test_a_fit_without_a_group_sees_the_other_rows(aggregated):
    cells = aggregated()._defined.spec.cells
    seen = observations(cells)
    rest = part(cells, seen, np.where(seen.frame["g"].to_numpy() == "b", 0.0, seen.times))
    expected = aggregated(frame=FRAME[FRAME["g"] != "b"])._defined.spec.cells
    assert rest.source.rows == expected.source.rows
    np.testing.assert_allclose(rest.response.mean, expected.response.mean, rtol=1e-12)
    np.testing.assert_allclose(rest.response.moments.means_of(["x", "z"], {}),
                               expected.response.moments.means_of(["x", "z"], {}), rtol=1e-12)  # fmt: skip
    np.testing.assert_allclose(rest.response.moments.cross[:, -1, -1], expected.response.moments.cross[:, -1, -1])


def test_refits_and_comparisons_take_aggregated_rows(aggregated):
    settings = {"draws": 100, "tune": 100, "chains": 2, "seed": 1, "progress": False}
    fits = {text: aggregated(text).fit(**settings) for text in ("y ~ x + (1 | g)", "y ~ x * z + (1 | g)")}
    table = hm.compare(fits, method="logo", progress=False).table
    assert list(table.index) == ["y ~ x * z + (1 | g)", "y ~ x + (1 | g)"]
    dataset, _ = draws_of()
    one = aggregated().with_draws(dataset)
    moved = FRAME.assign(g=np.roll(FRAME["g"], 1))
    fewer = aggregated(frame=moved.assign(g=np.where(moved.index < 3, "a", moved["g"]))).with_draws(dataset)
    with pytest.raises(AnswerError, match=r"'one' and 'fewer' were fitted to other rows.*where g is 'a'\. Fit both"):
        hm.compare({"one": one, "fewer": fewer}, method="logo", progress=False)


def test_other_responses_in_groups_of_the_same_size_are_told(aggregated):
    """By sums and squares, which any order of adding up leaves alike, and which one row's response changes."""
    dataset, _ = draws_of()
    one, again = (aggregated(frame=frame).with_draws(dataset) for frame in (FRAME, FRAME[::-1]))
    hm.compare({"one": one, "again": again}, method="logo", max_refits=0, progress=False)
    place = int(np.flatnonzero(FRAME["g"] == "c")[0])
    other = FRAME.assign(y=FRAME["y"] + 0.01 * (np.arange(len(FRAME)) == place))
    letters = FRAME.assign(g=FRAME["g"].str.upper())
    for frame, message in ((other, "differ in number or response where g is 'c'"), (letters, "have other groups of g")):
        with pytest.raises(AnswerError, match=message):
            hm.compare({"one": one, "b": aggregated(frame=frame).with_draws(dataset)}, method="logo", progress=False)


def test_rows_that_are_not_here_are_not_left_out_one_by_one(aggregated):
    dataset, _ = draws_of()
    fit = aggregated().with_draws(dataset)
    with pytest.raises(AnswerError, match=r"Leave out whole groups \(fit.logo\(\)\)"):
        fit.loo()
    with pytest.raises(AnswerError, match=r"Leave out whole groups \(method='logo', score='joint'\)"):
        fit.kfold(2, progress=False)
    with pytest.raises(AnswerError, match="aggregated where the data is"):
        fit.logo(score="rows", progress=False)
    with pytest.raises(AnswerError, match=r"its cells have no column 'city'\. Leave out groups of its formula: 'g'"):
        fit.logo("city", progress=False)
