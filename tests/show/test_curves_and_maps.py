"""Curves over numbers, heat maps, ridges, caterpillars and compared models, read back as data."""

from __future__ import annotations

from functools import cache

import made_up_fits as made
import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from reading_axes import horizontal_lines, points, right_labels, row_labels

import hiermod as hm
from hiermod.answers.answer import decimals
from hiermod.answers.averaging.numbers import even_steps, round_steps
from hiermod.errors import AnswerError
from hiermod.show.style import COLOURS


@cache
def ages():
    rng = np.random.default_rng(3)
    frame = pd.DataFrame({"age": rng.normal(45.0, 12.345, 300), "arm": np.tile(["A", "B", "placebo"], 100)})
    frame["site"] = [f"site {place % 9}" for place in range(300)]
    frame["days"] = rng.integers(1, 30, 300)
    frame["y"] = rng.random(300) < 0.3
    frame["falls"] = rng.poisson(0.2 * frame["days"])
    return frame


@cache
def rates_by_age():
    return made.made_up("y ~ age * arm + (1 | site)", ages())


@cache
def falls():
    return made.made_up("falls ~ age + offset(log(days)) + (1 | site)", ages(), family="poisson")


def test_a_number_has_round_steps_and_its_ends():
    values = round_steps(np.linspace(18.317, 74.12, 400))
    np.testing.assert_allclose(values, [18.5, *np.arange(20, 75, 5), 74.0])
    np.testing.assert_array_equal(round_steps(np.array([3.0, 1.0, 2.0, 2.0])), [1.0, 2.0, 3.0])
    years = round_steps(np.arange(1900.0, 2000.0))
    assert (years == np.round(years)).all()
    assert (years[0], years[-1]) == (1900.0, 1999.0)


@pytest.mark.parametrize("scale", [1e-9, 1e-3, 1.0, 1e4, 1e12])
@pytest.mark.parametrize("shift", [-1.0, 0.0, 2.0])
def test_steps_lie_in_the_range_at_every_scale(scale, shift):
    numbers = scale * (np.random.default_rng(1).normal(size=500) + shift)
    values = round_steps(numbers)
    assert 10 <= len(values) <= 25
    assert (np.diff(values) > 0).all()
    assert numbers.min() <= values[0] <= values[-1] <= numbers.max()


def test_a_few_numbers_far_away_do_not_stretch_a_grid():
    numbers = np.r_[np.linspace(0.0, 1.0, 1000), 1e6]
    assert round_steps(numbers)[-1] <= 1.0
    assert len(even_steps(numbers, 30)) == 30


def test_grids_are_taken_wherever_values_are():
    fit = rates_by_age()
    assert len(fit.rates(hm.grid("age", 30)).table) == 30
    assert len(fit.rates(["arm", hm.grid("age", 7)]).table) == 21
    table = fit.effect("arm", at=hm.grid("age", 7)).table
    assert len(table) == len(fit.effect("arm", at={"age": hm.grid("age", 7)}).table) == 14
    assert fit.interaction("arm", {"age": hm.grid("age", 3)}).table["between"].nunique() == 2
    with pytest.raises(AnswerError, match="'arm' holds levels, which need no grid"):
        fit.rates(hm.grid("arm"))
    with pytest.raises(AnswerError, match="stands for values of 'age': they are two columns"):
        fit.effect("arm", at={"age": hm.grid("height")})
    with pytest.raises(AnswerError, match=r"hm.grid\(points=1\): a whole number from 2 to 1,000"):
        hm.grid("age", 1)
    with pytest.raises(AnswerError, match="has no values of its own"):
        list(hm.grid("age"))


def test_numbers_are_refused_as_cells_with_values_that_can_be_asked_for():
    fit = rates_by_age()
    with pytest.raises(AnswerError, match=r"A curve over it is fit.rates\('age'\)") as caught:
        fit.rates(by="age")
    values = np.quantile(ages()["age"], [0.25, 0.5, 0.75])
    assert f"{{'age': [{', '.join(f'{value:.3g}' for value in values)}]}}" in str(caught.value)


def test_a_curve_has_a_line_ribbons_dots_and_a_rug():
    fit = rates_by_age()
    answer = fit.rates("age")
    ax = answer.plot()
    line, rug = ax.lines
    np.testing.assert_allclose(line.get_xydata(), answer.table[["age", "estimate"]])
    outer, inner, dots = ax.collections
    low, high = outer.get_paths()[0].vertices[:, 1].min(), outer.get_paths()[0].vertices[:, 1].max()
    assert (low, high) == pytest.approx((answer.table["lower"].min(), answer.table["upper"].max()))
    assert inner.get_paths()[0].vertices[:, 1].max() < high
    data = ages()
    assert set(rug.get_xdata()) <= set(data["age"])
    assert len(rug.get_xdata()) == 200
    seen = answer.curve.observed
    np.testing.assert_allclose(dots.get_offsets(), seen[["age", "raw"]])
    assert seen["size"].sum() == len(data)
    assert (seen["size"] @ seen["raw"]) == pytest.approx(data["y"].sum())
    assert (seen["size"] @ seen["age"]) == pytest.approx(data["age"].sum())
    assert ax.get_xlabel() == "age  (posterior mean, 50% and 95% intervals)"
    assert ax.get_ylabel() == "y rate"


def test_curves_of_arms_have_the_dots_of_their_own_rows():
    fit = rates_by_age()
    answer = fit.rates(["age", "arm"])
    seen = answer.curve.observed
    for arm, own in seen.groupby("arm"):
        rows = ages()[ages()["arm"] == arm]
        assert (own["size"].sum(), own["size"] @ own["raw"]) == pytest.approx((len(rows), rows["y"].sum()))
    ax = answer.plot()
    names = [text.get_text() for text in ax.get_legend().get_texts()]
    assert names == ["arm = A", "arm = B", "arm = placebo", "raw average of a bin"]
    dots = [child for child in ax.collections if len(child.get_offsets()) > 1]
    assert [to_hex(child.get_edgecolors()[0]).upper() for child in dots] == list(COLOURS[:3])


def test_curves_of_effects_and_slopes_have_no_dots():
    fit = rates_by_age()
    effect = fit.plot.effect("arm", at=hm.grid("age"))
    assert effect.get_ylabel() == "difference in y rate, percentage points"
    assert [text.get_text() for text in effect.get_legend().get_texts()] == ["B vs A", "placebo vs A"]
    slope = fit.plot.slopes("age", at=hm.grid("age", 9))
    assert slope.get_ylabel() == "change of y rate per unit of age"
    assert len(slope.lines[0].get_xdata()) == 9
    assert fit.rates("age", groups="typical").curve.observed.empty
    assert fit.rates("age", data=ages().head(20)).curve.observed.empty


def test_many_curves_are_lines_alone():
    ax = rates_by_age().plot.rates("age", by="site")
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["each site (9)"]
    assert len(ax.collections) == 0


def test_few_numbers_and_other_answers_are_no_curves():
    fit = rates_by_age()
    assert fit.rates({"age": [20, 40, 60]}).curve is None
    assert fit.rates("arm").curve is None
    with pytest.raises(AnswerError, match="kind='curve' needs an answer over a number"):
        fit.rates("arm").plot("curve")
    with pytest.raises(AnswerError, match=r"kind='lines'"):
        fit.rates("arm").plot("lines")


def test_rates_by_exposure_say_of_what():
    fit = falls()
    assert fit.plot.rates(by="site").get_xlabel().startswith("falls per days (")
    assert fit.plot.rates("age", per=1000).get_ylabel() == "falls per 1,000 days"
    assert fit.effect("site", per=1000).question.measure.name == "falls per 1,000 days"
    assert fit.predict_cells().question.measure.name == "mean falls"
    seen = fit.rates("age", per=1000).curve.observed
    assert (seen["size"] @ seen["raw"]) == pytest.approx(1000.0 * ages()["falls"].sum())
    assert seen["size"].sum() == pytest.approx(ages()["days"].sum())


def test_another_level_that_is_called_a_control_is_remarked(capsys):
    fit = rates_by_age()
    fit.effect("arm")
    assert (
        "levels are compared with 'A', the first one, not with 'placebo': control='placebo'" in capsys.readouterr().err
    )
    fit.effect("arm", control="placebo")
    fit.effect("arm", control="A")
    assert "placebo" not in capsys.readouterr().err


def test_named_groups_are_sorted_by_their_estimates():
    fit = rates_by_age()
    table = fit.rates(by="site").table.sort_values("estimate", ascending=False)
    assert list(row_labels(fit.plot.rates(by="site")).values()) == list(table["site"])
    kept = fit.plot.rates(by="site", sort="level")
    assert list(row_labels(kept).values()) == [f"site {place}" for place in range(9)]
    (points_of,) = points(fit.plot.rates(by="site"))
    np.testing.assert_allclose(points_of[:, 0], fit.rates(by="site").table["estimate"])
    with pytest.raises(AnswerError, match="sort='size'"):
        fit.plot.rates(by="site", sort="size")


def test_hundreds_of_groups_stand_in_columns_with_every_label():
    fit = made.many(230)
    table = fit.rates(by="store").table.sort_values("estimate", ascending=False)
    shown = []
    for page in (1, 2):
        axes = fit.plot.rates(by="store", page=page).figure.axes
        shown += [label for ax in axes for label in row_labels(ax).values()]
    assert shown == list(table["store"])
    with pytest.raises(AnswerError, match="page=3: the picture has 2 pages"):
        fit.plot.rates(by="store", page=3)
    with pytest.raises(AnswerError, match="page=2: the picture has one page"):
        fit.plot.rates(by="store", page=2, ax=Figure().subplots())


def test_probabilities_stand_beside_all_rows_or_none():
    fit = made.many(55)
    ax = fit.plot.effect("store")
    assert len(right_labels(ax)) == 54
    crowded = fit.plot.effect("store", ax=Figure(figsize=(4, 3)).subplots())
    assert right_labels(crowded) == {}
    assert not crowded.texts


def test_heat_maps_show_the_table_with_all_numbers_or_none():
    fit = rates_by_age()
    table = fit.prob_beats("arm", by="site", control="placebo")
    ax = fit.plot.prob_beats("arm", by="site", control="placebo")
    np.testing.assert_allclose(ax.collections[0].get_array(), table)
    assert ax.get_title(loc="left") == "P(beats placebo)"
    assert [text.get_text() for text in ax.texts][:2] == [f"{value:.0%}" for value in table.iloc[0]]
    assert [tick.get_text() for tick in ax.get_xticklabels()] == ["A", "B"]
    many = made.many(80).plot.pairwise("store", ax=Figure(figsize=(5, 5)).subplots())
    assert not many.texts
    best = fit.best("arm", by="site")["prob_best"]
    ax = fit.plot.best("arm", by="site")
    np.testing.assert_allclose(ax.collections[0].get_array(), best.to_numpy().reshape(9, 3))
    assert ax.get_xlabel() == "arm"


def test_ridges_stand_by_the_grand_rate():
    fit = rates_by_age()
    ax = fit.plot.ridges(by="site")
    (label,) = ax.texts
    assert label.get_text() == f"grand rate {ages()['y'].mean():.1%}"
    table = fit.rates(by="site").table.sort_values("estimate", ascending=False)
    assert list(row_labels(ax).values()) == list(table["site"])
    with pytest.raises(AnswerError, match="shows 60 rows at most, and there are 200"):
        made.many().plot.ridges(by="store")


def test_a_caterpillar_is_the_sorted_table_of_ranef():
    fit = rates_by_age()
    table = fit.ranef().table.sort_values("estimate", ascending=False)
    ax = fit.plot.ranef()
    outer, _ = horizontal_lines(ax)
    np.testing.assert_allclose(outer[:, 1:], table[["lower", "upper"]])
    assert list(row_labels(ax).values()) == list(table["level"])
    with pytest.raises(AnswerError, match="term='slope': there is no such varying term of site"):
        fit.plot.ranef(term="slope")
    with pytest.raises(AnswerError, match="group='store'"):
        fit.plot.ranef("store")


def test_pairs_show_divergent_draws_on_top():
    diverging = np.zeros((4, 50), dtype=bool)
    diverging[1, 7] = True
    fit = made.made_up("success ~ treated", hm.example("country"), diverging=diverging)
    axes = fit.plot.pairs()
    _, marked = axes[1, 0].lines
    draws = fit.posterior
    expected = [float(draws[name].to_numpy().ravel()[57]) for name in ("Intercept", "treated")]
    np.testing.assert_allclose(marked.get_xydata(), [expected])
    with pytest.raises(AnswerError, match="pairs of 9 parameters: 6 at most"):
        rates_by_age().plot.pairs("1|site")


def test_compared_models_stand_at_their_differences(country_fit):
    found = hm.compare({"effect": country_fit, "same": country_fit}, progress=False)
    ax = found.plot()
    np.testing.assert_allclose(points(ax)[0][:, 0], found.table["elpd_diff"])
    assert list(row_labels(ax).values()) == list(found.table.index)


@pytest.mark.parametrize("style", ["default", "dark_background"])
def test_what_carries_data_stands_out_from_the_page(style):
    import matplotlib.pyplot as plt
    from matplotlib.colors import to_rgb

    with plt.style.context(style):
        ground = luminance(to_rgb(plt.rcParams["axes.facecolor"]))
    for colour in COLOURS:
        own = luminance(to_rgb(colour))
        contrast = (max(own, ground) + 0.05) / (min(own, ground) + 0.05)
        assert contrast > (3.0 if style == "dark_background" else 2.2), colour


def luminance(colour):
    linear = [value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in colour]
    return float(np.dot([0.2126, 0.7152, 0.0722], linear))


def test_answers_keep_their_digits():
    assert decimals(rates_by_age().rates("arm"))["estimate"] >= 1


def test_averages_of_censored_times_are_not_shown():
    frame = ages().assign(time=np.arange(1.0, 301.0), event=np.arange(300) % 2)
    fit = hm.fit("Surv(time, event) ~ age + (1 | site)", frame, "weibull", seed=1, draws=50, chains=2, progress=False)
    answer = fit.rates("age")
    assert answer.curve.observed.empty
    assert len(answer.curve.rug) == 200
    assert fit.rates(by="site").grand is None
