from __future__ import annotations

import made_up_fits as made
import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.collections import PathCollection
from matplotlib.figure import Figure
from reading_axes import dashed, horizontal_lines, points, row_labels

from hiermod.show.shrinkage import plot_shrinkage

FITS = {"variants": made.variants, "cbpp": made.cbpp, "sleepstudy": made.sleepstudy, "many": made.many}


def hollow_points(ax):
    (scatter,) = [child for child in ax.collections if isinstance(child, PathCollection)]
    return scatter


@pytest.mark.parametrize("name", FITS)
def test_raw_and_pooled_values_are_joined(name):
    fit = FITS[name]()
    table = fit.shrinkage()
    if len(table) > 40:
        table = table.sort_values("estimate", kind="stable", ascending=False)
    ax = fit.plot.shrinkage(ax=Figure().subplots())
    assert isinstance(ax, Axes)
    y = np.arange(len(table))
    interval, joined = horizontal_lines(ax)
    np.testing.assert_allclose(interval, np.column_stack([y, table["lower"], table["upper"]]))
    np.testing.assert_allclose(joined, np.column_stack([y, table["raw"], table["estimate"]]))
    np.testing.assert_allclose(hollow_points(ax).get_offsets(), np.column_stack([table["raw"], y]))
    np.testing.assert_allclose(points(ax)[0], np.column_stack([table["estimate"], y]))


@pytest.mark.parametrize("name", FITS)
def test_grand_rate_is_dashed_and_named(name):
    fit = FITS[name]()
    table = fit.shrinkage()
    grand = np.average(table["raw"], weights=table["n"])
    ax = fit.plot.shrinkage()
    np.testing.assert_allclose(dashed(ax), [grand])
    text = f"grand mean {grand:.4g}" if name == "sleepstudy" else f"grand rate {grand:.1%}"
    (label,) = ax.texts
    assert label.get_text() == text
    assert label.xy[0] == pytest.approx(grand)


def test_area_shows_n():
    fit = made.variants()
    ax = fit.plot.shrinkage()
    areas, n = hollow_points(ax).get_sizes(), fit.shrinkage()["n"]
    assert areas[1] == areas[2] == areas[3] > areas[0]
    large = made.cbpp()
    areas, n = hollow_points(large.plot.shrinkage()).get_sizes(), large.shrinkage()["n"].to_numpy()
    np.testing.assert_allclose(areas, areas.max() * n / n.max())


def test_legend_names_the_markers_and_shows_sizes():
    ax = made.cbpp().plot.shrinkage(prob=0.8)
    texts = [text.get_text() for text in ax.get_legend().get_texts()]
    assert texts == ["raw rate", "pooled rate, 80% interval", "n = 26", "n = 61", "n = 96"]
    sizes = [handle.get_markersize() for handle in ax.get_legend().legend_handles[2:]]
    assert sizes == sorted(sizes)
    assert len(made.country().plot.shrinkage().get_legend().get_texts()) == 3


def test_raw_is_hollow_and_pooled_is_filled():
    ax = made.variants().plot.shrinkage()
    face, edge = hollow_points(ax).get_facecolors()[0], hollow_points(ax).get_edgecolors()[0]
    pooled = next(line for line in ax.lines if line.get_linestyle() == "None")
    np.testing.assert_allclose(face, ax.get_facecolor())
    assert tuple(edge) != tuple(face)
    assert pooled.get_markerfacecolor() == pooled.get_color()
    assert pooled.get_marker() == "D"


def test_few_levels_keep_their_order_and_many_are_sorted():
    ax = made.cbpp().plot.shrinkage()
    assert list(row_labels(ax).values()) == [str(herd) for herd in range(1, 16)]
    assert ax.get_ylabel() == "herd"
    names = made.many().shrinkage().sort_values("estimate", ascending=False).index
    ax = made.many().plot.shrinkage(ax=Figure().subplots())
    assert ax.get_ylabel() == "store (200 levels, sorted by pooled rate)"
    assert (np.diff(points(ax)[0][:, 0]) <= 0).all()
    assert all(names[int(place)] == text for place, text in row_labels(ax).items())
    columns = made.many().plot.shrinkage().figure.axes
    assert [text for ax in columns for text in row_labels(ax).values()] == list(names)


def test_interval_of_the_table_is_named():
    fit = made.variants()
    ax = plot_shrinkage(fit._posterior, fit.shrinkage(prob=0.5), prob=0.5)
    assert "50% interval" in ax.get_legend().get_texts()[1].get_text()
