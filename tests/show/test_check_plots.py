"""Pictures of checks, read back as data."""

import made_up_fits as fits
import numpy as np
import pandas as pd
import pytest
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from reading_axes import dashed, row_labels

import hiermod as hm
from hiermod.errors import AnswerError, ModelError


def heights(ax):
    return [bar.get_height() for bar in ax.patches]


def intervals(ax):
    """The ends of vertical error bars."""
    sets = [child for child in ax.collections if isinstance(child, LineCollection)]
    return np.array([(line[0, 1], line[1, 1]) for line in sets[0].get_segments()])


def test_bars_are_raw_rates_with_those_of_drawn_data():
    fit = fits.country()
    ax = fit.plot.ppc()
    data = hm.example("country").assign(success=lambda frame: frame["success"].astype(float))
    raw = data.groupby(["country", "treated"])["success"].mean()
    np.testing.assert_allclose(heights(ax), raw, rtol=1e-12)
    assert [tick.get_text() for tick in ax.get_xticklabels()] == ["Canada · 0", "Canada · 1", "China · 0", "China · 1"]
    table = fit.ppc("mean", by=["country", "treated"], draws=200)
    low, high = intervals(ax).T
    assert (low < high).all()
    np.testing.assert_allclose(low, table["lower"], atol=0.15)
    np.testing.assert_allclose(high, table["upper"], atol=0.15)
    assert ax.get_title(loc="left") == "Posterior predictive check"
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["your data", "200 drawn data sets"]


def test_bars_of_other_families_are_means():
    ax = fits.counts().plot.ppc("bars", by="k")
    frame = fits.counts().cells
    raw = frame.groupby("k")["total"].sum() / frame.groupby("k")["exposure"].sum()
    np.testing.assert_allclose(heights(ax), raw, rtol=1e-12)


def test_many_bars_lie_with_their_labels_upright():
    ax = fits.many(20).plot.ppc()
    table = fits.many(20).shrinkage()
    np.testing.assert_allclose([bar.get_width() for bar in ax.patches], table["raw"], rtol=1e-12)
    assert list(row_labels(ax).values()) == [str(level) for level in table.index]


def test_other_checks_by_a_column_have_panels():
    fit = fits.counts()
    ax = fit.plot.ppc(by="g")
    panels = [panel for panel in ax.figure.axes if panel.patches]
    assert [panel.get_title(loc="left") for panel in panels] == list("abcd")
    own = fit.cells[fit.cells["g"] == "a"]
    np.testing.assert_allclose((np.array(heights(ax)) ** 2).sum(), own["exposure"].sum())


def test_rootograms_show_square_roots_of_frequencies():
    fit = fits.counts()
    ax = fit.plot.ppc()
    counts = np.repeat(fit.cells["total"], fit.cells["exposure"])
    expected = np.sqrt(np.bincount(counts.to_numpy()))
    seen = np.array(heights(ax))
    np.testing.assert_allclose(seen[: len(expected)], expected, rtol=1e-12)
    assert not seen[len(expected) :].any()
    assert ax.get_ylabel() == "√ number of rows"


def test_rootograms_of_large_counts_have_wide_bars():
    data = pd.DataFrame({"y": [0, 50, 399, 1000] * 3})
    ax = fits.made_up("y ~ 1", data, family="poisson").plot.ppc("rootogram")
    assert len(heights(ax)) <= 41
    np.testing.assert_allclose((np.array(heights(ax)) ** 2).sum(), 12)


def test_densities_are_those_of_the_data_over_drawn_ones():
    ax = fits.sleepstudy().plot.ppc(draws=70)
    assert len(ax.lines) == 51
    data = ax.lines[-1]
    assert data.get_linewidth() == 2.0
    grid, density = data.get_data()
    assert np.sum(np.diff(grid) * (density[1:] + density[:-1]) / 2) == pytest.approx(1.0, abs=0.02)
    assert (grid.min(), grid.max()) == pytest.approx((194.3322, 466.3535), abs=1.0)


def test_a_statistic_is_a_line_in_a_histogram():
    fit = fits.counts()
    ax = fit.plot.ppc(stat="max")
    row = fit.ppc("max").iloc[0]
    assert ax.lines[0].get_xdata()[0] == row["observed"]
    assert ax.get_title(loc="left") == f"Posterior predictive check: p = {row['p']:.3f}"
    assert sum(heights(ax)) == 200
    assert ax.get_xlabel() == "max of y"


def test_prior_predictive_checks_say_so():
    model = hm.model("success ~ treated + (1 | country)", hm.example("country"))
    ax = model.sample_prior(100, seed=1).plot.ppc()
    assert ax.get_title(loc="left") == "Prior predictive check"


def test_what_priors_imply():
    prior = hm.model("success ~ treated + (1 | country)", hm.example("country")).sample_prior(500, seed=1)
    implied, ax = prior.implied(), prior.plot.implied()
    draws = implied.draws["success rate"]
    expected = np.histogram(draws, np.linspace(0, 1, 41), density=True)[0]
    np.testing.assert_allclose(heights(ax), expected, rtol=1e-9)
    thin, thick, middle = ax.lines
    np.testing.assert_allclose(thin.get_xdata(), np.quantile(draws, [0.025, 0.975]))
    np.testing.assert_allclose(thick.get_xdata(), np.quantile(draws, [0.25, 0.75]))
    np.testing.assert_allclose(middle.get_xdata(), np.quantile(draws, [0.5]))
    effect = prior.plot.implied("treated")
    assert dashed(effect) == [0.0]
    assert effect.get_xlabel() == "difference in success rate, percentage points"


def test_loo_pit_is_a_histogram_over_a_band():
    fit = fits.counts()
    ax = fit.plot.loo_pit(bins=5)
    *bars, band = ax.patches
    np.testing.assert_allclose(sum(bar.get_height() for bar in bars), 1.0)
    assert len(bars) == 5
    assert band.get_y() < 0.2 < band.get_y() + band.get_height()
    with pytest.raises(AnswerError, match="bins=1: a whole number from 2 to 100"):
        fit.plot.loo_pit(bins=1)


def test_calibration_shows_its_table():
    fit = fits.cbpp()
    table, ax = fit.calibration(), fit.plot.calibration()
    np.testing.assert_allclose(ax.lines[0].get_xdata(), table["predicted"])
    np.testing.assert_allclose(ax.lines[0].get_ydata(), table["observed"])
    assert ax.get_ylabel() == "observed incidence rate"


def test_outlying_groups_stand_between_lines_at_the_limit():
    fit = fits.many(20)
    found, ax = fit.outlying(), fit.plot.outlying()
    assert dashed(ax) == [-found.limit, found.limit]
    (points,) = [line.get_xdata() for line in ax.lines if line.get_linestyle() == "None"]
    np.testing.assert_allclose(points, np.sort(found.effects["estimate"])[::-1])
    shown = ax.get_title(loc="left")
    assert shown.startswith("Outlying: " if found.groups else "No store stands out")


def test_prior_and_posterior_densities_stand_together():
    fit = fits.country()
    axes = fit.plot.prior_posterior(["treated", "1|country"])
    titles = [ax.get_title(loc="left") for ax in axes]
    assert titles == ["treated", "1|country[Canada]", "1|country[China]"]
    for ax in axes:
        before, after = ax.lines
        assert np.ptp(before.get_xdata()) > np.ptp(after.get_xdata())
    with pytest.raises(ModelError, match="pooling='beta' has the improper"):
        fits.variants().plot.prior_posterior()


@pytest.mark.parametrize("make", [fits.odd, fits.variants, fits.cbpp, fits.sleepstudy, fits.counts])
def test_every_picture_draws_for_every_family(make):
    fit = make()
    for ax in (fit.plot.ppc(), fit.plot.ppc(stat="mean"), fit.plot.outlying()):
        ax.figure.draw_without_rendering()


def test_refusals_of_pictures():
    with pytest.raises(
        AnswerError, match="kind='rootogram' shows how often each count occurs; family bernoulli has none"
    ):
        fits.country().plot.ppc("rootogram")
    with pytest.raises(
        AnswerError, match=r"kind='density' is for real responses, not for family poisson. Say kind='rootogram'"
    ):
        fits.counts().plot.ppc("density")
    with pytest.raises(AnswerError, match=r"kind='bar'. Did you mean 'bars'"):
        fits.country().plot.ppc("bar")
    with pytest.raises(AnswerError, match="stat= is a picture of its own"):
        fits.country().plot.ppc("bars", stat="mean")
    with pytest.raises(AnswerError, match="a panel for each combination, and takes no ax="):
        fits.counts().plot.ppc(by="k", ax=Figure().subplots())
    with pytest.raises(AnswerError, match="18 combinations, and 12 panels at most can be read"):
        fits.sleepstudy().plot.ppc(by="Subject")
    with pytest.raises(AnswerError, match="shows one statistic"):
        fits.counts().plot.ppc(stat=["mean", "max"])
