from __future__ import annotations

import dataclasses

import made_up_fits as made
import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from reading_axes import dashed, horizontal_lines, plain, points, right_labels, row_labels

from hiermod.show.forest import DODGE, arrange, default_columns
from hiermod.show.style import COLOURS, MARKERS, probability_text, signed_percent


def inner_ends(answer):
    draws = answer.draws.transpose("chain", "draw", "row").to_numpy()
    return np.quantile(draws.reshape(-1, draws.shape[-1]), [0.25, 0.75], axis=0).T


def test_rates_stand_at_their_cells_with_both_intervals():
    fit = made.country()
    answer = fit.rates(by=["country", "treated"])
    ax = fit.plot.rates(by=["country", "treated"])
    assert isinstance(ax, Axes)
    control, control_inner, treated, treated_inner = horizontal_lines(ax)
    table = answer.table
    for place, (outer, inner) in enumerate([(control, control_inner), (treated, treated_inner)]):
        rows = table[table["treated"] == place]
        y = np.array([0.0, 1.0]) + (place - 0.5) * DODGE / 2
        np.testing.assert_allclose(outer, np.column_stack([y, rows["lower"], rows["upper"]]))
        np.testing.assert_allclose(inner, np.column_stack([y, inner_ends(answer)[rows.index]]))
        np.testing.assert_allclose(points(ax)[place], np.column_stack([rows["estimate"], y]))
    assert row_labels(ax) == {0.0: "Canada", 1.0: "China"}
    assert ax.get_ylabel() == "country"
    assert ax.yaxis_inverted()
    assert ax.get_xlabel() == "success rate (posterior mean, 50% and 95% intervals)"
    assert all(label.get_text().endswith("%") for label in ax.get_xticklabels())
    assert ax.get_title(loc="left") == "Success rate by country and treated"


def test_levels_of_the_last_variable_differ_by_colour_and_marker():
    ax = made.cbpp().plot.rates(by=["herd", "period"])
    drawn = [line for line in ax.lines if line.get_linestyle() == "None"]
    assert [to_hex(line.get_color()).upper() for line in drawn] == list(COLOURS[:4])
    assert [line.get_marker() for line in drawn] == list(MARKERS[:4])
    legend = ax.get_legend()
    assert [text.get_text() for text in legend.get_texts()] == [f"period = {level}" for level in "1234"]
    assert [handle.get_marker() for handle in legend.legend_handles] == list(MARKERS[:4])


def test_one_variable_needs_no_legend():
    ax = made.cbpp().plot.rates(by="period")
    assert ax.get_legend() is None
    assert row_labels(ax) == {0.0: "1", 1.0: "2", 2.0: "3", 3.0: "4"}
    assert len(horizontal_lines(ax)) == 2


def test_without_by_there_is_one_row():
    ax = made.country().rates().plot()
    assert row_labels(ax) == {0.0: "all"}
    assert ax.get_ylabel() == ""


def test_mean_of_another_response_is_no_percentage():
    ax = made.sleepstudy().plot.rates()
    assert ax.get_xlabel().startswith("mean Reaction (")
    assert not any("%" in label.get_text() for label in ax.get_xticklabels())


def test_narrow_intervals_have_no_thick_line_inside():
    ax = made.country().plot.rates(by="country", prob=0.5)
    assert len(horizontal_lines(ax)) == 1
    assert ax.get_xlabel() == "success rate (posterior mean, 50% interval)"


@pytest.mark.parametrize(
    ("groups", "ending"), [("typical", ", typical group"), ("new", ", new group"), ("observed", "")]
)
def test_title_says_whose_rate(groups, ending):
    ax = made.country().plot.rates(by="treated", groups=groups)
    assert ax.get_title(loc="left") == f"Success rate by treated{ending}"


def test_further_keys_share_a_label_and_leave_a_gap():
    keys = pd.DataFrame([(a, b, c) for a in "xy" for b in (1, 2) for c in (True, False)], columns=["a", "b", "c"])
    layout = arrange(keys)
    assert layout.labels == ("x · 1", "x · 2", "y · 1", "y · 2")
    np.testing.assert_allclose(np.diff(layout.centres), [1.0, 1.6, 1.0])
    assert layout.names == ("True", "False")
    np.testing.assert_array_equal(layout.series, [0, 1] * 4)
    assert layout.axis == "a · b"


def test_too_many_last_levels_are_rows():
    keys = pd.DataFrame([(a, b) for a in "xy" for b in range(8)], columns=["a", "b"])
    layout = arrange(keys)
    assert layout.names == ()
    assert len(set(layout.positions)) == 16
    assert layout.labels[9] == "y · 1"


def test_levels_that_look_alike_stay_apart():
    long = "x" * 60
    layout = arrange(pd.DataFrame({"a": [f"{long}1{long}", f"{long}2{long}", "a\nb", "a b"]}))
    np.testing.assert_array_equal(layout.positions, [0.0, 1.0, 2.0, 3.0])


def test_effect_has_its_null_and_its_probabilities():
    fit = made.country()
    table = fit.effect("treated", by="country").table
    ax = fit.plot.effect("treated", by="country")
    outer, _ = horizontal_lines(ax)
    np.testing.assert_allclose(outer, np.column_stack([[0.0, 1.0], table["lower"], table["upper"]]))
    assert dashed(ax) == [0.0]
    assert row_labels(ax) == {0.0: "Canada", 1.0: "China"}
    assert right_labels(ax) == {0.0: f"{table['prob_beats'][0]:.1%}", 1.0: f"{table['prob_beats'][1]:.1%}"}
    assert ax.get_title(loc="left") == "Effect of treated: 1 vs 0\nscale difference"
    assert "P(beats 0)" in [text.get_text() for text in ax.texts]
    assert ax.get_legend() is None


def test_heading_stands_above_the_name_of_the_probabilities():
    for ax in (made.country().plot.effect("treated"), made.cbpp().plot.effect("period", by="herd")):
        ax.figure.draw_without_rendering()
        (header,) = ax.texts
        above = ax.get_legend() or ax._left_title
        assert above.get_window_extent().y0 >= header.get_window_extent().y1
        assert header.get_window_extent().y0 >= ax.get_window_extent().y1


@pytest.mark.parametrize(
    ("scale", "null", "named"),
    [
        ("difference", 0.0, "difference in success rate, percentage points\n(posterior mean"),
        ("ratio", 1.0, "ratio of success rate (posterior median"),
        ("lift", 0.0, "lift of success rate (posterior median"),
        ("odds_ratio", 1.0, "odds ratio of success rate (posterior median"),
        ("link", 0.0, "difference on the logit scale (posterior mean"),
    ],
)
def test_null_and_name_of_each_scale(scale, null, named):
    fit = made.variants()
    ax = fit.plot.effect("variant", scale=scale)
    table = fit.effect("variant", scale=scale).table
    best_first = table.sort_values("estimate", ascending=False)["contrast"].tolist()
    assert dashed(ax) == [null]
    assert ax.get_xlabel().startswith(named)
    assert f"scale {scale.replace('_', ' ')}" in ax.get_title(loc="left")
    assert list(row_labels(ax).values()) == best_first


def test_several_contrasts_by_group_are_series():
    fit = made.cbpp()
    ax = fit.plot.effect("period", by="herd", control="2")
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["1 vs 2", "3 vs 2", "4 vs 2"]
    assert len(right_labels(ax)) == 45
    assert ax.get_title(loc="left") == "Effect of period: 3 levels vs 2\nscale difference"


def test_wide_ratios_are_on_a_log_axis_with_the_same_numbers():
    fit = made.variants()
    answer = fit.effect("variant", scale="odds_ratio")
    assert answer.table["upper"].max() / answer.table["lower"].min() > 4
    ax = answer.plot()
    assert ax.get_xscale() == "log"
    np.testing.assert_allclose(points(ax)[0][:, 0], answer.table["estimate"])
    narrow = answer.table.assign(lower=0.9, upper=1.2)
    assert dataclasses.replace(answer, table=narrow).plot().get_xscale() == "linear"


def test_infinite_and_missing_ends_do_not_break_the_picture():
    answer = made.variants().effect("variant", scale="ratio")
    table = answer.table.assign(upper=[np.inf, 2.0, 2.0], estimate=[1.0, np.nan, 1.0])
    ax = dataclasses.replace(answer, table=table).plot()
    ax.figure.canvas.draw()
    assert np.isfinite(ax.get_xlim()).all()


@pytest.mark.parametrize(
    ("kind", "named"), [("mean", "incidence rate"), ("link", "linear predictor"), ("response", "new response")]
)
def test_predictions_are_numbered_rows(kind, named):
    fit = made.cbpp()
    answer = fit.predict(kind=kind)
    ax = answer.plot()
    np.testing.assert_allclose(points(ax)[0], np.column_stack([answer.table["estimate"], np.arange(56)]))
    assert ax.get_ylabel() == "row"
    assert ax.get_xlabel().startswith(named)
    assert row_labels(ax)[0.0] == "0"


def test_levels_are_shown_as_they_are_written():
    fit = made.odd()
    ax = fit.plot.rates(by=["g$r$", "a$r$m"])
    shown = [plain(text) for text in row_labels(ax).values()]
    assert {"$x_1$", "<b>A</b>", "_hidden", "''", "new line", "\\$5 or $6"} <= set(shown)
    assert {"a very long le… goes on, one", "a very long le… goes on, two"} <= set(shown)
    legend = [plain(text.get_text()) for text in ax.get_legend().get_texts()]
    assert legend == ["a$r$m = $t_0$", "a$r$m = _t"]


def test_default_is_groups_and_predictors_with_few_levels():
    assert default_columns(made.country()._posterior.spec) == (["treated"], ["country"])
    assert default_columns(made.variants()._posterior.spec) == ([], ["variant"])
    assert default_columns(made.cbpp()._posterior.spec) == (["period"], ["herd"])
    assert default_columns(made.sleepstudy()._posterior.spec) == ([], ["Subject"])
    assert default_columns(made.counts()._posterior.spec) == (["k", "x"], ["g"])
    assert default_columns(made.many()._posterior.spec) == ([], ["store"])


def test_default_leaves_out_a_group_where_there_is_no_room():
    rng = np.random.default_rng(0)
    data = pd.DataFrame({"g": np.repeat(np.arange(80), 2), "arm": ["a", "b"] * 80, "y": rng.normal(size=160)})
    assert default_columns(made.made_up("y ~ arm + (1 | g)", data)._posterior.spec) == (["arm"], [])


def test_probabilities_and_changes_in_words():
    assert [probability_text(p) for p in (1.0, 0.9996, 0.9994, 0.5, 0.0)] == [
        ">99.9%",
        ">99.9%",
        "99.9%",
        "50.0%",
        "<0.1%",
    ]
    assert [signed_percent(value) for value in (0.1, 0.0, -0.25)] == ["+10%", "0%", "−25%"]
    assert signed_percent(0.3 - 0.1, "") == "+20"
