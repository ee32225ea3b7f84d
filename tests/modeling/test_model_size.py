"""Large and nested groups cost what they hold, not what their crossing would."""

import tracemalloc

import numpy as np
import pandas as pd
from modeling_tools import log_density, model_of, spec_of
from pytensor.graph.basic import Constant
from pytensor.graph.traversal import ancestors

from hiermod.modeling.pymc.model import build_model


def largest_constant(model):
    graph = ancestors([*model.observed_RVs, *model.potentials, *model.deterministics])
    data = [np.size(node.data) for node in graph if isinstance(node, Constant)]
    return max(data)


def test_twenty_thousand_groups_make_no_indicators():
    groups, rows = 20_000, 200_000
    rng = np.random.default_rng(9)
    frame = pd.DataFrame({"g": rng.permutation(np.resize(np.arange(groups), rows)), "x": rng.normal(size=rows)})
    frame["y"] = rng.integers(0, 2, rows)
    tracemalloc.start()
    spec = spec_of("y ~ x + (1 + x | g)", frame)
    model = build_model(spec)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 400e6  # the indicators alone would take 32 GB
    assert spec.groups[0].grouping.size == groups
    assert len(spec.cells) == rows
    assert largest_constant(model) <= 2 * rows
    assert np.isfinite(log_density(model)(model.initial_point()))


def test_nested_groups_hold_the_pairs_that_occur():
    """The trap: 50 countries and 870 cities became 43,500 columns."""
    rng = np.random.default_rng(10)
    city = rng.permutation(np.resize(np.arange(870), 2000))
    home = rng.integers(0, 50, 870)
    frame = pd.DataFrame({"y": rng.normal(size=2000), "city": city, "country": home[city]})
    model = model_of("y ~ 1 + (1 | country/city)", frame)
    start = model.initial_point()
    assert start["1|country_offset"].shape == (frame["country"].nunique(),)
    assert start["1|country:city_offset"].shape == (870,)
    assert largest_constant(model) <= 2000
