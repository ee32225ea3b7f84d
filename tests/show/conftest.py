"""Every test of pictures leaves matplotlib as it found it."""

from __future__ import annotations

import matplotlib as mpl
import pytest


@pytest.fixture(autouse=True)
def untouched_matplotlib():
    import matplotlib.pyplot as plt

    before = dict(mpl.rcParams)
    yield
    plt.close("all")
    assert dict(mpl.rcParams) == before
