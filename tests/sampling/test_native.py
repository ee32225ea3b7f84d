"""Runs of the compiled engine: seeds, cores, interruptions, fall-backs, names, and agreement with PyMC's."""

import ctypes
import gc
import importlib
import os
import signal
import subprocess
import sys
import threading
import time

import numpy as np
import pandas as pd
import pytest

import hiermod as hm
from hiermod.engine import nutpie_core
from hiermod.engine.build import cache
from hiermod.errors import ModelError, SamplingError
from hiermod.sampling import native, run

RANDOM = {"seed": 3, "draws": 400, "progress": False}


@pytest.fixture(scope="module")
def model():
    return hm.model("incidence/size ~ period + (1 | herd)", hm.example("cbpp"))


@pytest.fixture(scope="module")
def fit(model):
    return model.fit(seed=1, progress=False)


def test_the_engine_that_was_taken_is_said(model, fit, capsys):
    assert "engine: compiled" in fit.notices
    model.fit(seed=1, draws=20, progress=False)
    assert "hiermod: engine: compiled" in capsys.readouterr().err
    beta = hm.fit("successes/trials ~ (1 | variant)", hm.example("variants"), pooling="beta", seed=1, draws=20,
                  progress=False)  # fmt: skip
    assert "engine: exact, independent draws by quadrature" in beta.notices


def test_an_engine_that_was_asked_for_must_cover_the_model():
    with pytest.raises(ModelError, match=r"cannot take this model: pooling='beta' is not covered. Say engine='pymc'"):
        hm.fit("successes/trials ~ (1 | variant)", hm.example("variants"), pooling="beta", engine="compiled")
    with pytest.raises(ModelError, match="engine='stan': 'auto', 'compiled' or 'pymc'"):
        hm.fit("successes/trials ~ (1 | variant)", hm.example("variants"), engine="stan")


def test_the_same_seed_gives_the_same_draws_for_any_number_of_cores(model):
    one, two = (model.fit(cores=cores, **RANDOM).posterior for cores in (1, 2))
    assert one.equals(two)
    other = model.fit(**{**RANDOM, "seed": 4}).posterior
    assert not np.array_equal(other["Intercept"], one["Intercept"])


def test_both_engines_tell_the_same(model, fit):
    """Within four Monte Carlo standard errors, by the effective sizes of both runs."""
    other = model.fit(seed=2, engine="pymc", progress=False)
    ours, theirs = fit.summary().fixed, other.summary().fixed
    error = np.sqrt(ours["sd"] ** 2 / ours["ess_bulk"] + theirs["sd"] ** 2 / theirs["ess_bulk"])
    assert (np.abs(ours["estimate"] - theirs["estimate"]) < 4 * error).all()
    assert list(fit.posterior.data_vars) == list(other.posterior.data_vars)
    for name, values in fit.posterior.data_vars.items():
        assert values.dims == other.posterior[name].dims, name
        for dim in values.dims:
            assert list(map(str, values[dim].to_numpy())) == list(map(str, other.posterior[name][dim].to_numpy()))


def test_correlations_follow_from_partial_ones():
    from hiermod.modeling.model_priors import correlations

    rng = np.random.default_rng(2)
    matrix = np.corrcoef(rng.normal(size=(4, 9)))
    factor = np.linalg.cholesky(matrix)
    partial = []
    for row in range(4):
        rest = 1.0
        for column in range(row):
            partial.append(factor[row, column] / np.sqrt(rest))
            rest -= factor[row, column] ** 2
    np.testing.assert_allclose(correlations(np.array(partial), 4), matrix[np.tril_indices(4, -1)], atol=1e-12)


@pytest.fixture
def ctrl_c_is_heard():
    """A process started in the background may have been told to ignore it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def interrupt_when(monkeypatch, ready):
    """Press Ctrl-C once the chains' report says so."""
    start = nutpie_core.start

    def start_and_interrupt(*arguments):
        pressed = threading.Event()

        def report(chains):
            if not pressed.is_set() and ready(chains):
                pressed.set()
                signal.raise_signal(signal.SIGINT)

        return start(*arguments[:-1], report)

    monkeypatch.setattr(native.nutpie_core, "start", start_and_interrupt)


@pytest.mark.usefixtures("ctrl_c_is_heard")
def test_an_interrupted_run_keeps_its_draws(model, monkeypatch):
    interrupt_when(monkeypatch, lambda chains: all(own.started and not own.tuning for own in chains))
    fit = model.fit(draws=300_000, tune=200, chains=2, cores=2, seed=1, progress=False)
    assert any("interrupted" in notice for notice in fit.notices)
    assert 0 < fit.posterior.sizes["draw"] < 300_000
    assert not fit.posterior.isnull().to_array().any()


@pytest.mark.usefixtures("ctrl_c_is_heard")
def test_an_interrupted_warm_up_leaves_nothing(model, monkeypatch):
    interrupt_when(monkeypatch, lambda chains: any(own.finished_draws > 10 for own in chains))
    with pytest.raises(SamplingError, match="interrupted during warm-up, before any draw"):
        model.fit(draws=10, tune=300_000, seed=1, progress=False)


def test_pymc_takes_over_where_nutpies_core_is_another(monkeypatch):
    monkeypatch.setattr(nutpie_core, "PARTS", (*nutpie_core.PARTS, "PySampler.from_elsewhere"))
    frame = hm.example("sleepstudy")
    fit = hm.fit("Reaction ~ 1", frame, draws=30, tune=30, seed=1, progress=False)
    assert any("no PySampler.from_elsewhere" in notice for notice in fit.notices)


def test_without_a_mode_the_public_coordinates_are_sampled(monkeypatch, capsys):
    def fail(program):
        raise np.linalg.LinAlgError("Singular matrix")

    monkeypatch.setattr(native, "whiten", fail)
    fit = hm.fit("incidence/size ~ period + (1 | herd)", hm.example("cbpp"), seed=1, progress=False)
    assert "no coordinates could be chosen at the mode (Singular matrix)" in capsys.readouterr().err
    assert fit.check().passed


def test_a_mode_that_is_known_from_the_start_is_kept():
    """Of two values the standard deviation's most likely value is where the search for it begins."""
    fit = hm.fit("y ~ 1", pd.DataFrame({"y": [1.0, 2.0]}), "gaussian", draws=50, seed=1, progress=False)
    assert np.isfinite(fit.posterior["sigma"]).all()


def test_nutpies_core_has_the_parts_that_are_used():
    nutpie_core.check()
    assert nutpie_core.core() is importlib.import_module("nutpie")._lib


def test_nothing_that_a_fit_does_not_need_is_imported():
    slow = ("pymc", "pytensor", "arviz", "bambi", "matplotlib", "duckdb", "joblib", "scipy.stats", "scipy.optimize")
    program = (
        "import sys, hiermod as hm\n"
        "fit = hm.fit('incidence/size ~ period + (1 | herd)', hm.example('cbpp'), seed=1, draws=50, progress=False)\n"
        "fit.effect('period')\n"
        f"print([name for name in {slow} if name in sys.modules])\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=300)
    assert done.stdout.strip() == "[]"


class MallInfo(ctypes.Structure):
    """What glibc's `mallinfo2` returns."""

    _fields_ = [(name, ctypes.c_size_t) for name in (
        "arena", "ordblks", "smblks", "hblks", "hblkhd", "usmblks", "fsmblks", "uordblks", "fordblks", "keepcost"
    )]  # fmt: skip


@pytest.mark.slow
def test_refits_hold_no_memory():
    """What is allocated, not what the process holds: the C library keeps freed memory in an arena for each thread."""
    library_of_c = ctypes.CDLL(None)
    if not hasattr(library_of_c, "mallinfo2"):
        pytest.skip("only glibc tells what is allocated")
    library_of_c.mallinfo2.restype = MallInfo

    def megabytes_after(seeds):
        for seed in seeds:
            hm.model("y ~ (1 | g)", frame_of(seed)).fit(seed=1, draws=300, progress=False)
        gc.collect()
        found = library_of_c.mallinfo2()
        return (found.uordblks + found.hblkhd) / 2**20

    before = megabytes_after(range(60))
    assert megabytes_after(range(60, 160)) - before < 1.0


@pytest.mark.parametrize("error", [AttributeError, OSError, TypeError])
def test_freed_memory_stays_where_the_c_library_has_no_way_to_return_it(monkeypatch, error):
    def missing(name):
        raise error(name)

    run._library_trim.cache_clear()
    with monkeypatch.context() as patched:
        patched.setattr(run.ctypes, "CDLL", missing)
        run.malloc_trim()
    run._library_trim.cache_clear()


def frame_of(seed):
    rng = np.random.default_rng(seed)
    g = rng.integers(0, 30, 3000)
    return pd.DataFrame({"y": rng.normal(size=3000) + rng.normal(size=30)[g], "g": g})


WARM = "import sys; from hiermod.cli import main; sys.exit(main(['warmup']))"


@pytest.mark.slow
def test_processes_that_race_compile_into_one_folder(tmp_path):
    environment = {**os.environ, cache.FOLDER: str(tmp_path)}
    racing = [subprocess.Popen([sys.executable, "-c", WARM], env=environment, stdout=subprocess.PIPE, text=True)
              for _ in range(2)]  # fmt: skip
    said = {own.communicate(timeout=500)[0] for own in racing}
    assert len(said) == 1
    assert all(path.name.startswith(("engine-", "bitcode-")) for path in tmp_path.iterdir())
    start = time.monotonic()
    again = subprocess.run([sys.executable, "-c", WARM], env=environment, capture_output=True, text=True, check=True)
    assert time.monotonic() - start < 10.0
    assert again.stderr == ""


@pytest.mark.slow
def test_where_nothing_can_be_written_code_is_compiled_for_the_process(tmp_path):
    blocked = tmp_path / "file"
    blocked.write_text("")
    environment = {**os.environ, cache.FOLDER: str(blocked)}
    done = subprocess.run([sys.executable, "-c", WARM], env=environment, capture_output=True, text=True, check=True)
    assert "this process alone" in done.stdout
    assert "set HIERMOD_CACHE_DIR" in done.stderr


@pytest.mark.usefixtures("ctrl_c_is_heard")
def test_ctrl_c_while_chains_are_started_leaves_no_thread_of_them(model, monkeypatch):
    start, before = nutpie_core.start, nutpie_core._threads()

    def started_and_lost(*arguments):
        chains = start(*arguments)
        signal.raise_signal(signal.SIGINT)  # is heard at once, were it not held back
        return chains

    monkeypatch.setattr(native.nutpie_core, "start", started_and_lost)
    with pytest.raises(SamplingError, match="interrupted during warm-up, before any draw"):
        model.fit(draws=10, tune=300_000, seed=1, progress=False)
    assert not nutpie_core._threads() - before
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
