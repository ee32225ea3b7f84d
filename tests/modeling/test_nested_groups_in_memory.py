"""50 countries × 870 cities in 2,000 rows: pairs that occur become parameters, in a tenth of Bambi's memory."""

import subprocess
import sys

import pytest

DATA = """
import resource, sys
import numpy as np, pandas as pd
rng = np.random.default_rng(1)
rows = 2000
data = pd.DataFrame({"y": rng.normal(size=rows), "city": rng.integers(0, 870, rows)})
data["country"] = np.array([f"c{k}" for k in range(50)])[data["city"] % 50]
data["city"] = np.array([f"t{k}" for k in range(870)])[data["city"]]
import bambi, pymc, hiermod as hm
from hiermod.modeling.pymc import model as pymc_model
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
"""
OURS = """
model = hm.model("y ~ 1 + (1 | country/city)", data)
built = model.pymc()
pairs = data.drop_duplicates(["country", "city"])
assert built["1|country:city"].eval().shape == (len(pairs),), len(pairs)
"""
THEIRS = """
bambi.Model("y ~ 1 + (1 | country/city)", data).build()
"""
REPORT = """
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024)
"""


def megabytes(code):
    run = subprocess.run([sys.executable, "-c", DATA + code + REPORT], capture_output=True, text=True, check=True)
    return float(run.stdout.split()[-1])


@pytest.mark.slow
def test_only_pairs_that_occur_are_held():
    ours, theirs = megabytes(OURS), megabytes(THEIRS)
    print(f"hiermod {ours:.0f} MB, Bambi {theirs:.0f} MB")
    assert ours < theirs / 10
