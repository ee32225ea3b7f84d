from __future__ import annotations

import arviz_stats as azs
import made_up_fits as made
import matplotlib.pyplot as plt
import numpy as np
import pytest
import xarray as xr
from matplotlib.axes import Axes

import hiermod as hm
from hiermod.errors import AnswerError

CHIEF = {
    "country": ["Intercept", "treated", "sd(1|country)", "sd(treated|country)", "cor(Intercept, treated|country)"],
    "variants": ["rate_mean", "rate_spread"],
    "cbpp": ["Intercept", "period[2]", "period[3]", "period[4]", "sd(1|herd)"],
    "sleepstudy": ["Intercept", "Days", "sd(1|Subject)", "sd(Days|Subject)", "cor(Intercept, Days|Subject)", "sigma"],
}


def names(axes):
    return [ax.get_title(loc="left") for ax in axes[:, 0]]


@pytest.mark.parametrize("name", CHIEF)
def test_chief_parameters_are_shown(name):
    axes = getattr(made, name)().plot.trace()
    assert axes.shape == (len(CHIEF[name]), 2)
    assert all(isinstance(ax, Axes) for ax in axes.flat)
    assert names(axes) == CHIEF[name]


def test_each_chain_has_its_density_and_its_trace():
    fit = made.sleepstudy()
    left, right = fit.plot.trace("Days")[0]
    values = fit.posterior["Days"].to_numpy()
    assert len(left.lines) == len(right.lines) == 4
    for chain in range(4):
        np.testing.assert_array_equal(right.lines[chain].get_ydata(), values[chain])
        grid, density = azs.kde(values[chain])[:2]
        np.testing.assert_allclose(left.lines[chain].get_xydata(), np.column_stack([grid, density]))
    assert len({line.get_color() for line in left.lines}) == len({line.get_linestyle() for line in left.lines}) == 4
    (legend,) = left.figure.legends
    assert [text.get_text() for text in legend.get_texts()] == [f"chain {number}" for number in (1, 2, 3, 4)]


def test_title_has_rhat_and_ess():
    fit = made.sleepstudy()
    values = fit.posterior["sigma"].to_numpy()
    tail = azs.ess(values, method="tail", prob=(0.05, 0.95))
    (title,) = [ax.get_title(loc="left") for ax in fit.plot.trace("sigma")[:, 1]]
    assert title == f"R-hat {azs.rhat(values):.3f}, ESS {azs.ess(values):,.0f} (tail {tail:,.0f})"


def test_parameters_can_be_named():
    fit = made.country()
    assert names(fit.plot.trace("1|country")) == ["1|country[Canada]", "1|country[China]"]
    assert names(fit.plot.trace(["1|country[China]", "treated"])) == ["1|country[China]", "treated"]
    assert names(fit.plot.trace(["sd(1|country)", "1|country_sigma"])) == ["sd(1|country)", "1|country_sigma"]
    assert names(made.variants().plot.trace("rate|variant")) == [f"rate|variant[{level}]" for level in "ABCD"]
    assert names(made.cbpp().plot.trace("period")) == ["period[2]", "period[3]", "period[4]"]


def test_named_element_is_that_level():
    fit = made.cbpp()
    (right,) = fit.plot.trace("1|herd[7]")[:, 1]
    place = list(fit.ranef()["herd"].index).index("7")
    np.testing.assert_array_equal(right.lines[0].get_ydata(), fit.posterior["1|herd"][0, :, place])


def test_unknown_names_are_refused_with_the_nearest():
    with pytest.raises(AnswerError, match="treated"):
        made.country().plot.trace("treatd")
    with pytest.raises(AnswerError, match="no parameter"):
        made.country().plot.trace("1|country[Chile]")
    with pytest.raises(AnswerError, match="empty"):
        made.country().plot.trace([])
    assert plt.get_fignums() == []


def test_too_many_are_cut_to_the_worst(monkeypatch):
    monkeypatch.setattr("hiermod.show.parameter_plots.MAX_PARAMETERS", 5)
    fit = made.many()
    axes = fit.plot.trace("1|store")
    assert axes.shape == (5, 2)
    assert axes[0, 0].figure.get_suptitle() == "5 of 200 parameters, those with the largest R-hat"
    rhats = azs.rhat(fit.posterior)["1|store"].to_numpy()
    worst = np.sort(np.argsort(rhats)[-5:])
    assert names(axes) == [f"1|store[store {place:03d}]" for place in worst]


def test_divergences_are_marked():
    diverging = np.zeros((4, 50), dtype=bool)
    diverging[1, 7] = diverging[2, 30] = True
    fit = made.made_up("successes/trials ~ (1 | variant)", hm.example("variants"), diverging=diverging)
    _, right = fit.plot.trace("Intercept")[0]
    np.testing.assert_array_equal(right.lines[-1].get_xdata(), [7, 30])


@pytest.mark.parametrize("shape", [(1, 40), (4, 1), (4, 3)])
def test_short_runs_are_drawn(shape):
    chains, draws = shape
    fit = made.made_up("successes/trials ~ (1 | variant)", hm.example("variants"), chains=chains, draws=draws)
    axes = fit.plot.trace()
    axes[0, 0].figure.canvas.draw()
    assert "R-hat unknown" in axes[0, 1].get_title(loc="left")
    assert len(axes[0, 0].figure.legends) == (chains > 1)


def test_a_chain_that_does_not_move_is_a_line():
    model = hm.model("successes/trials ~ (1 | variant)", hm.example("variants"))
    still = {"Intercept": np.full((2, 20), 0.3), "1|variant_sigma": np.ones((2, 20)), "1|variant": np.zeros((2, 20, 4))}
    dims = {name: ("chain", "draw", "level")[: values.ndim] for name, values in still.items()}
    fit = model.with_draws(xr.Dataset({name: (dims[name], values) for name, values in still.items()}))
    left, right = fit.plot.trace("Intercept")[0]
    left.figure.canvas.draw()
    assert list(left.lines[0].get_xdata()) == [0.3, 0.3]
    assert "unknown" in right.get_title(loc="left")
