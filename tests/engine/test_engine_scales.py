"""Gaussian densities of predictors in any unit, and what threads and callers read after memory was freed."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from engine_oracle import oracle_of
from modeling_tools import spec_of

import hiermod as hm

HERE = Path(__file__).parent
RNG = np.random.default_rng(0)
X = RNG.normal(size=200)
ROWS = pd.DataFrame({"x": X, "y": 1 + 2 * X + 0.5 * RNG.normal(size=200), "g": [f"g{row % 10}" for row in range(200)]})


@pytest.mark.parametrize("compress", [True, False])
@pytest.mark.parametrize("scale", [1e-99, 1e-12, 3e-9, 1e-8, 1.0, 1e8, 1e99])
@pytest.mark.parametrize("formula", ["y ~ x", "y ~ x + (1 + x | g)", "y ~ x + (1 | g)"])
def test_gaussian_densities_are_those_of_the_public_model_in_any_unit(formula, scale, compress):
    oracle = oracle_of(spec_of(formula, ROWS.assign(x=scale * X), "gaussian", compress=compress))
    differences, sizes = [], []
    for seed in range(4):
        z = 0.3 * np.random.default_rng(seed).normal(size=oracle.program.problem.dimension)
        z[1] = 2.0 / scale * (1.0 + z[1])
        value, gradient = oracle.program.log_density(z)
        expected, slope = oracle.at(z)
        np.testing.assert_allclose(gradient, slope, rtol=1e-7, atol=1e-9 * np.abs(slope * np.maximum(z, 1)).max())
        differences.append(value - expected), sizes.append(abs(expected))
    assert np.ptp(differences) <= 1e-9 * max(sizes)
    arrays, matrix = oracle.program.memory.arrays, oracle.program.problem.matrix
    diagonal = arrays["product_values"][arrays["product_rows"][:-1]]
    np.testing.assert_allclose(diagonal, (matrix.T @ (matrix * oracle.program.problem.size[:, None])).diagonal())


def test_a_column_of_zeros_keeps_its_place_on_the_diagonal():
    frame = ROWS.assign(f=np.where(X > 0, "a", "b"), x=np.abs(X) * (X > 0))
    oracle = oracle_of(spec_of("y ~ x + f:x", frame, "gaussian"))
    for seed in range(3):
        z = np.random.default_rng(seed).normal(size=oracle.program.problem.dimension)
        np.testing.assert_allclose(oracle.program.log_density(z)[1], oracle.at(z)[1], rtol=1e-9, atol=1e-9)


def test_fits_do_not_depend_on_the_unit_of_a_predictor():
    answers = []
    for scale in (1.0, 1e-9):
        fit = hm.fit("y ~ x", ROWS.assign(x=scale * X), seed=1, progress=False)
        answers.append(fit.fixef().loc["x", ["estimate", "lower", "upper"]].to_numpy(dtype=float) * scale)
        assert fit.check().passed
    np.testing.assert_allclose(*answers, rtol=0.01)


PROGRAM = """
import sys
import numpy as np
import pandas as pd
sys.path[:0] = sys.argv[1:]
from engine_oracle import program_of
from modeling_tools import spec_of
random = np.random.default_rng(0)
rows = pd.DataFrame({"b": random.integers(0, 2, 60_000), "x": random.normal(size=60_000)})
program = program_of(spec_of("b ~ x + (1 | g)", rows.assign(g=random.integers(0, 50, 60_000)), "bernoulli"))
z = 0.1 * random.normal(size=program.problem.dimension)
alone, sd = program.log_density(z)[0], np.exp(z[-1])
same = {program.threaded(3).log_density(z)[0] == alone for _ in range(50)}
print(same, bool(abs(program.expand(z)[1][0] / sd - 1) < 1e-12))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="glibc alone overwrites freed memory on demand")
def test_nothing_is_read_after_it_was_freed():
    folders = [str(HERE), str(HERE.parent / "modeling")]
    overwriting = {"GLIBC_TUNABLES": "glibc.malloc.perturb=165:glibc.malloc.tcache_count=0"}
    run = subprocess.run([sys.executable, "-c", PROGRAM, *folders], env={**os.environ, **overwriting},
                         capture_output=True, text=True, timeout=300, check=False)  # fmt: skip
    assert run.returncode == 0, run.stderr
    assert run.stdout.strip() == "{True} True"
