"""What holds of every picture: where it is drawn, how text is read, and that nothing overlaps."""

from __future__ import annotations

import made_up_fits as made
import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.cbook import is_math_text
from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.transforms import Bbox

from hiermod.show.style import RowLocator, level_text, literal, shorten

PICTURES = {
    "rates, country": lambda **ax: made.country().plot.rates(**ax),
    "rates, one row": lambda **ax: made.country().plot.rates(by=[], **ax),
    "rates, variants": lambda **ax: made.variants().plot.rates(**ax),
    "rates, cbpp": lambda **ax: made.cbpp().plot.rates(**ax),
    "rates, three variables": lambda **ax: made.counts().plot.rates(**ax),
    "rates, 200 levels": lambda **ax: made.many().plot.rates(**ax),
    "rates, odd levels": lambda **ax: made.odd().plot.rates(**ax),
    "effect, country": lambda **ax: made.country().plot.effect("treated", by="country", **ax),
    "effect, one row": lambda **ax: made.country().plot.effect("treated", **ax),
    "effect, cbpp": lambda **ax: made.cbpp().plot.effect("period", by="herd", scale="ratio", **ax),
    "effect, 200 levels": lambda **ax: made.many().plot.effect("store", **ax),
    "effect, odd levels": lambda **ax: made.odd().plot.effect("g$r$", by="a$r$m", **ax),
    "shrinkage, country": lambda **ax: made.country().plot.shrinkage(**ax),
    "shrinkage, variants": lambda **ax: made.variants().plot.shrinkage(**ax),
    "shrinkage, cbpp": lambda **ax: made.cbpp().plot.shrinkage(**ax),
    "shrinkage, 200 levels": lambda **ax: made.many().plot.shrinkage(**ax),
    "shrinkage, odd levels": lambda **ax: made.odd().plot.shrinkage(**ax),
    "predictions": lambda **ax: made.sleepstudy().predict_cells().plot(**ax),
}


def drawn_texts(ax):
    """Each text that can be seen, once, with its extent."""
    ax.figure.draw_without_rendering()
    low, high = sorted(ax.get_ylim())
    texts = [ax.title, ax._left_title, ax.xaxis.label, ax.yaxis.label, *ax.texts]
    for axes in (ax, *ax.child_axes):
        for tick in axes.yaxis.get_major_ticks():
            assert low <= tick.get_loc() <= high
            texts.extend(label for label in (tick.label1, tick.label2) if label.get_visible())
    texts.extend(ax.get_xticklabels())
    if ax.get_legend():
        texts.extend(ax.get_legend().get_texts())
    return {text: text.get_window_extent() for text in texts if text.get_text().strip()}


@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_is_one_new_figure_in_which_nothing_overlaps(name):
    ax = PICTURES[name]()
    assert [plt.figure(number) for number in plt.get_fignums()] == [ax.figure]
    extents = [(text, box) for text, box in drawn_texts(ax).items() if not out_of_view(ax, text)]
    page = ax.figure.bbox.padded(1.0)
    for place, (text, box) in enumerate(extents):
        assert page.x0 <= box.x0 <= box.x1 <= page.x1, text
        assert page.y0 <= box.y0 <= box.y1 <= page.y1, text
        for other, its in extents[:place]:
            shared = Bbox.intersection(box, its)
            assert shared is None or min(shared.width, shared.height) < 1.0, (text, other)
    if ax.get_legend():
        assert ax.get_legend().get_window_extent().y0 >= ax.get_window_extent().y1


def out_of_view(ax, text):
    left, right = ax.get_xlim()
    return text in ax.get_xticklabels() and not left <= text.get_position()[0] <= right


@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_is_drawn_into_given_axes_without_pyplot(name):
    figure = Figure(figsize=(6, 5), layout="constrained")
    _, ax = figure.subplots(1, 2)
    assert PICTURES[name](ax=ax) is ax
    figure.draw_without_rendering()
    assert plt.get_fignums() == []


def test_figures_grow_with_their_rows_up_to_a_page():
    heights = [
        PICTURES[name]().figure.get_figheight() for name in ("rates, variants", "rates, 200 levels", "rates, cbpp")
    ]
    assert heights == sorted(heights)
    assert 2.0 < heights[0] < 4.0
    assert heights[-1] <= 16.0


@pytest.mark.parametrize("name", [name for name in PICTURES if "odd" in name])
def test_no_level_is_read_as_a_formula(name):
    ax = PICTURES[name]()
    ax.figure.draw_without_rendering()
    texts = [text for text in ax.findobj(Text) if text.get_text()]
    assert any("$" in text.get_text() for text in texts)
    assert not [text.get_text() for text in texts if is_math_text(text.get_text())]


def test_no_name_in_a_trace_is_read_as_a_formula():
    axes = made.odd().plot.trace(["a$r$m", "1|g$r$"])
    axes[0, 0].figure.draw_without_rendering()
    titles = [ax.get_title(loc="left") for ax in axes[:, 0]]
    assert not any(is_math_text(title) for title in titles)
    assert titles[0] == r"a\$r\$m[_t]"


@pytest.mark.parametrize("text", ["$x_1$", "a $ b", r"\$5 or $6", r"\\$", "$$"])
def test_dollars_are_shown_as_written(text):
    shown = Text(0, 0, literal(text))._preprocess_math(literal(text))
    assert shown == (text, False)


def test_long_names_are_cut_where_they_differ():
    same = "x" * 40
    assert shorten(["short", f"{same}1", f"{same}2"]) == ["short", f"{'x' * 14}…{'x' * 12}1", f"{'x' * 14}…{'x' * 12}2"]
    assert shorten([f"1{same}", f"2{same}"]) == [f"1{'x' * 26}…", f"2{'x' * 26}…"]
    assert shorten(["y" * 28, "y" * 29]) == ["y" * 28, f"{'y' * 27}…"]


def test_levels_stand_on_one_line():
    assert [level_text(level) for level in ("a\n b", "", 1.0, 0.1, True, 20240101.0)] == [
        "a b", "''", "1", "0.1", "True", "20240101",
    ]  # fmt: skip


def test_labels_return_when_a_part_is_looked_at_closely():
    ax = made.many().plot.rates()
    ax.figure.draw_without_rendering()
    assert len(ax.yaxis.get_majorticklocs()) < 100
    ax.set_ylim(20.5, 9.5)
    np.testing.assert_array_equal(ax.yaxis.get_majorticklocs(), np.arange(10, 21))


def test_every_kth_row_is_labelled():
    ax = Figure(figsize=(4, 4)).add_subplot()
    ax.set_ylim(100, -1)
    ticks = RowLocator(ax.yaxis, np.arange(100), points=13.0)()
    steps = np.diff(ticks)
    assert ticks[0] == 0
    assert (steps == steps[0]).all()
    assert steps[0] * 4 * 72 * 0.77 / 101 >= 13.0 > (steps[0] - 1) * 4 * 72 * 0.77 / 101


def test_a_dark_background_keeps_its_lines():
    with plt.style.context("dark_background"):
        ax = made.variants().plot.shrinkage()
        grand = next(line for line in ax.lines if line.get_linestyle() == "--")
        assert grand.get_color() == "white"
        ax.figure.canvas.draw()
