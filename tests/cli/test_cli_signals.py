"""Ctrl-C and SIGTERM, sent to processes: nothing finished is lost, and no model counts as failed."""

import os
import signal
import subprocess
import sys
import time

import numpy as np
import pandas as pd
import pytest

import hiermod as hm

SLOW = ("--seed", "1", "--no-progress", "--draws", "20000")


@pytest.fixture
def folder(tmp_path):
    """A folder with data whose fits take a while."""
    rng = np.random.default_rng(0)
    groups, x = rng.integers(0, 40, 600), rng.normal(size=600)
    y = rng.binomial(1, 1 / (1 + np.exp(-(0.3 * x + rng.normal(size=40)[groups]))))
    pd.DataFrame({"y": y, "x": x, "g": [f"g{group}" for group in groups]}).to_csv(tmp_path / "d.csv", index=False)
    return tmp_path


def started(code, folder):
    """Start a program, in which Ctrl-C is heard whoever started the tests."""
    heard = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); "
    command = [sys.executable, "-c", heard + code]
    return subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def interrupted(process, sign, by, lines=1, wait=0.0):
    """Send a signal after a text was said so many times; what the process said in all."""
    said = []
    for line in process.stderr:
        said.append(line)
        lines -= by in line
        if not lines:
            break
    time.sleep(wait)
    process.send_signal(sign)
    out, err = process.communicate(timeout=120)
    return out, "".join(said) + err


def cli(*arguments):
    return f"import sys; sys.argv = {['hiermod', *arguments]!r}; from hiermod.cli import main; sys.exit(main())"


@pytest.mark.parametrize(("sign", "wait"), [(signal.SIGINT, 0.0), (signal.SIGTERM, 0.3)])
def test_a_comparison_that_is_stopped_names_no_model_as_failed(folder, sign, wait):
    arguments = ("compare", "d.csv", "y ~ 1", "y ~ x + (1 + x | g)", "--out", "t.csv", *SLOW)
    process = started(cli(*arguments), folder)
    out, err = interrupted(process, sign, "engine: compiled", 2, wait)
    assert process.returncode == (130 if sign == signal.SIGINT else -signal.SIGTERM), err
    assert "interrupted; finished fits and folds are kept in t.csv.fits" in err
    assert out == ""
    assert not (folder / "t.csv").exists()
    assert len(os.listdir(folder / "t.csv.fits")) == 1
    assert "Traceback" not in err


@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGTERM])
def test_a_fit_that_is_stopped_is_stored_with_its_draws(folder, sign):
    process = started(cli("fit", "d.csv", "y ~ x", "--save", "fit.nc", *SLOW[:-1], "3000000"), folder)
    out, err = interrupted(process, sign, "engine: compiled", wait=2.0)
    assert process.returncode == (130 if sign == signal.SIGINT else -signal.SIGTERM), err
    assert "stored in fit.nc" in err
    assert "x" in out
    assert 0 < hm.load(folder / "fit.nc").posterior.sizes["draw"] < 3_000_000


PROGRAM = """
import hiermod as hm
fit = hm.fit("y ~ x", "d.csv", draws=3_000_000, seed=1, progress=False, {file})
print("went on")
"""


def test_sigterm_in_a_program_stores_the_draws_and_ends_it(folder):
    process = started(PROGRAM.format(file="file='fit.nc'"), folder)
    out, err = interrupted(process, signal.SIGTERM, "engine: compiled", wait=2.0)
    assert (process.returncode, out) == (-signal.SIGTERM, ""), err
    assert 0 < hm.load(folder / "fit.nc").posterior.sizes["draw"] < 3_000_000


OWN = """
import signal
from hiermod.sampling.ending import sigterm_as_ctrl_c
def own(*_): print("own")
signal.signal(signal.SIGTERM, own)
with sigterm_as_ctrl_c():
    signal.raise_signal(signal.SIGTERM)
assert signal.getsignal(signal.SIGTERM) is own
signal.signal(signal.SIGTERM, signal.SIG_DFL)
with sigterm_as_ctrl_c():
    pass
assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL
with sigterm_as_ctrl_c():
    try:
        signal.raise_signal(signal.SIGTERM)
    except KeyboardInterrupt:
        signal.raise_signal(signal.SIGTERM)
        print("kept")
print("went on")
"""


def test_a_handler_of_the_programs_own_stays_and_a_second_signal_tears_nothing():
    done = subprocess.run([sys.executable, "-c", OWN], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout) == (-signal.SIGTERM, "own\nkept\n"), done.stderr
