"""Families that are made of others: with zeros of their own, and with a parameter that is a number."""

import numpy as np
import pandas as pd
import pytest
from mixed_distributions import mixed

from hiermod.data.cells.observations import KINDS
from hiermod.data.cells.rows import read_rows
from hiermod.engine.kernels.record import KERNELS, ROW_KERNELS
from hiermod.errors import DataError
from hiermod.families.counts import GENPOIS, NBINOM1, NEGBINOMIAL, POISSON
from hiermod.families.fixed import with_fixed
from hiermod.families.links import IDENTITY, LOG, LOGIT
from hiermod.families.mixtures import hurdle, zero_inflated
from hiermod.families.ops import NUMPY
from hiermod.families.outcomes import own_outcomes, read_outcome
from hiermod.families.positive import GAMMA, LOGNORMAL
from hiermod.families.rates import BETA_BINOMIAL, BINOMIAL
from hiermod.families.record import ResponseScale
from hiermod.families.registry import FAMILIES, choose_family, read_family
from hiermod.families.truncated import truncated
from hiermod.families.units import BETA
from hiermod.formula.parser import parse

ETA, SHARE = np.array([-1.1, 0.2, 0.9]), np.array([0.2, 0.4, 0.7])
RATES, COUNTS = (BINOMIAL, BETA_BINOMIAL), (POISSON, NEGBINOMIAL, NBINOM1, GENPOIS)
INFLATED = {base.name: lambda base=base: zero_inflated(base) for base in (*RATES, *COUNTS)}
HURDLES = {base.name: lambda base=base: hurdle(truncated(base), base.name) for base in COUNTS}
HURDLES |= {base.name: lambda base=base: hurdle(base, base.name) for base in (GAMMA, LOGNORMAL)}
BUILT = {f"zero_inflated_{name}": make for name, make in INFLATED.items()}
BUILT |= {f"hurdle_{name}": make for name, make in HURDLES.items()}
BASES = {base.name: base for base in (*RATES, *COUNTS, GAMMA, LOGNORMAL)}


def base_of(name):
    return BASES[name.removeprefix("zero_inflated_").removeprefix("hurdle_")]


def response_of(values, text="y ~ 1", **columns):
    return read_rows(parse(text), pd.DataFrame({"y": values, **columns})).response


@pytest.mark.parametrize("name", BUILT)
def test_a_family_with_zeros_has_one_more_parameter_and_its_base_s_words(name):
    record, base = BUILT[name](), base_of(name)
    inflated = name.startswith("zero_inflated")
    share = "zi" if inflated else "hu"
    assert (record.name, record.links) == (name, FAMILIES[name].links)
    assert (record.zeros, record.auxiliary) == ("inflated" if inflated else "hurdle", (*base.auxiliary, share))
    assert (record.parameters[-1].support, record.parameters[-1].scale, record.rated) == ("unit", "share", "")
    assert record.statistic == ("pairs" if base.is_rate else "values")
    assert record.statistic in KINDS.values()
    compiled = {kernel.rpartition("_")[0] for kernel in (*KERNELS, *ROW_KERNELS)}
    kernel = f"{'zero_inflated' if inflated else 'hurdle'}_{base.kernel or base.name}"
    assert record.kernel == (kernel if kernel in compiled else None)
    for absent in ("correlation", "median_link", "bambi", "log_tails", "limited_mean"):
        assert getattr(record, absent) is None
    beside = {True: " without zeros", False: ""}[not inflated and base.counts]
    words = f"With the chance {share} it is 0, and else {base.name}{beside}."
    assert record.words.startswith(words)
    assert record.words.endswith(base.words)
    assert ("zeros" in record.response, r"\delta_0" in record.latex, share in record.latex) == (True, True, True)
    assert list(own_outcomes(record)) == list(own_outcomes(FAMILIES[name]))
    assert (record.quantile is None) == (inflated or base.counts)
    assert {"zero", "positive"} <= set(own_outcomes(record)) or base.is_rate


@pytest.mark.parametrize("name", [name for name in BUILT if not name.endswith("genpois")])
def test_a_family_with_zeros_is_the_mixture(name):
    record, base = BUILT[name](), base_of(name)
    own = [np.full(3, 1.3)] * (len(record.parameters) - 1) + [SHARE]
    trials = np.full(3, 9.0)
    exact = mixed(name, base.link.inverse(ETA), own, trials)
    for value in (0.0, 1.0, 4.0):
        values = np.full(3, value)
        response = (values, trials) if base.is_rate else (values,)
        seen = record.log_density(NUMPY, response, record.linear(ETA), *own)
        np.testing.assert_allclose(seen, exact.logpdf(values), rtol=1e-10)
    seen = record.mean(ETA, *own) * (9.0 if base.is_rate else 1.0)
    np.testing.assert_allclose(seen, exact.mean(), rtol=1e-10)
    if not base.is_rate:
        np.testing.assert_allclose(record.variance(exact.mean(), *own), exact.var(), rtol=1e-9)
        zero = np.broadcast_to(read_outcome(record, "zero").at(record.linear(ETA), *own), 3)
        np.testing.assert_allclose(zero, exact.cdf(0.0), rtol=1e-12)
        above = read_outcome(record, "positive").at(record.linear(ETA), *own)
        np.testing.assert_allclose(above, exact.mean() / (1.0 - exact.cdf(0.0)), rtol=1e-10)


def test_only_a_mean_that_stays_the_exponential_of_the_predictor_keeps_its_closed_form():
    """It is told by the name of the link between them."""
    names = {make().name: make().expected.link(make().link, *[0.4] * len(make().parameters)).name
             for make in BUILT.values()}  # fmt: skip
    assert names["zero_inflated_poisson"] == names["hurdle_gamma"] == LOG.name
    assert names["hurdle_lognormal"] == LOG.name
    assert names["zero_inflated_binomial"] not in (LOGIT.name, LOG.name)
    assert names["hurdle_poisson"] not in (LOGIT.name, LOG.name, IDENTITY.name)


def test_zeros_need_numbers_that_vary_and_trials_that_are_several():
    gamma, binomial, poisson = BUILT["hurdle_gamma"](), BUILT["zero_inflated_binomial"](), BUILT["hurdle_poisson"]()
    with pytest.raises(DataError, match=r"numbers from 0 on; 'y' holds -1"):
        choose_family(gamma, response_of([0.0, 2.0, -1.0]))
    with pytest.raises(DataError, match=r"All numbers above 0 in 'y' are 0\.5, .*bernoulli.*I\(y > 0\)"):
        choose_family(gamma, response_of([0.0, 0.5, 0.5]))
    for values in ([0.0, 0.5, 0.6], [0.0, 0.5, 3.0], [0.0, 2.0, 3.0]):
        assert choose_family(gamma, response_of(values))[0].name == "hurdle_gamma"
    with pytest.raises(DataError, match="counts"):
        choose_family(poisson, response_of([0.0, 0.5, 2.0]))
    with pytest.raises(DataError, match=r"'y' is one column.*two kinds of zeros apart"):
        choose_family(binomial, response_of([0, 1, 1]))
    with pytest.raises(DataError, match="here each row has one"):
        choose_family(binomial, response_of([0, 1, 1], "y/n ~ 1", n=[1, 1, 1]))
    assert choose_family(binomial, response_of([0, 1, 2], "y/n ~ 1", n=[1, 1, 2]))[0].name == "zero_inflated_binomial"
    with pytest.raises(DataError, match="counts"):
        choose_family(BUILT["zero_inflated_poisson"](), response_of([0.0, -1.0, 2.0]))


def test_shares_with_zeros_are_a_hurdle_of_another_name():
    record, exact = hurdle(BETA, "beta", "zero_inflated_beta", "zi"), FAMILIES["zero_inflated_beta"]
    assert (record.name, record.auxiliary, record.kernel) == ("zero_inflated_beta", ("phi", "zi"), None)
    own = [np.full(3, 4.0), SHARE]
    for value in (0.0, 0.3):
        response = (np.full(3, value),)
        seen, theirs = (family.log_density(NUMPY, response, family.linear(ETA), *own) for family in (record, exact))
        np.testing.assert_array_equal(seen, theirs)
    assert [functional.of for functional in record.outcomes] == ["zi", "mu"]


FIXED = [
    (name, own.name) for name, family in FAMILIES.items() for own in family.parameters
    if not family.thresholds and not (family.zeros and own.name == family.auxiliary[-1])
]  # fmt: skip


@pytest.mark.parametrize(("name", "fixed"), FIXED)
def test_a_family_with_a_number_for_a_parameter_is_the_family_at_that_number(name, fixed):
    family = read_family(name)
    value = 0.37 if family.parameter(fixed).support == "unit" else 2.9
    given, place = with_fixed(family, fixed, value), family.auxiliary.index(fixed)
    rest = [np.full(3, 0.3 if own.support == "unit" else 2.4) for own in given.parameters]
    whole = [*rest[:place], np.full(3, value), *rest[place:]]
    assert given.auxiliary == tuple(own for own in family.auxiliary if own != fixed)
    assert (given.fixed, given.kernel, given.bambi) == (((fixed, value),), None, None)
    assert given.statistic == ("values" if name == "gaussian" else family.statistic)
    assert given.explosive == tuple(own for own in family.explosive if own != fixed)
    assert given.information_power == (family.information_power if place else 0.0)
    number = np.full(3, 0.6 if family.kind == "unit" else 3.0)
    response = (number, np.full(3, 7.0)) if family.is_rate else (number,)
    linear, rng = family.linear(ETA), np.random.default_rng
    mean = family.mean(ETA, *whole)
    one = tuple(float(part[0]) for part in response)
    asked = {
        "log_density": (NUMPY, response, linear), "log_tails": (NUMPY, response, linear), "variance": (mean,),
        "correlation": (), "draw": (rng(1), (3,), mean, np.full(3, 7.0)), "cdf": (one, linear),
        "quantile": (0.3, linear), "limited_mean": (4.0, linear),
    }  # fmt: skip
    for field, before in asked.items():
        theirs, ours = getattr(family, field), getattr(given, field)
        assert (ours is None) == (theirs is None)
        if theirs is not None:
            expected = theirs(*((rng(1), *before[1:]) if field == "draw" else before), *whole)
            seen = ours(*((rng(1), *before[1:]) if field == "draw" else before), *rest)
            np.testing.assert_allclose(np.array(seen), np.array(expected), rtol=1e-12)
    for field in ("mean_link", "median_link"):
        if getattr(family, field) is not None:
            links = getattr(given, field)(family.link, *rest), getattr(family, field)(family.link, *whole)
            np.testing.assert_allclose(*(link.inverse(ETA) for link in links), rtol=1e-12)
    for own in given.outcomes:
        before = next(other for other in family.outcomes if other.name == own.name)
        assert not own.needs(fixed) or own.uses is None
        np.testing.assert_allclose(own.at(linear, *rest), before.at(linear, *whole), rtol=1e-12)
        assert own.uses == (before.uses and tuple(used for used in before.uses if used != fixed))
    assert {own.name for own in given.outcomes} == {own.name for own in family.outcomes if own.of != fixed}


def test_parameters_have_r_s_names_too_where_a_family_lacks_them():
    named = {
        ("negbinomial", "theta"): "alpha", ("negbinomial", "shape"): "alpha", ("gamma", "shape"): "alpha",
        ("beta_binomial", "phi"): "kappa", ("inverse_gaussian", "sigma"): "shape", ("weibull", "shape"): "shape",
        ("beta", "phi"): "phi", ("gaussian", "sigma"): "sigma",
    }  # fmt: skip
    for (family, theirs), ours in named.items():
        assert with_fixed(read_family(family), theirs, 1.7).fixed == ((ours, 1.7),)


def test_the_share_of_zeros_is_estimated_and_other_shares_may_be_numbers():
    for name in ("zero_inflated_negbinomial", "hurdle_gamma"):
        family = read_family(name)
        with pytest.raises(DataError, match=r"is estimated, and not fixed.*'Beta\(50, 50\)'"):
            with_fixed(family, family.auxiliary[-1], 0.2)
        assert with_fixed(family, "alpha", 0.2).fixed == (("alpha", 0.2),)
    assert with_fixed(read_family("zero_one_inflated_beta"), "coi", 0.2).auxiliary == ("phi", "zoi")
    for wrong, words in ((0.0, "above 0"), (-1.0, "above 0")):
        with pytest.raises(DataError, match=rf"phi={wrong:g} of the family beta: a number {words} is needed"):
            with_fixed(read_family("beta"), "phi", wrong)
    for wrong in (0.0, 1.0):
        with pytest.raises(DataError, match="a number between 0 and 1 is needed"):
            with_fixed(read_family("zero_one_inflated_beta"), "zoi", wrong)


def test_a_mean_that_hangs_on_a_wide_prior_exists_once_its_parameter_is_a_number():
    """The mean of lognormal numbers, exp(mu + sigma²/2), under a prior of sigma without end, and under none."""
    family = read_family("lognormal")
    wide = {"sigma": (FAMILIES["lognormal"].parameters[0].usual_prior(ResponseScale(1.0, 2.0, 2.5)),)}
    assert not family.has_posterior_mean("mean", wide, False)
    given = with_fixed(family, "sigma", 0.8)
    assert given.has_posterior_mean("mean", {}, False) is True
    assert given.has_posterior_mean("mean", {}, True) is False


def test_two_trials_a_row_can_show_overdispersion():
    chosen = choose_family(BETA_BINOMIAL, response_of([0, 1, 2], "y/n ~ 1", n=[2, 2, 2]))[0]
    assert chosen.name == "beta_binomial"
    with pytest.raises(DataError, match=r"here each row has one.*overdispersion"):
        choose_family(BETA_BINOMIAL, response_of([0, 1, 1], "y/n ~ 1", n=[1, 1, 1]))


def test_rates_that_round_beyond_their_ends_are_drawn_as_these_ends():
    for family, own in ((BINOMIAL, []), (BETA_BINOMIAL, [3.0])):
        for mean, successes in ((np.nextafter(1.0, 2.0), 5.0), (-1e-17, 0.0)):
            drawn = family.draw(np.random.default_rng(1), (50,), mean, 5.0, *own)
            np.testing.assert_array_equal(drawn, successes)


def test_logarithms_of_means_beside_zeros_go_on_where_means_round_to_nothing():
    for name in ("zero_inflated_poisson", "zero_inflated_negbinomial", "hurdle_gamma", "hurdle_lognormal"):
        record = BUILT[name]()
        own = [np.full(3, 0.8)] * (len(record.parameters) - 1) + [SHARE]
        link = record.expected.link(record.link, *own)
        np.testing.assert_allclose(link.log_inverse(ETA), np.log(record.mean(ETA, *own)), rtol=1e-12)
        assert np.isfinite(link.log_inverse(np.full(3, -2000.0))).all()
    rates = BUILT["zero_inflated_binomial"]()
    assert rates.expected.link(rates.link, SHARE).log_inverse is None


@pytest.mark.parametrize("name", BUILT)
def test_what_is_above_nothing_hangs_on_mu_and_zeros_on_their_share(name):
    record = BUILT[name]()
    assert (record.location == "") == base_of(name).is_rate
    for functional in record.outcomes:
        share = record.auxiliary[-1]
        assert functional.needs("mu") == (functional.name != "zero")
        assert functional.needs(share) == (functional.name == "zero")
