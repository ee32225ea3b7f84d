"""Known standard errors and weights of precision, against quadrature, closed forms and the rows uncompressed."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import hiermod as hm
from hiermod.errors import DataError, FormulaError, ModelError
from tests.engine.engine_oracle import assert_same_density, oracle_of
from tests.modeling.modeling_tools import spec_of
from tests.truth import effective_size

MEAN_SD, SPREAD_SD = 20.0, 15.0  # of the normal prior of the mean, the half-normal one of the spread
PRIORS = {"Intercept": f"Normal(0, {MEAN_SD:g})", "sd": f"HalfNormal({SPREAD_SD:g})"}
FORMULAS = (
    "y | se(s) ~ a + (1 + a | g)",
    "y | se(s, sigma = TRUE) ~ a + (1 | g)",
    'y | weights(w, type = "precision") ~ a + (1 | g)',
    "y | weights(k) + se(s) ~ a + (1 | g)",
    "y | se(s, sigma = TRUE) ~ a + (1 | g); sigma ~ a",
)


def measurements(rows=120):
    rng = np.random.default_rng(4)
    frame = pd.DataFrame({
        "s": rng.choice([0.3, 0.5, 0.9], rows), "w": rng.integers(1, 5, rows) / 2, "k": rng.integers(1, 4, rows),
        "g": rng.choice(list("pqrstu"), rows), "a": rng.integers(0, 2, rows),
    })  # fmt: skip
    return frame.assign(y=1e3 + rng.normal(frame["a"], frame["s"]))


@pytest.fixture(scope="module")
def schools():
    return hm.example("eight_schools")


@pytest.fixture(scope="module")
def school_fit(schools):
    return hm.fit("effect | se(se) ~ 1 + (1 | school)", schools, priors=PRIORS, seed=3, draws=2000, progress=False)


@pytest.fixture(scope="module")
def exact(schools):
    """Posterior means and standard deviations by quadrature over the spread of effects, all else being normal."""
    y, s = schools["effect"].to_numpy(float), schools["se"].to_numpy(float)
    spread = np.linspace(1e-3, 90.0, 6000)
    variance = s**2 + spread[:, None] ** 2
    precision = (1.0 / variance).sum(axis=1) + MEAN_SD**-2
    mean = (y / variance).sum(axis=1) / precision
    log = stats.norm.logpdf(spread, 0.0, SPREAD_SD) - 0.5 * np.log(variance).sum(axis=1) - 0.5 * np.log(precision)
    log += 0.5 * mean**2 * precision - 0.5 * (y**2 / variance).sum(axis=1)
    weight = np.exp(log - log.max())
    weight /= weight.sum()
    share = spread[:, None] ** 2 / variance  # of a school's own deviation from the mean
    first = mean[:, None] + share * (y - mean[:, None])
    second = (1.0 - share) ** 2 / precision[:, None] + share * s**2

    def moments(values, inner):
        centre = weight @ values
        return centre, np.sqrt(weight @ (inner + (values - centre) ** 2))

    found = {"Intercept": moments(mean, 1.0 / precision), "1|school_sigma": moments(spread, 0.0)}
    return found | {school: moments(first[:, k], second[:, k]) for k, school in enumerate(schools["school"])}


def test_eight_schools_are_those_of_quadrature(school_fit, exact):
    draws = {name: school_fit.posterior[name].to_numpy() for name in ("Intercept", "1|school_sigma")}
    effects = school_fit.posterior["1|school"].to_numpy() + draws["Intercept"][..., None]
    draws |= {school: effects[..., k] for k, school in enumerate("ABCDEFGH")}
    for name, (mean, sd) in exact.items():
        error = sd / np.sqrt(effective_size(draws[name]))
        assert draws[name].mean() == pytest.approx(mean, abs=4.5 * error), name
        assert draws[name].std() == pytest.approx(sd, rel=0.06), name


def test_a_new_school_has_the_spread_of_schools(school_fit, exact):
    """A new effect's variance is that of the mean and the mean square of the spread."""
    answer = school_fit.rates(groups="new").table.iloc[0]
    mean, (spread, sd) = exact["Intercept"], exact["1|school_sigma"]
    reach = 1.96 * np.sqrt(mean[1] ** 2 + spread**2 + sd**2)
    assert answer["estimate"] == pytest.approx(mean[0], abs=0.6)
    assert (answer["upper"] - answer["lower"]) / 2.0 == pytest.approx(reach, rel=0.15)
    new = school_fit.predict(pd.DataFrame({"se": [30.0]}), groups="new", kind="response").table.iloc[0]
    assert (new["upper"] - new["lower"]) / 2.0 == pytest.approx(np.hypot(reach, 1.96 * 30.0), rel=0.12)


def test_raw_and_pooled_effects_stand_side_by_side(school_fit, schools):
    table = school_fit.shrinkage()
    np.testing.assert_allclose(table["raw"], schools["effect"])
    np.testing.assert_allclose(table["se"], schools["se"])
    lines = school_fit.plot.shrinkage().collections
    reach = [line.get_segments() for line in lines if hasattr(line, "get_segments")][-1]
    np.testing.assert_allclose([end[1, 0] - end[0, 0] for end in reach], 2.0 * 1.959964 * schools["se"], rtol=1e-6)


def test_left_out_schools_have_the_closed_form(school_fit, schools):
    """One school a group: leaving out its row is leaving out its group, whose density given the others is normal."""
    mean, sigma = (school_fit.posterior[name].to_numpy() for name in ("Intercept", "1|school_sigma"))
    found = school_fit.logo().pointwise["elpd"].to_numpy()
    inside = [
        stats.norm.logpdf(y, mean, np.hypot(sigma, s)) for y, s in zip(schools["effect"], schools["se"], strict=True)
    ]
    weighed = [-np.log(np.mean(np.exp(-density))) for density in inside]
    np.testing.assert_allclose(found, weighed, atol=0.05)


@pytest.mark.parametrize("text", FORMULAS)
def test_the_engine_has_the_public_density(text):
    oracle = oracle_of(spec_of(text, measurements()))
    points = np.random.default_rng(1).normal(0.0, 0.7, (4, oracle.program.problem.dimension))
    assert_same_density(oracle, points)


@pytest.mark.parametrize("text", FORMULAS)
def test_cells_are_their_rows_but_for_a_constant(text):
    cells, rows = (oracle_of(spec_of(text, measurements(), compress=each)).program for each in (True, False))
    assert len(rows.problem.spec.cells) == 120
    points = np.random.default_rng(1).normal(0.0, 0.7, (5, cells.problem.dimension))
    values = np.array([[program.log_density(z)[0] for z in points] for program in (cells, rows)])
    assert np.ptp(values[0] - values[1]) <= 1e-9 * np.abs(values).max()


def test_sums_by_precision_are_all_that_known_errors_need():
    assert len(spec_of(FORMULAS[0], measurements()).cells) == 12
    assert len(spec_of(FORMULAS[2], measurements()).cells) == 12


def test_one_row_a_group_tells_the_sum_of_variances_alone(schools):
    model = hm.model("effect | se(se, sigma = TRUE) ~ 1 + (1 | school)", schools)
    assert any("priors alone tell their spread from sigma" in notice for notice in model.notices)


def test_errors_that_are_none_are_refused_by_name_and_row(schools):
    with pytest.raises(DataError, match=r"Standard errors are above 0; 'se' is -1 in 1 row \(row 2"):
        hm.model("effect | se(se) ~ 1", schools.assign(se=[15.0, 10, -1, 11, 9, 11, 10, 18]))
    with pytest.raises(DataError, match="'se' is 0 in 8 rows"):
        hm.model("effect | se(se) ~ 1", schools.assign(se=0.0))
    with pytest.raises(DataError, match="Weights of precision are above 0"):
        hm.model('effect | weights(se, type = "precision") ~ 1', schools.assign(se=-1.0))
    with pytest.raises(ModelError, match="is of the family gaussian, and this one is student"):
        hm.model("effect | se(se) ~ 1", schools, "student")
    with pytest.raises(FormulaError, match="Standard errors are a column"):
        hm.model("effect | se(3) ~ 1", schools)
    with pytest.raises(ModelError, match="sigma is one number, which weights scale"):
        hm.model('effect | weights(se, type = "precision") ~ 1; sigma ~ school', schools)


def test_formulas_are_spelled_as_brms_and_lme4_do():
    assert hm.translate("y | se(s, TRUE) ~ x", "brms") == "y | se(s, sigma = TRUE) ~ x"
    assert hm.translate('y | weights(w, type = "precision") ~ x', "lme4") == "y ~ x, weights = w"
    for text, to in (("y | se(s) ~ x", "lme4"), ('y | weights(w, type = "precision") ~ x', "brms")):
        with pytest.raises(FormulaError, match=f"{to}'s formulas have no"):
            hm.translate(text, to)


def test_stored_fits_know_their_errors(school_fit, tmp_path):
    school_fit.save(tmp_path / "schools.nc")
    again = hm.load(tmp_path / "schools.nc")
    pd.testing.assert_frame_equal(again.shrinkage(), school_fit.shrinkage())
    assert again.loo().elpd == pytest.approx(school_fit.loo().elpd)


def test_precision_weights_are_lmer_s():
    """Without groups and with wide priors, least squares by weights."""
    data = measurements()
    priors = {"Intercept": "Normal(1000, 1e4)", "a": "Normal(0, 1e4)", "sigma": "HalfNormal(1e3)"}
    fit = hm.fit('y | weights(w, type = "precision") ~ a', data, priors=priors, seed=1, progress=False)
    design = np.column_stack([np.ones(len(data)), data["a"]]) * np.sqrt(data["w"].to_numpy())[:, None]
    expected = np.linalg.lstsq(design, data["y"] * np.sqrt(data["w"]), rcond=None)[0]
    for name, value in zip(("Intercept", "a"), expected, strict=True):
        draws = fit.posterior[name].to_numpy()
        assert draws.mean() == pytest.approx(value, abs=5.0 * draws.std() / np.sqrt(effective_size(draws)))
