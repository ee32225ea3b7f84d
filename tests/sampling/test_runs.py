"""Runs: seeds, interruptions, and what is done about trouble."""

import os
import signal
import subprocess
import sys
import threading

import numpy as np
import nutpie
import pytest
import xarray as xr

import hiermod as hm
from hiermod.errors import InterruptedSamplingError, SamplingError
from hiermod.sampling import run as sampling
from hiermod.sampling.diagnostics import Diagnostics
from hiermod.sampling.nuts import Compiled, _complete
from hiermod.sampling.posterior import History, Rerun, Trouble
from hiermod.sampling.settings import ChosenEngine, Settings

GOOD = {"rhat": 1.001, "ess_bulk": 900.0, "ess_tail": 900.0, "divergences": 0}


@pytest.fixture(scope="module")
def model():
    return hm.model("successes/trials ~ (1 | variant)", hm.example("variants"), pooling="beta")


@pytest.fixture
def scripted(model, monkeypatch):
    """Runs of the sampler whose diagnostics are given in advance; returns the settings each was asked with."""

    def play(figures, asked):
        used, left = [], list(figures)

        def run(compiled, settings, progress):
            used.append(settings)
            rng = np.random.default_rng(0)
            if "raises" in left[0]:
                raise left[0]["raises"]
            shape = (settings.chains, left[0].get("draws", settings.draws))
            values = {name: (("chain", "draw"), rng.uniform(0.2, 0.8, shape)) for name in ("rate_mean", "rate_spread")}
            return xr.DataTree.from_dict(
                {"posterior": xr.Dataset(values), "sample_stats": xr.Dataset()}
            ), "draws" in left[0]

        def diagnose(tree):
            seen = {**GOOD, **left.pop(0)}
            if "again" in seen:
                left.insert(0, {**seen.pop("again"), **seen})
                raise KeyboardInterrupt
            return Diagnostics(
                seen["rhat"], "a", seen["ess_bulk"], "a", seen["ess_tail"], "a", seen["divergences"], 0.9, 0
            )

        monkeypatch.setattr(Compiled, "run", run)
        monkeypatch.setattr(sampling, "diagnose", diagnose)
        compiled = Compiled(None, ChosenEngine("pymc"))
        return sampling.sample(model._defined.spec, compiled, asked, progress=False), used

    return play


def test_a_good_run_is_not_repeated(scripted):
    posterior, used = scripted([{}], Settings(seed=1))
    assert len(used) == 1
    assert used[0].target_accept == 0.95
    assert posterior.notices == ("engine: PyMC",)
    assert posterior.history == History(Settings(seed=1), ChosenEngine("pymc"))


def test_divergences_raise_target_accept_at_most_twice(scripted):
    posterior, used = scripted([{"divergences": 9}, {"divergences": 5}, {"divergences": 2}], Settings(seed=1))
    assert [run.target_accept for run in used] == [0.95, 0.99, 0.998]
    assert "sampled again with target_accept 0.99 (9 divergences)" in posterior.notices
    assert "2 divergences remain: see fit.check() for what to do" in posterior.notices
    assert posterior.diagnostics.divergences == 2


def test_a_target_accept_of_the_users_is_kept(scripted):
    posterior, used = scripted([{"divergences": 9}], Settings(seed=1, target_accept=0.8))
    assert [run.target_accept for run in used] == [0.8]
    assert (
        "9 divergences remain (target_accept is the one you set): see fit.check() for what to do" in posterior.notices
    )


@pytest.mark.parametrize("trouble", [{"rhat": 1.02}, {"ess_bulk": 250.0}, {"ess_tail": 399.0}])
def test_too_few_effective_draws_are_met_with_more_draws(scripted, trouble):
    posterior, used = scripted([trouble, {}], Settings(seed=1, draws=500))
    assert len(used) == 2
    assert used[1].draws >= 1000
    assert posterior.shape == (4, used[1].draws)
    assert any("draws" in notice for notice in posterior.notices)


def test_the_best_of_bad_runs_is_kept(scripted):
    figures = [{"divergences": 1}, {"divergences": 40}, {"divergences": 3}]
    posterior, _ = scripted(figures, Settings(seed=1))
    assert posterior.diagnostics.divergences == 1
    assert (posterior.history.kept, posterior.history.runs) == (1, 3)
    assert "kept run 1 of 3, 1,000 draws of each chain: later ones were worse" in posterior.notices


def test_divergences_are_weighed_by_the_draws_they_are_of(scripted):
    figures = [{"divergences": 87, "rhat": 1.03}, {"divergences": 150, "rhat": 1.02}, {"divergences": 900, "rhat": 1.2}]
    posterior, used = scripted(figures, Settings(seed=1))
    assert used[1].draws == 2000
    assert posterior.diagnostics.divergences == 150
    first, second = posterior.history.reruns
    assert first == Rerun(Trouble(87, 1.03, 900.0), 0.99, 2000)
    assert second == Rerun(Trouble(150, 1.02, 900.0), 0.998, 4000)
    assert posterior.history.kept == 2
    few = [{"divergences": 45}, {"divergences": 2, "rhat": 1.013}, {"divergences": 50}]
    assert scripted(few, Settings(seed=1))[0].diagnostics.divergences == 2


@pytest.mark.parametrize("error", [KeyboardInterrupt(), InterruptedSamplingError()])
def test_a_rerun_that_is_interrupted_before_a_draw_leaves_the_run_before(scripted, error):
    posterior, _ = scripted([{"divergences": 9}, {"raises": error}], Settings(seed=1, draws=600))
    assert posterior.shape == (4, 600)
    assert posterior.interrupted
    assert posterior.run_notices[1] == "interrupted: 600 draws of 4 chains are kept"
    assert posterior.history.reruns == (Rerun(Trouble(9), target_accept=0.99),)
    assert "9 divergences remain: see fit.check() for what to do" in posterior.notices
    with pytest.raises(type(error)):
        scripted([{"raises": error}], Settings(seed=1))


def test_a_rerun_that_fails_leaves_the_run_before(scripted):
    posterior, _ = scripted([{"divergences": 9}, {"raises": SamplingError("No step.")}], Settings(seed=1))
    assert "the rerun failed, so that the run before is kept: No step." in posterior.notices
    assert posterior.history.failure == "No step."
    assert posterior.history.runs == 1
    assert not posterior.interrupted


def test_few_draws_of_an_interrupted_rerun_do_not_replace_a_whole_run(scripted):
    unknown = {"rhat": np.nan, "ess_bulk": np.nan, "ess_tail": np.nan, "draws": 3}
    for part in (unknown, {"divergences": 9, "draws": 50, "ess_bulk": 150.0}):
        posterior, _ = scripted([{"divergences": 11}, part], Settings(seed=1))
        assert posterior.shape == (4, 1000)
        assert "interrupted: 1,000 draws of 4 chains are kept" in posterior.notices
    posterior, _ = scripted([{"divergences": 110}, {"divergences": 0, "draws": 700}], Settings(seed=1))
    assert posterior.shape == (4, 700)


def test_draws_survive_ctrl_c_while_they_are_measured(scripted):
    posterior, used = scripted([{"again": {}, "divergences": 3}], Settings(seed=1))
    assert len(used) == 1
    assert posterior.run_notices[0] == "interrupted: 1,000 draws of 4 chains are kept"


def test_a_rough_look_that_was_asked_for_is_not_lengthened(scripted):
    _, used = scripted([{"ess_bulk": 60.0}], Settings(seed=1, draws=20, chains=4))
    assert len(used) == 1


def test_the_same_seed_gives_the_same_draws_for_any_number_of_cores(model):
    fits = [model.fit(seed=7, draws=150, cores=cores, progress=False) for cores in (1, 2)]
    xr.testing.assert_equal(fits[0].posterior, fits[1].posterior)
    other = model.fit(seed=8, draws=150, progress=False)
    assert not np.array_equal(other.posterior["rate_mean"], fits[0].posterior["rate_mean"])


def test_a_seed_is_drawn_and_kept_where_none_is_given(model):
    fit = model.fit(draws=150, progress=False)
    again = model.fit(draws=150, seed=fit._posterior.settings.seed, progress=False)
    xr.testing.assert_equal(fit.posterior, again.posterior)


@pytest.fixture
def ctrl_c_is_heard():
    """A process started in the background may have been told to ignore it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("ctrl_c_is_heard")
def test_an_interrupted_run_keeps_its_draws(model, monkeypatch):
    start = nutpie.sample

    def sample_and_interrupt(*arguments, **options):
        threading.Timer(1.5, signal.raise_signal, [signal.SIGINT]).start()
        return start(*arguments, **options)

    model.fit(draws=10, tune=10, chains=1, seed=1, progress=False, engine="pymc")
    monkeypatch.setattr(nutpie, "sample", sample_and_interrupt)
    fit = model.fit(draws=400_000, tune=300, seed=1, progress=False, engine="pymc")
    assert any("interrupted" in notice for notice in fit.notices)
    assert not fit.posterior.isnull().to_array().any()
    assert fit.posterior.sizes["draw"] > 0


def test_interrupted_chains_of_unequal_length_keep_most_draws():
    lengths = [900, 850, 3, 0]
    logp = np.full((4, 1000), np.nan)
    for chain, length in enumerate(lengths):
        logp[chain, :length] = -1.0
    chains, draws = _complete(xr.Dataset({"logp": (("chain", "draw"), logp)}))
    assert list(chains) == [0, 1]
    assert draws == 850


def test_draws_of_somebody_else_must_fit_the_model(model, variants_fit):
    again = model.with_draws(variants_fit.idata)
    np.testing.assert_array_equal(again.best("variant"), variants_fit.best("variant"))
    with pytest.raises(SamplingError, match="no variable 'rate_spread'"):
        model.with_draws(variants_fit.posterior.drop_vars("rate_spread"))
    with pytest.raises(SamplingError, match=r"'rate\|variant' has shape \(2,\) in each draw; the model needs \(4,\)"):
        model.with_draws(variants_fit.posterior.isel(variant__factor_dim=slice(2)))


@pytest.mark.parametrize("size", [{"draws": 2}, {"chains": 1, "draws": 400}])
def test_what_cannot_be_known_is_not_passed(model, size):
    report = model.fit(**{"seed": 1, "chains": 4, "progress": False, **size}).check()
    rhat = report.table.set_index("check").loc["R-hat"]
    assert not rhat["passed"]
    assert rhat["figure"].startswith("not known")
    assert "at least two chains" in rhat["next_step"]


def test_numpy_numbers_are_settings():
    assert Settings(np.int64(50), seed=np.int32(3), target_accept=np.float32(0.5)) == Settings(
        50, seed=3, target_accept=0.5
    )
    for wrong in ({"seed": 2**70}, {"target_accept": "0.9"}, {"draws": True}):
        with pytest.raises(SamplingError, match=f"{next(iter(wrong))}="):
            Settings(**wrong)


COLD = """
import sys
import hiermod as hm
fit = hm.fit("Reaction ~ Days + (1 | Subject)", hm.example("sleepstudy"), seed=1, draws=100, tune=100, progress=False)
sys.stdout.write(repr(fit.posterior["Intercept"].to_numpy().ravel()[-3:].tolist()))
"""


@pytest.mark.slow
def test_code_just_compiled_and_code_from_the_cache_give_the_same_draws(tmp_path):
    environment = {**os.environ, "PYTENSOR_FLAGS": f"base_compiledir={tmp_path}"}
    runs = [
        subprocess.run([sys.executable, "-c", COLD], env=environment, capture_output=True, text=True, check=True).stdout
        for _ in range(2)
    ]
    assert runs[0] == runs[1]
