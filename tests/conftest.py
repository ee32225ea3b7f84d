"""Fits shared by all tests, and by the docstrings' examples."""

from __future__ import annotations

import matplotlib as mpl
import pytest

mpl.use("Agg")


@pytest.fixture(scope="session")
def country_fit():
    """The country experiment with correlated effects, on default settings."""
    import hiermod as hm

    formula = "success ~ treated + (1 + treated | country)"
    return hm.fit(formula, hm.example("country"), seed=1, progress=False)


@pytest.fixture(scope="session")
def variants_fit():
    """Four variants under one Beta distribution."""
    import hiermod as hm

    return hm.fit("successes/trials ~ (1 | variant)", hm.example("variants"), pooling="beta", seed=1, progress=False)


@pytest.fixture(scope="session")
def sleepstudy_fit():
    """Reaction times with correlated intercepts and slopes, on default settings."""
    import hiermod as hm

    return hm.fit("Reaction ~ Days + (Days | Subject)", hm.example("sleepstudy"), seed=1, progress=False)
