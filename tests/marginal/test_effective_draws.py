"""Draws of models of very many groups are independent: effective numbers of hyperparameters and of their squares."""

import pytest

import hiermod as hm
from benchmarks.groups import JOBS, effective, in_memory


@pytest.mark.parametrize("name", JOBS)
def test_draws_are_as_good_as_independent(name):
    """The shapes of the benchmark, with 10,000 groups: a second for the dearest."""
    job = JOBS[name]
    fit = hm.fit(job.formula, in_memory(job, 10_000)[0], job.family, seed=1, progress=False)
    assert fit.provenance.engine == "exact"
    ess, of_squares = effective(fit)
    assert ess >= 2000
    assert of_squares >= 1500
