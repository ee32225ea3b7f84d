"""Gives the docstrings' examples one fitted example, made when the first of them needs it."""

from __future__ import annotations

import gc
import sys

import pytest

collect_ignore_glob = ["tests/reference/*.py"]  # they make the references, some with packages of their own


def pytest_collection_finish(session):
    """Ten thousand collected tests are garbage to nobody: looking through them takes a tenth of the suite's time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)


def pytest_unconfigure(config):
    """What was frozen is freed at the end, as ever."""
    gc.unfreeze()


@pytest.fixture(scope="session")
def documented_fits():
    """One fit of each first model."""
    import hiermod as hm

    country = hm.fit("success ~ treated + (1 + treated | country)", hm.example("country"), seed=1, progress=False)
    variants = hm.model("successes/trials ~ (1 | variant)", hm.example("variants"))
    return country, variants.fit(seed=1, progress=False)


@pytest.fixture(autouse=True)
def doctest_names(request):
    """Names that the examples may use: `fit`, `fit_of_variants`, `folder`."""
    if type(request.node).__name__ != "DoctestItem":
        return
    text = request.node.dtest.docstring or ""
    if "fit" in text:
        country, variants = request.getfixturevalue("documented_fits")
        folder = request.getfixturevalue("tmp_path")
        request.node.dtest.globs.update(fit=country, fit_of_variants=variants, folder=folder)


@pytest.fixture(autouse=True)
def closed_pictures():
    """Pictures are closed after each test, so that none is one too many."""
    yield
    if "matplotlib.pyplot" in sys.modules:
        sys.modules["matplotlib.pyplot"].close("all")
