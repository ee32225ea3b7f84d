"""Every public function that takes `prob` refuses one outside (0, 1), whatever else it is asked."""

import inspect
import math

import numpy as np
import pandas as pd
import pytest
from answer_tools import with_made_up_draws
from hypothesis import given, settings
from hypothesis import strategies as st

import hiermod as hm
from hiermod.errors import AnswerError
from hiermod.interface.plots import FitPlots, PriorPlots

DATA = pd.DataFrame(
    {"v": list("ab") * 6, "x": np.linspace(0, 1, 12), "g": list("uvw") * 4, "s": [3, 5] * 6, "n": [9] * 12}
)
FORMULA = "s/n ~ v + x + (1 | g)"
FIT = with_made_up_draws(hm.model(FORMULA, DATA), chains=2, draws=30)
PRIOR = hm.model(FORMULA, DATA).sample_prior(30, seed=1)
OF = {"Fit": FIT, "PriorDraws": PRIOR, "FitPlots": FIT.plot, "PriorPlots": PRIOR.plot, "hiermod": hm}
CLASSES = (hm.Fit, type(PRIOR), hm.Model, FitPlots, PriorPlots)
NEEDED = {  # what each needs beside prob; the others need nothing
    "effect": ("v",), "interaction": ("v", "x"), "slopes": ("x",), "nnt": ("v",), "decide": ("v",),
    "sensitivity": ("v",), "effect_parts": ("v",), "table": (FIT,), "report": ("page.html",),
    ("hiermod", "report"): (FIT, "page.html"),
    "hypothesis": ("x > 0",), "plan": (FIT, None, "v"), "plot_scenarios": ({"one": FIT},),
}  # fmt: skip

AIMS = {"plan": {"loss": 0.01}}


def with_prob():
    """All public functions and methods that have the argument."""
    for name in hm.__all__:
        if inspect.isfunction(function := getattr(hm, name)) and "prob" in inspect.signature(function).parameters:
            yield "hiermod", name
    for kind in CLASSES:
        for name, method in inspect.getmembers(kind, inspect.isfunction):
            answers = inspect.signature(method).return_annotation != "NoReturn"
            if not name.startswith("_") and answers and "prob" in inspect.signature(method).parameters:
                yield kind.__name__, name


FOUND = list(with_prob())


def test_they_are_found():
    assert len(FOUND) > 25
    assert {("Fit", "rates"), ("Fit", "fixef"), ("PriorDraws", "effect"), ("hiermod", "plan")} <= set(FOUND)


WRONG = st.one_of(
    st.floats(max_value=0.0), st.floats(min_value=1.0), st.just(math.nan), st.booleans(), st.none(),
    st.text(max_size=3), st.integers(), st.just(95), st.just([0.9]), st.just(np.array([0.5, 0.9])),
    st.complex_numbers(),
)  # fmt: skip


@pytest.mark.parametrize(("owner", "name"), FOUND, ids=lambda word: word)
@settings(deadline=None, max_examples=12)
@given(prob=WRONG)
def test_a_probability_outside_0_and_1_is_refused(owner, name, prob):
    needed = NEEDED.get((owner, name), NEEDED.get(name, ()))
    with pytest.raises(AnswerError, match=r"prob=.*the probability of an interval is between 0 and 1, such as 0\.95"):
        getattr(OF[owner], name)(*needed, **AIMS.get(name, {}), prob=prob)


TABLES = ("fixef", "varcorr", "shrinkage", "icc", "r2", "ppc")


@settings(deadline=None, max_examples=25)
@given(prob=st.floats(1e-6, 1 - 1e-6), name=st.sampled_from(TABLES))
def test_intervals_are_in_order_and_grow_with_their_probability(prob, name):
    low, high = (getattr(FIT, name)(prob=own)[["lower", "upper"]].to_numpy(dtype=float) for own in (prob / 2, prob))
    known = ~np.isnan(high).any(axis=1)
    assert (high[known, 0] <= high[known, 1]).all()
    assert (high[known, 0] <= low[known, 0] + 1e-12).all()
    assert (high[known, 1] >= low[known, 1] - 1e-12).all()
