"""Rows one by one, cells, counted rows and engines' aggregates of random data have one density, up to a constant."""

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st
from modeling_tools import assert_equal_up_to_one_constant, log_density, random_points

from hiermod.data.cells.compress import compress
from hiermod.data.cells.rows import read_rows
from hiermod.data.pushdown import gather, tally
from hiermod.families.registry import choose_family, read_family
from hiermod.formula.parser import parse
from hiermod.modeling.pymc.model import build_model
from hiermod.modeling.spec import build_spec

RESPONSES = {
    "bernoulli": ["success"],
    "binomial": ["s/n", "cbind(s, n - s)", "success"],
    "poisson": ["count"],
    "gaussian": ["real", "log(q)", "count"],
}
TERMS = ["i", "x", "f", "i*f", "scale(x)", "poly(z, 2)", "x*z", "log(positive)", "C(f, sum)", "cut(z, 3)", "f:scale(z)",
         "bs(x, df=4)", "factor(h)"]  # fmt: skip
OFFSETS = ["", " + offset(i)", " + offset(z)", " + offset(log(positive))"]
BARS = ["", " + (1 | g)", " + (i | g)", " + (1 + scale(x) | g)", " + (1 | h/g)", " + (z || g) + (1 | h)"]


def frame_of(seed, missing, size=400):
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "x": rng.normal(3.0, 1.0, size) if seed % 2 else rng.choice([1.5, 2.0, 4.25, 7.0, 8.0], size),
            "z": rng.normal(-20.0, 2.0, size).round(1),
            "positive": rng.gamma(3.0, 1.0, size) + 0.1,
            "i": rng.integers(0, 2, size),
            "f": rng.choice(["p", "q", "r"], size),
            "g": rng.choice(list("abcd"), size),
            "h": rng.integers(0, 3, size),
            "success": rng.integers(0, 2, size),
            "n": rng.integers(0, 6, size),
            "count": rng.poisson(3.0, size),
            "real": 100.0 + rng.normal(size=size) * 3.0,
            "w": rng.integers(0, 4, size),
            "q": rng.gamma(2.0, 1.0, size) + 0.1,
        }
    )
    frame["s"] = rng.binomial(frame["n"], 0.4)
    for name in rng.choice(["x", "z", "f", "g", "real"], 3, replace=False):
        frame.loc[rng.integers(0, size, missing), name] = None if name in "fg" else np.nan
    return frame


def model_of(text, data, family, compressed=True, large=10**6):
    before = gather.LARGE, tally.LARGE
    gather.LARGE = tally.LARGE = large
    try:
        formula, real = parse(text), family == "gaussian"
        rows = read_rows(formula, data, compress=compressed, real=real)
        chosen, _ = choose_family(None if family is None else read_family(family), rows.response)
        spec, _ = build_spec(formula, chosen, compress(rows, chosen.statistic, compressed), {})
        return build_model(spec)
    finally:
        gather.LARGE, tally.LARGE = before


@settings(max_examples=6, deadline=None)
@given(st.data())
def test_one_density(data):
    family = data.draw(st.sampled_from(sorted(RESPONSES)))
    response = data.draw(st.sampled_from(RESPONSES[family]))
    weights = data.draw(st.sampled_from(["", " | weights(w)"]))
    terms = data.draw(st.lists(st.sampled_from(TERMS), min_size=1, max_size=3, unique=True))
    rest = data.draw(st.sampled_from(OFFSETS)) + data.draw(st.sampled_from(BARS))
    frame = frame_of(data.draw(st.integers(0, 10**6)), data.draw(st.sampled_from([0, 6])))
    text = f"{response}{weights} ~ {' + '.join(terms)}{rest}"
    rows = model_of(text, frame, family, compressed=False)
    forms = {
        "cells": model_of(text, frame, family),
        "counted": model_of(text, frame, family, large=0),
        "engine": model_of(text, duckdb.connect().from_arrow(pa.Table.from_pandas(frame)), family, large=0),
    }
    points = random_points(rows, 4, seed=1, spread=0.2)
    expected = [log_density(rows)(point) for point in points]
    for model in forms.values():
        density = log_density(model)
        assert_equal_up_to_one_constant([density(point) for point in points], expected)
