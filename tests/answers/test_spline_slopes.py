"""Slopes of splines against SciPy's derivatives, also next to knots, on them, and at kinks."""

import numpy as np
import pandas as pd
import pytest
from answer_tools import drawn
from scipy.interpolate import BSpline, CubicSpline

from hiermod.errors import AnswerError

X = np.random.default_rng(0).uniform(0, 10, 201)  # the median, a knot, is one of them
ROWS = pd.DataFrame({"x": X, "y": np.sin(X)})


def fit_of(term, weights):
    return drawn(f"y ~ {term}", ROWS, compress=False, Intercept=[0.0], sigma=[1.0], **{term: np.array([weights])})


@pytest.mark.parametrize(("df", "degree"), [(4, 3), (5, 3), (8, 3), (5, 2)])
def test_slopes_of_b_splines_are_scipys(df, degree):
    weights = np.random.default_rng(1).normal(size=df)
    term = f"bs(x, df={df}, degree={degree})"
    inner = np.quantile(X, np.linspace(0, 1, df - degree + 2)[1:-1])
    knots = np.concatenate([[X.min()] * (degree + 1), inner, [X.max()] * (degree + 1)])
    slope = BSpline(knots, np.concatenate([[0.0], weights]), degree).derivative()
    places = np.concatenate([X[:5], inner, np.nextafter(inner, 11), inner - 1e-6])
    table = fit_of(term, weights).slopes("x", at={"x": list(places)}).table.set_index("x")
    tolerance = 1e-5 if degree == 2 else 1e-6  # the second derivative of a parabola's pieces jumps at a knot
    np.testing.assert_allclose(table["estimate"][places], slope(places), rtol=tolerance, atol=tolerance)
    np.testing.assert_allclose(fit_of(term, weights).slopes("x").table["estimate"], slope(X).mean(), rtol=1e-6)


def test_slopes_of_natural_splines_are_those_of_the_curve_through_its_knots():
    weights = np.array([1.0, -2.0, 0.5, 3.0])
    fit = fit_of("ns(x, df=4)", weights)
    knots = np.quantile(X, np.linspace(0, 1, 5))
    heights = fit.predict(pd.DataFrame({"x": knots})).table["estimate"].to_numpy()
    slope = CubicSpline(knots, heights, bc_type="natural").derivative()
    np.testing.assert_allclose(fit.slopes("x").table["estimate"], slope(X).mean(), rtol=1e-8)


def test_a_broken_line_has_no_slope_where_it_breaks():
    fit = fit_of("bs(x, df=2, degree=1)", [1.0, 5.0])
    middle, low, high = np.median(X), X.min(), X.max()
    near = [middle - 1e-3, middle + 1e-3]
    table = fit.slopes("x", at={"x": near}).table.set_index("x")
    np.testing.assert_allclose(table["estimate"][near], [1 / (middle - low), 4 / (high - middle)], rtol=1e-8)
    with pytest.raises(AnswerError, match="no derivative that can be trusted where x is"):
        fit.slopes("x")
