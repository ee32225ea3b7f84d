"""glmmTMB's ziformula and dispformula: the models they mean, which way they point, and refusals."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import special

import hiermod as hm
from hiermod.errors import FormulaError, HiermodError, ModelError
from hiermod.families.ops import NUMPY

REFERENCE = Path(__file__).parents[1] / "reference"
SLEEP = hm.example("sleepstudy").assign(
    share=lambda d: d["Reaction"] / 1000, hits=lambda d: (d["Reaction"] / 10).round().astype(int), of=100
)
NIGHT = SLEEP.assign(Reaction=(SLEEP["Reaction"] - 270).round(4).clip(lower=0))
TICKS = pd.read_csv(REFERENCE / "grouseticks.csv")
GLMMTMB = pd.read_csv(REFERENCE / "dispersions.csv").set_index(["name", "quantity"])["value"]
FITS = {  # by the name of glmmTMB's fit: formula, data, family, arguments
    "gaussian": ("Reaction ~ Days", SLEEP, "gaussian", {"dispformula": "~ Days"}),
    "gamma": ("Reaction ~ Days", SLEEP, "gamma", {"dispformula": "~ Days"}),
    "beta": ("share ~ Days", SLEEP, "beta_family", {"dispformula": "~ Days"}),
    "beta_binomial": ("hits/of ~ Days", SLEEP, "betabinomial", {"dispformula": "~ Days"}),
    "nbinom2": ("TICKS ~ cHEIGHT", TICKS, "nbinom2", {"dispformula": "~ cHEIGHT"}),
    "nbinom1": ("TICKS ~ cHEIGHT", TICKS, "nbinom1", {"dispformula": "~ cHEIGHT"}),
    "poisson_zi": ("TICKS ~ cHEIGHT", TICKS, "poisson", {"ziformula": "~ cHEIGHT"}),
    "gamma_zi": ("Reaction ~ Days", NIGHT, "gamma", {"ziformula": "~ Days", "dispformula": "~ Days"}),
}
UP_TO_1_1_8 = {"gaussian": 0.5}  # what the notice says of coefficients of a variance
COUNTS = pd.DataFrame({"c": [0, 0, 0, 2, 2, 6, 6, 0], "x": [0, 1] * 4, "z": [0, 0, 1, 1] * 2, "n": 9}).assign(
    y=lambda d: d["c"] + 0.5 * d["x"] - 1.0, u=lambda d: (d["c"] > 2).astype(int), e=lambda d: d["c"] + 1.0
)


def densities(model, name):
    """The log density of glmmTMB's rows at its estimates, as the notices read them."""
    spec, estimates = model._defined.spec, GLMMTMB[name]
    rows = FITS[name][1]

    def eta(part):
        (slope,) = estimates.filter(like=f"{part}.").drop(f"{part}.0").items()
        return estimates[f"{part}.0"] + slope[1] * rows[slope[0].removeprefix(f"{part}.")].to_numpy(float)

    (*dispersion,) = (own for own in spec.predictors if own not in ("mu", "zi", "hu"))
    parameters = [np.exp(UP_TO_1_1_8.get(name, 1.0) * eta("disp")) for _ in dispersion]
    parameters += [special.expit(eta("zi")) for own in spec.predictors if own in ("zi", "hu")]
    response = FITS[name][0].split(" ~ ")[0].split("/")
    columns = tuple(rows[column].to_numpy(float) for column in response)
    return spec.family.log_density(NUMPY, columns, spec.family.linear(eta("mu")), *parameters).sum()


@pytest.mark.parametrize("name", FITS)
def test_arguments_are_of_what_glmmtmb_s_are_of(name):
    formula, rows, family, arguments = FITS[name]
    model = hm.model(formula, rows, family, **arguments)
    np.testing.assert_allclose(densities(model, name), GLMMTMB[name, "logLik"], rtol=1e-7)
    told = " ".join(model.notices)
    assert ("up to version 1.1.8" in told) == (name in UP_TO_1_1_8)
    if "dispformula" in arguments:
        assert f"mean {'more' if name in ('gaussian', 'nbinom1') else 'less'} spread" in told


SPELLINGS = [
    ("c ~ x", "poisson", {"ziformula": "~ z"}, "c ~ x; zi ~ z", "zero_inflated_poisson"),
    ("c ~ x, ziformula = ~ z", "nbinom2", {}, "c ~ x; zi ~ z", "zero_inflated_negbinomial"),
    (["c ~ x", "ziformula ~ 1"], "hurdle_poisson", {}, "c ~ x; hu ~ 1", "hurdle_poisson"),
    ("c/n ~ x", None, {"ziformula": "~z"}, "c/n ~ x; zi ~ z", "zero_inflated_binomial"),
    ("c/n ~ x", "binomial(probit)", {"ziformula": "~z"}, "c/n ~ x; zi ~ z", "zero_inflated_binomial(probit)"),
    ("c ~ x", "lognormal", {"ziformula": "~z", "dispformula": "~x"}, "c ~ x; hu ~ z; sigma ~ x", "hurdle_lognormal"),
    ("bf(y ~ x, nu ~ z)", "student", {"dispformula": "~ x"}, "y ~ x; nu ~ z; sigma ~ x", "student"),
    ("c ~ x", "poisson", {"ziformula": "~ 0", "dispformula": "~ 1"}, "c ~ x", "poisson"),
]


@pytest.mark.parametrize(("formula", "family", "arguments", "meant", "chosen"), SPELLINGS)
def test_arguments_spell_a_formula_and_a_family(formula, family, arguments, meant, chosen):
    model = hm.model(formula, COUNTS, family, **arguments)
    assert (str(model.formula), str(model._defined.spec.family)) == (meant, chosen)
    again = hm.model(meant, COUNTS, chosen)
    assert model.prior_summary().equals(again.prior_summary())


REFUSED = [
    ("c ~ x", "geometric", {"ziformula": "~ z"}, "no counterpart.* Say family='zero_inflated_negbinomial'"),
    ("c ~ x", None, {"ziformula": "~ z"}, "family='poisson' or 'negbinomial' for counts"),
    ("u ~ x", None, {"ziformula": "~ z"}, "cannot be told from a lower rate. Leave it out"),
    ("c/n ~ x", "binomial(log)", {"ziformula": "~ z"}, "no link 'log'. Take the link away: family='binomial'"),
    ("c ~ x", "zero_inflated_poisson", {"ziformula": "~ 0"}, "zeros have no part of their own, which they have"),
    ("c ~ x", "poisson", {"dispformula": "~ z"}, "Say family='negbinomial' or family='nbinom1', or leave it out"),
    ("y | se(n) ~ x", None, {"dispformula": "~ z"}, "sigma = TRUE"),
    ("y ~ x; sigma ~ z", None, {"dispformula": "~ z"}, "'sigma' has two linear predictors"),
]


@pytest.mark.parametrize(("formula", "family", "arguments", "said"), REFUSED)
def test_arguments_that_mean_nothing_name_what_does(formula, family, arguments, said):
    with pytest.raises(ModelError, match=said):
        hm.model(formula, COUNTS, family, **arguments)


@pytest.mark.parametrize(("text", "said"), [
    ("z", "a formula of one side, a text such as"), (3, "a formula of one side"), ("~ z; nu ~ x", "is one formula"),
    ("~ .", "right side of the mean in glmmTMB, and all other columns here"), ("~ 0", "takes the residual away"),
])  # fmt: skip
def test_arguments_are_formulas_of_one_side(text, said):
    with pytest.raises(FormulaError, match=said):
        hm.model("y ~ x", COUNTS, dispformula=text)


def test_update_takes_them():
    quick = {"draws": 20, "tune": 20, "chains": 1, "progress": False, "seed": 1}
    fit = hm.fit("c ~ x", COUNTS, "poisson", ziformula="~ z", **quick)
    assert str(fit.update(ziformula="~ x", **quick).formula) == "c ~ x; zi ~ x"
    wider = fit.update(family="zero_inflated_nbinom2", dispformula="~ z", **quick)
    assert str(wider.formula) == "c ~ x; zi ~ z; alpha ~ z"
    plain = fit.update(family="poisson", ziformula="~ 0", **quick)
    assert (str(plain.formula), str(plain.model._defined.spec.family)) == ("c ~ x", "poisson")


def test_translations_name_the_share_of_zeros_alone():
    assert hm.translate("c ~ x, ziformula = ~ z", "brms") == "bf(c ~ x, zi ~ z)"
    with pytest.raises(HiermodError, match="write that one, such as 'sigma ~ x'"):
        hm.translate("c ~ x, dispformula = ~ z", "brms")
