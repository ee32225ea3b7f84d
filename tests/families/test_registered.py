"""Families from outside: what `register_family` takes, what it refuses, and how they travel."""

import pickle
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy import special
from unit_gamma import UNIT_GAMMA, draw, log_density, shares, variance

import hiermod as hm
from hiermod.errors import DataError, HiermodError, ModelError
from hiermod.families import registry
from hiermod.families.links import LINKS
from hiermod.families.ops import HALF_LOG_TAU
from hiermod.families.probes import fingerprint
from hiermod.families.registry import FAMILIES, read_family
from hiermod.families.soundness import check_record
from hiermod.modeling.pymc.density_text import check_text
from hiermod.priors.distributions import Prior


@pytest.fixture(autouse=True)
def nothing_stays_registered(monkeypatch):
    monkeypatch.setattr(registry, "REGISTERED", {})


def exponential(ops, response, mu):
    return -mu.eta - response[0] * ops.exp(-mu.eta)


def single(ops, response, mu, phi):
    return log_density(ops, response, mu, phi) + ops.log(3.0) - float(np.log(3.0))


def single_numpy(ops, response, mu, phi):
    return np.float32(log_density(ops, response, mu, phi)) if isinstance(mu.eta, np.ndarray) else response[0]


def not_a_number(ops, response, mu, phi):
    return log_density(ops, response, mu, phi) + ops.log(response[0] - 0.1) * 0.0


def summed(ops, response, mu, phi):
    return log_density(ops, response, mu, phi).sum()


def whole_response(ops, response, mu, phi):
    return [log_density(ops, response, mu, phi)]


def two_texts(ops, response, mu, phi):
    return log_density(ops, response, mu, phi) + (0.0 if isinstance(mu.eta, np.ndarray) else 1e-6)


def of_numpy(ops, response, mu, phi):
    return log_density(ops, response, mu, phi) + 0.0 * special.gammaln(mu.eta**2 + 1.0)


def steep(ops, response, mu, phi):
    """The branch that is not taken has no number below 0, nor has its slope."""
    root = ops.where(mu.eta < 0.0, 0.0, ops.exp(1.5 * ops.log(mu.eta)))
    return log_density(ops, response, mu, phi) + 1e-30 * root


def without_constant(ops, response, mu, phi):
    return log_density(ops, response, mu, phi) + ops.gammaln(phi)


def by_the_shape(ops, response, mu, phi):
    """A beta density whose mean is not mu."""
    success, failure = mu.link.log_rates(ops, mu.eta)
    a, b = 2.0 * phi * ops.exp(success), phi * ops.exp(failure)
    constant = ops.gammaln(a + b) - ops.gammaln(a) - ops.gammaln(b)
    return constant + (a - 1.0) * ops.log(response[0]) + (b - 1.0) * ops.log1p(-response[0])


def broken(ops, response, mu, phi):
    return ops.sinh(mu.eta)


def other_draw(rng, shape, mean, trials, phi):
    return draw(rng, shape, mean**2, trials, phi)


def one_draw(rng, shape, mean, trials, phi):
    return draw(rng, (), mean.mean(), trials, phi.mean())


def other_cdf(response, mu, phi):
    chance = np.full_like(mu.eta, response[0])
    return chance, chance


def misnamed(link, phi):
    return replace(LINKS["probit"], forward=link.forward, inverse=link.inverse)


def no_way_back(link, phi):
    return replace(link, forward=np.log)


def half(_):
    return 1 / 0


PARTIAL = ("von_mises", "frechet", "gen_extreme_value")  # whose responses are not all numbers of a kind
WHOLE = [
    own for own in FAMILIES.values()
    if own.kind not in ("ordered", "category") and "zoi" not in own.auxiliary
    and own.name not in PARTIAL and not own.name.startswith("truncated_")
]  # fmt: skip


@pytest.mark.parametrize("family", WHOLE, ids=str)
def test_the_built_in_records_are_sound(family):
    """What is asked of others holds of hiermod's own; with other names they could be registered."""
    check_record(replace(family, name=f"own_{family.name}"), FAMILIES.values())
    check_text(family)


def test_a_default_prior_that_is_cut_off_at_zero_is_positive():
    cut = replace(UNIT_GAMMA, parameters=(hm.Parameter("phi", default_prior="Normal(1, 0.5)"),))
    check_record(cut, [])
    negative = hm.Parameter("phi", default_prior=lambda _: Prior("Normal", (1.0, 0.5)))
    with pytest.raises(ModelError, match=r"phi is positive, and its default prior Normal\(1, 0.5\) is not"):
        check_record(replace(UNIT_GAMMA, parameters=(negative,)), [])


def test_a_record_of_four_fields_is_a_family():
    hm.register_family(hm.Family("plain", "positive", ("log",), exponential))
    model = hm.model("y ~ treated + (1 | shop)", shares(), "plain")
    assert model.family == "plain"
    assert list(model.prior_summary()["parameter"]) == ["Intercept", "treated", "sd(1|shop)"]
    assert "plain" in repr(model.explain())
    with pytest.raises(HiermodError, match=r"family plain has no draw.*Give its record draw="):
        model.sample_prior(draws=20, seed=1).predict(shares(8), kind="response")


def test_its_name_is_read_like_others_with_its_links():
    hm.register_family(UNIT_GAMMA)
    assert str(read_family("unit_gamma_of_tests")) == "unit_gamma_of_tests"
    assert str(read_family("Unit_Gamma_of_tests(link = 'probit')")) == "unit_gamma_of_tests(probit)"
    with pytest.raises(DataError, match=r"no link 'log'\."):
        read_family("unit_gamma_of_tests(log)")
    with pytest.raises(DataError, match="Did you mean 'unit_gamma_of_tests'"):
        read_family("unit_gamma_of_test")


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"name": "gamma"}, r"name 'gamma' is hiermod's\. Choose another one, such as 'my_gamma'"),
        ({"name": "nb"}, r"'nb' is hiermod's, another word for 'negbinomial'"),
        ({"name": "Unit"}, r"small letters.*not 'Unit'"),
        ({"name": "unit gamma"}, r"small letters.*not 'unit gamma'"),
        ({"parameters": ()}, r"log_density\(ops, response, mu\) fails on NumPy's arrays"),
        ({"parameters": (hm.Parameter("sd"),)}, r"parameter name 'sd' is taken"),
        ({"parameters": (hm.Parameter("a b"),)}, r"parameter name 'a b' is taken, or no plain name"),
        ({"parameters": (hm.Parameter("phi", default_prior="Uniform(-2, -1)"),)}, r"default prior of phi.*is above 0"),
        ({"parameters": (hm.Parameter("phi", default_prior="Gama(2, 1)"),)}, r"no distribution 'Gama'.*'Gamma'"),
        ({"parameters": (hm.Parameter("phi", default_prior=half),)}, r"default_prior of phi fails: ZeroDivision"),
        ({"log_density": None}, r"log_density is None, which cannot be called"),
        ({"draw": 3}, r"draw is 3, which cannot be called"),
        ({"kernel": "gamma"}, r"kernel='gamma'.*are for the density of a built-in family.*Leave both out"),
        ({"statistic": "trials"}, r"statistic='trials'.*Leave both out"),
        ({"log_density": broken}, r"fails on NumPy's arrays: AttributeError"),
        ({"log_density": summed}, r"returns the shape \(\) for 60 rows, and \(60,\) is needed"),
        ({"log_density": whole_response}, r"returns the shape \(1, 60\)"),
        ({"log_density": single_numpy}, r"returns float32 numbers, and float64 is needed.*ops.const\(3.0\)"),
        ({"log_density": not_a_number}, r"log_density is nan at y = 0.02, eta = .*Mend the formula there"),
        ({"log_density": single}, r"in float32 in PyTensor.*write ops.const\(3.0\)"),
        ({"log_density": two_texts}, r"in NumPy and .* in PyTensor, at y = "),
        ({"log_density": of_numpy}, r"log_density fails in PyTensor: .*functions of ops"),
        ({"log_density": steep}, r"gradient of log_density by eta is (nan|inf) at y = .*In ops.where both branches"),
        ({"log_density": without_constant}, r"adds up to .*, not to 1 .*A constant or a factor is missing"),
        ({"kind": "positive"}, r"log_density is nan at y = 1.7.*say another kind"),
        ({"log_density": by_the_shape}, r"mean of log_density is .* and the record's .*give mean_link="),
        ({"variance": lambda mean, phi: mean}, r"variance of log_density is .* and variance\(\.\.\.\)"),
        ({"draw": other_draw}, r"draw does not follow log_density.*takes the mean, not the linear predictor"),
        ({"draw": one_draw}, r"draw returns the shape \(\)"),
        ({"draw": variance}, r"draw\(rng, shape, mean, trials, \*parameters\) fails: TypeError"),
        ({"cdf": other_cdf}, r"cdf gives .* and log_density"),
        ({"mean_link": misnamed}, r"mean_link returns a link named 'probit' that is another function"),
        ({"mean_link": no_way_back}, r"forward of the link that mean_link returns does not undo"),
    ],
)
def test_records_that_are_not_sound_are_refused(changes, match):
    with pytest.raises(ModelError, match=match):
        hm.register_family(replace(UNIT_GAMMA, **changes))
    assert registry.REGISTERED == {}


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"links": ("logits",)}, "no link 'logits'.*Did you mean 'logit'"),
        ({"links": "logit"}, r"links='logit': a tuple of names"),
        ({"links": ()}, r"links=\(\): a tuple of names"),
        ({"kind": "share"}, r"kind='share'"),
        ({"parameters": ("phi",)}, r"parameters=\('phi',\): a tuple of hm.Parameter"),
        ({"parameters": hm.Parameter("phi")}, r"a tuple of hm.Parameter\('phi', 'what it is'\)"),
    ],
)
def test_records_say_at_once_what_they_cannot_be(changes, match):
    with pytest.raises(ModelError, match=match):
        replace(UNIT_GAMMA, **changes)


@pytest.mark.parametrize(
    "name", ["mu", "Intercept", "slope", "sd", "cor", "rate", "size", "chain", "draw", "SD", "1a", "", "a-b"]
)
def test_names_of_tables_columns_are_no_parameters(name):
    with pytest.raises(ModelError, match=rf"the parameter name '{name}' is taken, or no plain name"):
        check_record(replace(UNIT_GAMMA, parameters=(hm.Parameter(name),)), [])


def test_a_variance_may_round_and_no_more():
    check_record(replace(UNIT_GAMMA, variance=lambda mean, phi: 1.01 * variance(mean, phi)), [])
    for factor in (1.04, 0.96):
        with pytest.raises(ModelError, match=r"the variance of log_density is .* and variance\(\.\.\.\)"):
            check_record(replace(UNIT_GAMMA, variance=lambda *own, factor=factor: factor * variance(*own)), [])


def test_no_record_is_no_family():
    with pytest.raises(ModelError, match="takes a record"):
        hm.register_family("unit_gamma")
    with pytest.raises(DataError, match=r"family= takes a name: hm.register_family\(record\), then family='unit_gamma"):
        hm.model("y ~ treated", shares(), UNIT_GAMMA)
    with pytest.raises(DataError, match=r"hiermod\.register_family adds one of your own"):
        hm.model("y ~ treated", shares(), "unit_gamma")


def test_a_name_is_given_once_unless_it_is_replaced():
    hm.register_family(UNIT_GAMMA)
    hm.register_family(UNIT_GAMMA)
    other = replace(UNIT_GAMMA, cdf=None)
    with pytest.raises(ModelError, match=r"registered already, with another record.*replace=True"):
        hm.register_family(other)
    hm.register_family(other, replace=True)
    assert read_family("unit_gamma_of_tests").cdf is None


@pytest.mark.parametrize(
    ("values", "match"),
    [
        ([0.2, 1.0, 0.5], r"between 0 and 1, without both; 'y' holds 1 \(row 1\)"),
        ([0.2, 0.0, 0.5], r"'y' holds 0 \(row 1\)"),
        ([0.2, 0.2, 0.2], "constant"),
        ([True, False, True], "say 'binomial'"),
    ],
)
def test_responses_outside_its_kind_are_refused(values, match):
    hm.register_family(UNIT_GAMMA)
    with pytest.raises(DataError, match=match):
        hm.model("y ~ x", pd.DataFrame({"y": values, "x": [1.0, 2.0, 4.0]}), "unit_gamma_of_tests")


def beyond(ops, response, mu, sigma):
    """Normal, and not a number beyond 50."""
    known = -0.5 * ((response[0] - mu.eta) / sigma) ** 2 - ops.log(sigma) - HALF_LOG_TAU
    return known + ops.where(response[0] < 50.0, 0.0, ops.log(-ops.exp(response[0])))


def test_responses_at_which_its_density_is_no_number_are_refused():
    family = hm.Family("short", "real", ("identity",), beyond, (hm.Parameter("sigma", default_prior="HalfNormal(1)"),))
    registry.add(family)
    with pytest.raises(DataError, match=r"log density of the family short is nan at the response 60 \(row 2\)"):
        hm.model("y ~ x", pd.DataFrame({"y": [1.0, 2.0, 60.0], "x": [1.0, 2.0, 4.0]}), "short")


def of_few(ops, response, mu):
    """It fails where it is looked at beyond its probes."""
    if np.ndim(response[0]) and np.max(response[0]) > 1e3:
        raise ZeroDivisionError("of few")
    return exponential(ops, response, mu)


def of_moderate(ops, response, mu):
    """It fails at as many rows as the data has."""
    if np.size(response[0]) == 11:
        raise ZeroDivisionError("of moderate")
    return exponential(ops, response, mu)


def fails(*_):
    raise IndexError("own trouble")


def words(*_):
    return "half"


def test_errors_of_its_functions_say_whose_they_are():
    few = hm.Family("few", "positive", ("log",), of_few)
    with pytest.raises(ModelError, match=r"family few: a function of its record fails where it is tried.*of few"):
        hm.register_family(few)
    with pytest.raises(ModelError, match=r"family few: a function of its record fails .*or gives no numbers"):
        hm.register_family(replace(few, log_density=exponential, variance=words))
    moderate = hm.Family("moderate", "positive", ("log",), of_moderate)
    hm.register_family(moderate)
    hm.register_family(moderate)
    data = pd.DataFrame({"y": np.arange(1.0, 12.0), "x": np.arange(11.0) ** 2})
    with pytest.raises(
        ModelError, match=r"family moderate: log_density fails: ZeroDivisionError\('of moderate'\)\. Mend"
    ):
        hm.model("y ~ x", data, "moderate")
    hm.register_family(replace(moderate, log_density=exponential, check=fails), replace=True)
    with pytest.raises(ModelError, match=r"family moderate: check fails: IndexError\('own trouble'\)"):
        hm.model("y ~ x", data, "moderate")


def test_pickles_hold_it_by_value_and_bring_it_along(monkeypatch):
    """Functions that no other process could find, too."""
    family = hm.Family(
        "nested", "positive", ("log",), lambda ops, response, mu: -mu.eta - response[0] * ops.exp(-mu.eta)
    )
    hm.register_family(family)
    kept = pickle.dumps(read_family("nested"))
    monkeypatch.setattr(registry, "REGISTERED", {})
    back = pickle.loads(kept)
    assert fingerprint(back) == fingerprint(family)
    assert read_family("nested") is not None
    hm.register_family(replace(family, words="another"), replace=True)
    assert pickle.loads(kept).words == ""
    assert read_family("nested").words == "another"


def test_a_fingerprint_tells_densities_apart():
    assert fingerprint(UNIT_GAMMA) == fingerprint(replace(UNIT_GAMMA, words="the same"))
    assert fingerprint(UNIT_GAMMA) != fingerprint(replace(UNIT_GAMMA, log_density=two_texts, name="x"))
    assert fingerprint(UNIT_GAMMA) != fingerprint(replace(UNIT_GAMMA, link=LINKS["probit"]))
