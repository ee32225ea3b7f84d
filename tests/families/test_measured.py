"""Gaussian responses with known errors: normal distributions of three variances, and what their records say."""

import numpy as np
import pytest
from scipy import stats

from hiermod.data.cells.observations import KINDS
from hiermod.engine.kernels.record import KERNELS, ROW_KERNELS
from hiermod.errors import ModelError
from hiermod.families.measured import with_errors
from hiermod.families.registry import read_family

ETA, ERROR, SIGMA = np.array([-1.0, 0.4, 3.0]), np.array([0.5, 1.3, 2.0]), 0.7
SPREADS = {"known": ERROR, "added": np.hypot(SIGMA, ERROR), "weighted": SIGMA * ERROR}


@pytest.mark.parametrize("kind", SPREADS)
def test_each_row_has_its_own_normal_distribution(kind):
    family, own = with_errors(read_family("gaussian"), kind), [] if kind == "known" else [SIGMA]
    exact, value = stats.norm(ETA, SPREADS[kind]), np.array([0.3, -0.9, 3.5])
    seen = family.observation_density((value, ERROR), ETA, own)
    np.testing.assert_allclose(seen, exact.logpdf(value), rtol=1e-13)
    below, up_to = family.cdf((value, ERROR), family.linear(ETA), *own)
    np.testing.assert_allclose(below, exact.cdf(value), rtol=1e-13)
    np.testing.assert_array_equal(up_to, below)
    drawn = family.draw(np.random.default_rng(1), (20_000, 3), ETA, ERROR, *own)
    for place in range(3):
        theirs = stats.norm(ETA[place], SPREADS[kind][place])
        assert stats.kstest(drawn[:, place], theirs.cdf).pvalue > 1e-3


def test_records_of_known_errors_say_how_they_are_kept_and_fitted():
    """A sum of variances differs by row and draw; of the others, precisions add up over rows that are alike."""
    records = {kind: with_errors(read_family("gaussian"), kind) for kind in SPREADS}
    assert {kind: record.statistic for kind, record in records.items()} == {
        "known": "precision", "added": "errors", "weighted": "precision"
    }  # fmt: skip
    assert {record.statistic for record in records.values()} <= set(KINDS.values())
    assert {kind: record.kernel for kind, record in records.items()} == {
        "known": "gaussian_known", "added": "gaussian_added", "weighted": "gaussian"
    }  # fmt: skip
    assert {f"{record.kernel}_identity" for record in records.values()} <= {*KERNELS, *ROW_KERNELS}
    assert [records[kind].auxiliary for kind in SPREADS] == [(), ("sigma",), ("sigma",)]
    for kind, record in records.items():
        assert (record.errors, record.bambi, record.information_power) == (kind, None, 0.0)
        assert record.log_tails is record.variance is None
        assert record.latex.startswith(r"\operatorname{Normal}(\mu_i, ")
        assert record.latex.endswith({"known": "s_i)", "added": "s_i^2})", "weighted": r"\sqrt{w_i})"}[kind])
    assert "known errors" in records["added"].parameters[0].words
    assert "weight 1" in records["weighted"].parameters[0].words


@pytest.mark.parametrize("name", ["student", "gaussian(log)", "lognormal"])
def test_known_errors_are_of_the_gaussian_family_with_its_usual_link(name):
    with pytest.raises(ModelError, match=r"y \| se\(s\) is of the family gaussian.*family='gaussian'"):
        with_errors(read_family(name), "known")
    with pytest.raises(ModelError, match=r"y \| weights\(w\) is of"):
        with_errors(read_family(name), "weighted", "weights(w)")
