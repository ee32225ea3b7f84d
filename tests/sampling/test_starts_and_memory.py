"""Runs that cannot start, or do not fit in memory, are refused, and no thread outlives them."""

import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

import hiermod as hm
from hiermod.errors import DataError, SamplingError
from hiermod.sampling import memory
from hiermod.sampling.settings import Settings

RNG = np.random.default_rng(0)
ROWS = pd.DataFrame({"x": RNG.normal(size=200), "days": RNG.integers(300, 2000, 200), "b": RNG.integers(0, 2, 200)})
ROWS["c"] = RNG.poisson(0.02 * ROWS.days)


def test_an_exposure_without_its_logarithm_is_refused_before_sampling():
    with pytest.raises(
        DataError, match=r"The offset .*days.* goes from 3\d\d to 1\d\d\d on the log scale.*offset\(log\(days\)\)"
    ):
        hm.model("c ~ x + offset(days)", ROWS, "poisson")
    assert hm.model("c ~ x + offset(log(days))", ROWS, "poisson").formula


def test_more_draws_than_fit_are_refused_with_those_that_would():
    with pytest.raises(SamplingError, match=r"take .* GB of memory, and .* can be had: draws=\d+ would fit"):
        hm.fit("b ~ x", ROWS, draws=10**10, seed=1, progress=False)


def test_the_number_of_draws_that_would_fit_does(monkeypatch):
    monkeypatch.setattr("hiermod.memory.available_memory", lambda: 1e7)
    asked = Settings(draws=10**6, chains=2)
    with pytest.raises(SamplingError, match="would fit") as caught:
        memory.refuse_large(50, asked, 300)
    fitting = int(str(caught.value).split("draws=")[1].split()[0])
    memory.refuse_large(50, Settings(draws=fitting, chains=2), 300)
    with pytest.raises(SamplingError, match="would fit"):
        memory.refuse_large(50, Settings(draws=fitting + 50, chains=2), 300)
    with pytest.raises(SamplingError, match="fewer groups or chains are needed"):
        memory.refuse_large(10**7, asked, 300)


NO_START = """
import numpy as np, pandas as pd, hiermod as hm
from hiermod.sampling import native
native.refuse_no_start = lambda program: None
native.starting_points = lambda program: lambda seed: np.full(program.problem.dimension, np.nan)
try:
    hm.fit("y ~ x", pd.DataFrame({"y": [0, 1, 0, 1], "x": [1.0, 2, 3, 5]}), seed=1, progress=False)
except hm.errors.SamplingError as error:
    print(error)
"""
DAEMON = """
import threading, time, numpy as np, pandas as pd, hiermod as hm
rng = np.random.default_rng(0)
rows = pd.DataFrame({"y": rng.integers(0, 2, 4000), "x": rng.normal(size=4000), "g": rng.integers(0, 60, 4000)})
sample = lambda: hm.fit("y ~ x + (1 + x | g)", rows, draws=20000, seed=1, progress=False)
threading.Thread(target=sample, daemon=True).start()
from hiermod.engine import nutpie_core
while not nutpie_core.UNDER_WAY:
    time.sleep(0.05)
time.sleep(0.3)
print("end")
"""


@pytest.mark.parametrize(("code", "words"), [(NO_START, "The sampler stopped: All initialization"), (DAEMON, "end")])
def test_the_process_ends_well(code, words):
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=False)
    assert run.returncode == 0, run.stderr
    assert words in run.stdout


def test_a_density_that_is_nowhere_finite_is_refused_before_threads_start(monkeypatch):
    def nowhere(program):
        return lambda seed: np.full(program.problem.dimension, np.nan)

    monkeypatch.setattr("hiermod.sampling.native.starting_points", nowhere)
    with pytest.raises(SamplingError, match="not a finite number where sampling would start"):
        hm.fit("b ~ x", ROWS, seed=1, progress=False)
