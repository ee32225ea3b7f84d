"""Separation found by linear programming, against brute force over directions and against known cases."""

import itertools

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import hiermod as hm
from hiermod.data.cells.kept import Kept
from hiermod.data.cells.statistics import BinomialCells
from hiermod.modeling.separation import find_separation


def found(x, s, n):
    x, s, n = (np.asarray(own, dtype=float) for own in (x, s, n))
    names = [f"x{place}" for place in range(x.shape[1])]
    kept = Kept({"successes": s, "trials": n, "times": np.ones(len(s))}, None, np.ones(len(s), dtype=int))
    return find_separation(x, BinomialCells(s, n, kept=kept), names)


def directions(columns):
    """Enough directions for designs of small whole numbers: those orthogonal to rows, and between."""
    steps = range(-6, 7)
    return [np.array(one) for one in itertools.product(steps, repeat=columns) if any(one)]


@settings(deadline=None, max_examples=150)
@given(st.lists(st.tuples(st.integers(-2, 2), st.integers(0, 2), st.integers(2, 2)), min_size=2, max_size=6))
def test_two_columns_against_every_direction(rows):
    x = np.array([(1, row[0]) for row in rows], dtype=float)
    s, n = np.array([row[1] for row in rows]), np.array([row[2] for row in rows])
    sign = np.where(s == n, 1.0, np.where(s == 0, -1.0, 0.0))
    kinds = set()
    for direction in directions(2):
        value = x @ direction
        if (sign * value >= 0).all() and (value[sign == 0] == 0).all() and value.any():
            kinds.add("complete" if (sign != 0).all() and (sign * value > 0).all() else "quasi-complete")
    expected = "complete" if "complete" in kinds else "quasi-complete" if kinds else "none"
    seen = found(x, s, n).kind
    assert seen == expected


def test_which_coefficients_have_no_bound():
    x = [[1, 0, 0], [1, 1, 0], [1, 0, 1], [1, 1, 0]]
    seen = found(x, [3, 9, 4, 9], [9, 9, 9, 9])  # the second level has successes alone
    assert (seen.kind, seen.coefficients) == ("quasi-complete", ("x1",))
    assert seen.words == "quasi-complete: some rows have successes alone, or failures alone, without exception, by 'x1'"


def test_many_rows_are_looked_at_a_part_at_a_time():
    rng = np.random.default_rng(1)
    x = np.column_stack([np.ones(40_000), rng.normal(size=(40_000, 3))])
    side = x @ [0.2, 1.0, -1.0, 0.5] > 0
    assert found(x, side, np.ones(40_000)).kind == "complete"
    side[np.argmax(x @ [0.2, 1.0, -1.0, 0.5])] = False  # the one farthest on its side
    assert found(x, side, np.ones(40_000)).kind == "none"


def test_near_separation_is_told_with_its_exceptions():
    x = np.column_stack([np.ones(200), np.linspace(-1, 1, 200)])
    side = x[:, 1] > 0
    side[[5, 195]] = ~side[[5, 195]]
    seen = found(x, side, np.ones(200))
    assert (seen.kind, seen.exceptions) == ("near", 2)
    assert "but for 2 trials, all successes are told from all failures by" in seen.words
    side[::9] = ~side[::9]
    assert found(x, side, np.ones(200)).kind == "none"


@pytest.mark.parametrize("trials", [20, 2000])
def test_rare_outcomes_are_not_near_separation(trials):
    assert found(np.array([[1.0, 0.0], [1.0, 1.0]]), [1, 3], [trials, trials]).kind == "none"


@pytest.mark.parametrize("scale", [1e-8, 1.0, 1e8])
def test_units_play_no_part(scale):
    x = np.column_stack([np.ones(6), scale * np.array([1.0, 2.0, 3.0, 4.0, 5.0, 6.0])])
    assert found(x, [0, 0, 0, 1, 1, 1], [1] * 6).kind == "complete"
    assert found(x, [0, 0, 1, 0, 1, 1], [1] * 6).kind == "none"


DATA = pd.DataFrame({"x": np.arange(20.0), "v": list("ab") * 10, "g": list("uvwxy") * 4})


def check_of(y, formula="y ~ x", family="bernoulli"):
    fit = hm.fit(formula, DATA.assign(y=y), family, seed=1, draws=200, progress=False, cores=1)
    return fit, {check.name: check for check in fit.check().checks}


def test_a_fit_says_it_in_words():
    fit, checks = check_of((DATA["x"] > 9).astype(int))
    assert not checks["separation"].passed
    assert checks["separation"].figure == "complete: all successes are told from all failures by 'Intercept', 'x'"
    assert not fit.check().passed
    assert "the data do not bound these coefficients, the prior does" in str(fit.check())
    assert "separation: complete" in str(fit.summary())
    assert fit.check().converged == all(check.passed for check in checks.values() if check.of_sampler)


def test_all_alike_is_said_plainly_and_others_pass():
    _, checks = check_of(np.ones(20, dtype=int), "y ~ v")
    assert checks["separation"].figure == "complete: all responses are successes"
    _, checks = check_of(np.tile([0, 1, 1, 0], 5), "y ~ v + (1 | g)")
    assert checks["separation"].passed
    _, checks = check_of(np.arange(20) % 7, "y ~ v", "poisson")
    assert "separation" not in checks
