"""Formulas as Bambi's own tests write them, on other data: each mean is the one that Bambi computes from the draws.

Left out are families and responses that have no counterpart here, which `test_from_bambi` names.
"""

import bambi as bmb
import numpy as np
import pandas as pd
import pytest
from bambi_tools import made_up, mean

import hiermod as hm

# Bambi selects columns of text in a way that pandas 3 warns of.
pytestmark = pytest.mark.filterwarnings("ignore:For backward compatibility, 'str' dtypes are included")
ROWS = 80
FORMULAS = {
    "gaussian": """
        y ~ 1
        y ~ 0 + x
        y ~ x
        y ~ 0 + f
        y ~ f*h
        y ~ 0 + f*h
        y ~ 0 + f:h
        y ~ 0 + f + x
        y ~ x*f
        y ~ x:f
        y ~ 0 + x:f
        y ~ x*d
        y ~ x*z
        y ~ x:z
        y ~ f*h*x
        y ~ x + f + x:f
        y ~ x*f + x*h
        y ~ (x + z)*f
        y ~ (x + z + d)**2
        y ~ x + I(x**2)
        y ~ I(x + z)
        y ~ np.exp(z) + np.abs(x)
        y ~ np.log(o)*f
        y ~ scale(x) + f
        y ~ center(x)*h
        y ~ standardize(x) + (standardize(x) | g)
        y ~ C(k)
        y ~ 0 + C(k)
        y ~ C(k)*x
        y ~ C(f, Treatment('b'))
        y ~ poly(x, 2)
        y ~ poly(x, 3, raw=True)
        y ~ bs(x, df=5)
        y ~ bs(x, df=6, degree=2, intercept=True)
        y ~ 0 + bs(x, df=5, intercept=True)
        y ~ bs(x, df=4):f
        y ~ x + offset(z)
        y ~ (1 | g)
        y ~ x + (1 | g)
        y ~ x + (x | g)
        y ~ x + (0 + x | g)
        y ~ x + (1 | g) + (0 + x | g)
        y ~ (x | g) + (d | i)
        y ~ f + (f | g)
        y ~ 0 + f + (0 + f | g)
        y ~ (0 + f | g)
        y ~ h + (0 + h | g)
        y ~ b + (b | g)
        y ~ (0 + b | g)
        y ~ (b | i)
        y ~ (0 + f:h | g)
        y ~ x:f + (0 + x:f | g)
        y ~ x*f + (x*f | g)
        y ~ f*h + (f*h | g)
        y ~ (f | g) + (f | i)
        y ~ x + d + f + (f | s) + (1 | i) + (0 + x | i) + (0 + d | i) + (f | g)
        y ~ x + d + f + (f | s) + (x | i) + (f | g)
        y ~ 0 + f + (f | s) + (0 + x | i) + (d | i) + (f | g)
        y ~ x + z + (x + z | g)
        y ~ (x + f | g)
        y ~ (0 + x + f | g)
        y ~ (1 | g:i)
        y ~ (1 | g/i)
        y ~ (x | g:i)
        y ~ (h | g:b)
        y ~ (f | g:b)
        y ~ (0 + f | b:g)
        y ~ (0 + x | g + i)
        y ~ (1 | k)
        y ~ (f | k)
        y ~ (C(k) | g)
        y ~ (0 + C(k) | g)
        y ~ (C(f, Treatment('c')) | g)
        y ~ poly(x, 2) + (poly(x, 2) | g)
        y ~ (bs(x, df=4) | g)
        y ~ (scale(x)*f | g)
        np.log(o) ~ x + (1 | g)
        y ~ f + f:h
        y ~ h + f:h
        y ~ f + (z | s) + (0 + h | i)
        y ~ f + h + (f + h | g)
    """,
    "t": "y ~ x\n y ~ f + (f | g)",
    "bernoulli": """
        d ~ 1 + x
        d ~ x*z
        d ~ f*x
        d ~ 0 + b + x + (0 + b | f)
        d ~ 0 + b + z + (0 + b | i) + (0 + z | g + i)
        d ~ h + (0 + b | h) + (0 + x | h + b)
        b['yes'] ~ x + (f | g)
    """,
    "binomial": "prop(n, t) ~ x\n p(n, t) ~ f + (f | g)\n proportion(n, t) ~ (0 + f | g)\n p(n, 40) ~ x",
    "beta_binomial": "prop(n, t) ~ x\n p(n, t) ~ (f | g)",
    "poisson": """
        n ~ d + x + f
        n ~ f + x + d + (f | g)
        n ~ offset(np.log(o)) + x + (1 | g)
        n ~ offset(np.log(o))
        n ~ (0 + x:f | g)
    """,
    "negativebinomial": "n ~ x\n n ~ f*x + (f | g)",
}
CODED_OTHERWISE = [  # by Bambi, whose columns of a term depend on other terms in another way than R's
    "y ~ f:h", "y ~ f:h + x", "y ~ x + (f:h | g)", "y ~ x*f + (x:f | g)", "y ~ x + (np.exp(z):f | g)", "y ~ (f/x | g)",
    "y ~ 0 + C(f, Treatment('b'))", "y ~ C(f, Treatment('c')):x + (0 + C(f, Treatment('b')) | g)",
    "y ~ C(f, Sum)*x", "y ~ 0 + C(f, Sum):h", "y ~ (C(f, Sum) | g)",
]  # fmt: skip
UNFIT = ["y ~ f/x", "y ~ f/h", "y ~ f/z/x"]  # by Bambi itself, which names three columns where it has two
CASES = [(family, line.strip()) for family, lines in FORMULAS.items() for line in lines.strip().split("\n")]
QUICK = [case for case in CASES if case[1] in (
    "y ~ f*h*x", "y ~ f + (f | g)", "y ~ (0 + f | g)", "y ~ x:f + (0 + x:f | g)", "y ~ (f | g:b)", "y ~ (0 + f | b:g)",
    "y ~ (C(k) | g)", "p(n, t) ~ f + (f | g)",
)]  # fmt: skip


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"y": rng.normal(size=ROWS), "x": rng.normal(2.0, 1.0, ROWS), "z": rng.normal(size=ROWS)})
    frame["o"] = rng.gamma(3.0, 1.0, ROWS) + 0.2
    frame["d"] = rng.integers(0, 2, ROWS)
    frame["b"] = rng.choice(["no", "yes"], ROWS)
    frame["k"] = rng.choice([2, 10, 9], ROWS)
    for name, levels in {"f": "bca", "h": "qrps", "g": "uwvx", "i": "lmn"}.items():
        frame[name] = [*levels, *rng.choice([*levels], ROWS - len(levels))]
    frame["s"] = np.repeat(np.arange(10), ROWS // 10).astype(str)
    frame["t"] = rng.integers(20, 40, ROWS)
    frame["n"] = rng.binomial(frame["t"], 0.3)
    return frame


def agree(family, formula, data, **order):
    model = bmb.Model(formula, data, family=family)
    idata = made_up(model, **order)
    seen = hm.from_bambi(model, idata).predict(data).draws.transpose("row", "chain", "draw").to_numpy()
    np.testing.assert_allclose(seen, mean(model, idata), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize(("family", "formula"), QUICK)
@pytest.mark.parametrize("groups_last", [True, False])
def test_the_mean_is_bambis_in_either_order_of_dims(family, formula, groups_last, data):
    agree(family, formula, data, groups_last=groups_last)


@pytest.mark.slow
@pytest.mark.parametrize(("family", "formula"), [case for case in CASES if case not in QUICK])
def test_the_mean_is_bambis_for_every_formula(family, formula, data):
    agree(family, formula, data)


@pytest.mark.parametrize("formula", CODED_OTHERWISE)
def test_columns_are_coded_as_bambi_codes_them(formula, data):
    agree("gaussian", formula, data)
    rows = data.iloc[::-3].assign(f="a", x=0.5)
    model = bmb.Model(formula, data)
    idata = made_up(model)
    fit = hm.from_bambi(model, idata)
    expected = model.predict(idata, kind="response_params", inplace=False, data=rows)["posterior"]["mu"]
    seen = fit.predict(rows).draws.transpose("row", "chain", "draw")
    np.testing.assert_allclose(seen, expected.transpose("__obs__", "chain", "draw"), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("formula", UNFIT)
def test_what_bambi_cannot_fit_is_said(formula, data):
    model = bmb.Model(formula, data)
    with pytest.raises(ValueError, match="conflicting dimension sizes"):
        mean(model, made_up(model))
    with pytest.raises(hm.errors.ModelError, match=r"Bambi itself can neither .* f 3 labels for 2 columns"):
        hm.from_bambi(model, made_up(model))


def test_names_of_columns_follow_bambis(data):
    model = bmb.Model("y ~ f:h", data)
    fit = hm.from_bambi(model, made_up(model))
    assert any("Bambi reads y ~ f:h as y ~ h + f:h" in notice for notice in fit.notices)
    seen = {str(name): values for name, values in fit.posterior.data_vars.items()}
    assert [*seen["f:h"]["f:h_dim"].to_numpy()] == [f"{f}, {h}" for f in "bc" for h in "pqrs"]


def test_the_list_is_long_enough():
    assert len(CASES) >= 90
    assert len(set(CASES)) == len(CASES)


def test_entries_are_taken_by_label_and_strangers_are_refused(data):
    model = bmb.Model("y ~ f + (f | g)", data)
    idata = made_up(model)
    posterior = idata["posterior"].to_dataset()
    turned = posterior.isel(g__factor_dim=[3, 1, 0, 2], f__expr_dim=[1, 0], f_dim=[1, 0])
    seen = hm.from_bambi(model, turned).predict(data).draws
    expected = hm.from_bambi(model, idata).predict(data).draws
    np.testing.assert_array_equal(seen, expected)
    with pytest.raises(hm.errors.ModelError, match=r"'f__expr_dim' of 'f\|g_sigma' has 2 entries, 'b', 'd'"):
        hm.from_bambi(model, posterior.assign_coords(f__expr_dim=["b", "d"]))
    with pytest.raises(hm.errors.ModelError, match=r"has the dims .*'somewhere'"):
        hm.from_bambi(model, posterior.rename(g__factor_dim="somewhere"))
