"""Many draws are written where they stay: the same draws, in the chains' order, whatever was interrupted."""

import itertools

import numpy as np
import pandas as pd
import pytest

import hiermod as hm
from hiermod.engine import draw_store
from hiermod.engine.draw_store import DrawStore, _put_in_order

RNG = np.random.default_rng(0)
ROWS = pd.DataFrame({"y": RNG.integers(0, 2, 400), "a": RNG.integers(0, 30, 400), "b": RNG.integers(0, 20, 400)})
ASKED = {"draws": 60, "tune": 80, "chains": 5, "seed": 1, "progress": False, "cores": 2}


@pytest.mark.parametrize("order", list(itertools.permutations(range(4))))
def test_chains_are_put_in_order_in_place(order):
    numbers = np.arange(4.0)[:, None] * np.ones((4, 3))
    _put_in_order(numbers, np.array(order))
    np.testing.assert_array_equal(numbers[:, 0], order)


def test_draws_are_those_that_the_sampler_would_have_kept(monkeypatch):
    kept = hm.fit("y ~ 1 + (1 | a) + (1 | b)", ROWS, **ASKED)
    made = []
    monkeypatch.setattr(draw_store, "LARGE", 1)
    monkeypatch.setattr(DrawStore, "__post_init__", _noted(DrawStore.__post_init__, made))
    assert hm.fit("y ~ 1 + (1 | a) + (1 | b)", ROWS, **ASKED).posterior.identical(kept.posterior)
    assert made


def _noted(method, made):
    def noted(self):
        made.append(self)
        method(self)

    return noted


def test_draws_of_an_interrupted_run_are_kept(monkeypatch):
    monkeypatch.setattr(draw_store, "LARGE", 1)
    monkeypatch.setattr("hiermod.sampling.run.MAX_RERUNS", 0)
    asked = {**ASKED, "draws": 20_000, "tune": 100, "chains": 2}
    spec = hm.model("y ~ 1 + (1 | a) + (1 | b)", ROWS)

    def interrupt(self):
        raise KeyboardInterrupt

    monkeypatch.setattr("hiermod.sampling.progress.ChainProgress.show", interrupt)
    fit = spec.fit(**{**asked, "progress": True})
    whole = spec.fit(**{**asked, "draws": 200})
    count = min(fit.posterior.sizes["draw"], 200)
    assert count > 0
    assert fit.posterior.sizes["draw"] < 20_000
    for name in fit.posterior.data_vars:
        np.testing.assert_array_equal(
            fit.posterior[name].values[:, :count], whole.posterior[name].values[: fit.posterior.sizes["chain"], :count]
        )


def test_what_fails_in_a_chain_s_thread_is_an_error(monkeypatch):
    monkeypatch.setattr(draw_store, "LARGE", 1)
    monkeypatch.setattr(DrawStore, "_place", lambda self: 1 / 0)
    with pytest.raises(hm.errors.SamplingError, match="a draw could not be written: ZeroDivisionError"):
        hm.fit("y ~ 1 + (1 | a) + (1 | b)", ROWS, **ASKED)
