"""Formulas whose cells an engine makes, and how they are held against those of the rows in memory."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from hiermod.data.cells import compress as compressing
from hiermod.data.cells.compress import compress
from hiermod.data.cells.rows import read_rows
from hiermod.formula.parser import parse

SIZE = 12_000


def frame_of(seed=1, size=SIZE, missing=25):
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "x": rng.normal(3.0, 1.0, size),
            "z": rng.normal(-20.0, 2.0, size).clip(-29.0, -1.0),
            "p": rng.gamma(3.0, 5.0, size) + 0.01,
            "age": rng.integers(18, 90, size).astype(float),
            "i": rng.integers(0, 2, size),
            "f": rng.choice(["a", "b", "c"], size),
            "g": rng.choice(list("stuv"), size),
            "h": rng.integers(0, 5, size),
            "flag": rng.choice([True, False], size),
            "w": rng.integers(0, 4, size),
            "y": 50.0 + 10.0 * rng.normal(size=size),
            "q": rng.gamma(2.0, 1.0, size) + 0.01,
            "count": rng.poisson(3.0, size),
            "success": rng.integers(0, 2, size),
            "n": rng.integers(0, 6, size),
        }
    )
    frame["s"] = rng.binomial(frame["n"], 0.4)
    for name in ("x", "z", "y", "g", "success", "f"):
        frame.loc[rng.integers(0, size, missing), name] = None if name in "gf" else np.nan
    return frame.astype({"success": "Int64"})


FRAME = frame_of()
ARROW = pa.Table.from_pandas(FRAME)
COUNTED = [
    ("success ~ f*i + (1 + i | g) + (1 | h)", "trials"),
    ("success ~ f + cut(age, 4) + (1 | g)", "trials"),
    ("success ~ cut(age, c(17, 30, 60, 90), labels=c('young', 'middle', 'old')) + (1 | g)", "trials"),
    ("success | weights(w) ~ C(f, sum) + log(h + 1) + (1 | g)", "trials"),
    ("s/n ~ flag + poly(h, 2) + (1 | g/f)", "trials"),
    ("s | trials(n) ~ scale(h) + offset(h) + (1 | g)", "trials"),
    ("count ~ f + offset(log(h + 1)) + (1 | g)", "count"),
    ("count ~ bs(age, df=4) + (1 | g)", "count"),
    ("h ~ f + (1 | g)", "real"),
    ("h | weights(w) ~ f + (1 | g)", "values"),
    ("count ~ f + cut(age, 3) + offset(log(h + 1)) + (1 | g)", "values"),
    ("s/n ~ flag + poly(h, 2) + (1 | g/f)", "pairs"),
]
MOMENTS = [
    "y ~ x",
    "y ~ 1 + (1 | g)",
    "y ~ x*z*f + i*x + (1 + x | g)",
    "y | weights(w) ~ x:z + f + (x:z + i || g)",
    "y ~ log(p) + sqrt(p) + scale(x) + standardize(age) + (1 + scale(x) | g)",
    "y ~ I(x^2) + I(x * i) + abs(z) + exp(x / 10) + log10(p) + log2(p) + log1p(p) + (1 | g)",
    "y ~ poly(x, 3) + poly(age, 2, raw=TRUE) + f + (1 | g) + (0 + z | h)",
    "y ~ bs(z, df=5):i + ns(x, df=3) + (1 | g)",
    "y ~ bs(x, knots=c(2, 4), degree=2, intercept=TRUE) + ns(p, df=2) + (1 | g)",
    "y | weights(w) ~ scale(x) + center(p) + poly(z, 2) + ns(p, df=4) + (1 | g)",
    "y ~ C(f, sum)*center(x) + offset(z) + (x | g)",
    "y ~ f*x + offset(log(p)) + offset(x) + (1 | g/h)",
    "log(q) ~ x*i + (1 | g)",
    "y ~ x + cut(z, c(-30, -20, 0)) + cut(p, 3) + (1 | g)",
    "y ~ x + sin(z) + cos(p) + tan(x / 10) + expm1(x / 10) + factor(h) + (1 | flag)",
]


def cells_of(text, data, statistic):
    return compress(read_rows(parse(text), data, real=statistic == "real"), statistic)


def check_counts(text, statistic, data, frame=FRAME):
    """Cells of lazy data are bit for bit those of the rows in memory."""
    one, other = cells_of(text, data, statistic), cells_of(text, frame, statistic)
    pd.testing.assert_frame_equal(one.frame[list(other.frame)], other.frame)
    np.testing.assert_array_equal(one.response.weight, other.response.weight)
    if statistic == "real":
        np.testing.assert_allclose(one.response.mean, other.response.mean, rtol=1e-14)
    else:
        np.testing.assert_array_equal(one.response.mean, other.response.mean)
    if "cut" in text:  # the engine leaves the column behind it
        other = replace(other, source=replace(other.source, print_of=lambda: one.source.fingerprint))
    assert one.source == other.source
    assert one.response.row_times.sum() == other.response.row_times.sum()
    assert len(one.response.row_times) < one.source.rows  # rows came counted


def check_moments(text, data, frame=FRAME):
    """Moments of lazy data are those of the rows in memory, averaged over the same variables."""
    rows = read_rows(parse(text), data, real=True)
    one = compress(rows, "real")
    other = in_memory(text, frame, rows.variables.averaged)
    assert not one.rows_kept
    assert one.averaged == other.averaged
    pd.testing.assert_frame_equal(one.frame, other.frame[list(one.frame)], rtol=1e-10, atol=1e-10)
    np.testing.assert_array_equal(one.response.weight, other.response.weight)
    np.testing.assert_allclose(one.response.mean, other.response.mean, rtol=1e-12)
    np.testing.assert_allclose(one.response.within, other.response.within, rtol=1e-10)
    if one.averaged:
        cross = one.response.moments.cross
        size = np.sqrt(np.einsum("cii->ci", cross).max(axis=0))
        expected, unit = raw_products(other, one.response.moments), size * size[:, None]
        np.testing.assert_allclose(cross / unit, expected / unit, rtol=1e-10, atol=1e-10)
    for name in ("rows", "missing", "without_trials"):
        assert getattr(one.source, name) == getattr(other.source, name)


def in_memory(text, frame, variables):
    """Cells of the rows in memory that average over the same variables, whether that pays or not."""

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(compressing, "candidates", lambda rows: variables)
        patch.setattr(compressing, "pays", lambda plain, averaged, features: True)
        return cells_of(text, frame, "real")


def raw_products(cells, moments):
    """Sums of centred products of the rows' own features, by hand."""
    frame, cell = cells.observations()
    features = [np.prod([frame[name] - moments.centres[name] for name in own], axis=0) for own in moments.features]
    values, times = np.column_stack([*features, cells.response.row_values]), cells.response.row_times
    result = []
    for place in range(len(cells)):
        own, weight = values[cell == place], times[cell == place]
        centred = own - np.average(own, axis=0, weights=weight)
        result.append((weight[:, None] * centred).T @ centred)
    return np.array(result)
