"""Models with a part of their own for zeros: default priors, counting, notices and refusals."""

import numpy as np
import pandas as pd
import pytest
from modeling_tools import spec_of

import hiermod as hm
from hiermod.data.cells.statistics import PairCells, ValueCells
from hiermod.errors import DataError, ModelError
from hiermod.families.registry import FAMILIES

MIXTURES = {name: record for name, record in FAMILIES.items() if record.zeros and record.kind != "unit"}
COUNTS = pd.DataFrame({"y": [0, 0, 0, 2, 2, 6, 6, 0], "x": [0, 1] * 4, "t": [1.0, 2.0] * 4, "n": 9})
NUMBERS = COUNTS.assign(y=[0.0, 0.0, 0.0, 1.0, 2.0, 6.0, 4.0, 0.0])


@pytest.mark.parametrize("name", ["zero_inflated_poisson", "hurdle_poisson", "hurdle_negbinomial"])
def test_the_intercept_is_centred_at_what_is_above_zero(name):
    (prior,) = spec_of("y ~ x", COUNTS, name).priors["Intercept"]
    np.testing.assert_allclose(prior.arguments, (3.0, np.log(16 / 4), 1.0))


def test_exposures_of_zeros_do_not_count():
    (prior,) = spec_of("y ~ x + offset(log(t))", COUNTS, "zero_inflated_negbinomial").priors["Intercept"]
    np.testing.assert_allclose(prior.arguments, (3.0, np.log(16 / 6), 1.0))


def test_hurdles_of_numbers_are_centred_as_the_families_without_zeros():
    above = NUMBERS[NUMBERS["y"] > 0]
    for name in ("gamma", "lognormal"):
        seen, expected = spec_of("y ~ x", NUMBERS, f"hurdle_{name}"), spec_of("y ~ x", above, name)
        for key, priors in expected.priors.items():
            assert [str(prior) for prior in seen.priors[key]] == [str(prior) for prior in priors]


@pytest.mark.parametrize("name", MIXTURES)
def test_shares_are_uniform_and_their_linear_predictors_start_at_a_half(name):
    share, left = MIXTURES[name].parameters[-1].name, "y/n" if MIXTURES[name].is_rate else "y"
    frame = NUMBERS if "gamma" in name or "log" in name else COUNTS
    assert str(spec_of(f"{left} ~ x", frame, name).priors[share][0]) == "Beta(1, 1)"
    (prior,) = spec_of(f"{left} ~ x; {share} ~ x", frame, name).priors[f"{share}_Intercept"]
    assert str(prior) == "StudentT(3, 0, 1)"


@pytest.mark.parametrize("name", MIXTURES)
def test_equal_responses_are_counted(name):
    left = "y/n" if MIXTURES[name].is_rate else "y"
    response = spec_of(f"{left} ~ 1", NUMBERS if MIXTURES[name].kind == "positive" else COUNTS, name).cells.response
    assert isinstance(response, PairCells if MIXTURES[name].is_rate else ValueCells)
    assert response.count.max() == 4


@pytest.mark.parametrize(
    ("name", "share", "beside"),
    [("zero_inflated_poisson", "zi", "poisson"), ("hurdle_gamma", "hu", "gamma"), ("hurdle_poisson", "hu", "")],
)
def test_data_without_zeros_tell_of_no_share(name, share, beside):
    notices = hm.model("y ~ x", COUNTS[COUNTS["y"] > 0], name)._defined.notices
    (said,) = [notice for notice in notices if "no response is 0" in notice]
    assert f"{share} is as near 0 as its prior lets it be" in said
    assert (f"({beside} is the family without it)" in said) == bool(beside)


@pytest.mark.parametrize(
    ("family", "frame", "match"),
    [
        ("hurdle_gamma", NUMBERS.assign(y=[0.0] * 4 + [2.5] * 4), r"All numbers above 0 in 'y' are 2.5"),
        ("hurdle_lognormal", NUMBERS.assign(y=-NUMBERS["y"]), r"takes numbers from 0 on; 'y' holds -1"),
        ("hurdle_poisson", COUNTS.assign(y=0), "constant"),
        ("hurdle_gamma", NUMBERS.assign(y=0.0), "constant"),
        ("zero_inflated_binomial", COUNTS.assign(y=COUNTS["y"].clip(upper=1)), "Single trials cannot tell two kinds"),
        ("lognormal", NUMBERS, "'hurdle_lognormal' gives zeros a part of their own"),
    ],
)
def test_responses_that_a_part_cannot_take(family, frame, match):
    with pytest.raises(DataError, match=match):
        spec_of("y ~ x", frame, family)


def test_a_hurdle_of_lognormal_numbers_refuses_what_predictors_make_up():
    frame = pd.DataFrame({"y": [0.0, *np.exp([1.0, 2.0, 3.0, 4.0, 5.0])], "x": [9.0, 1.0, 2.0, 3.0, 4.0, 5.0]})
    spec = spec_of("y ~ x", frame, "hurdle_lognormal")
    with pytest.raises(DataError, match="is a combination of 'x': nothing is left whose spread sigma could be"):
        spec.refuse_exact()


@pytest.mark.parametrize(("share", "kind"), [("zi", "zero_inflated"), ("hu", "hurdle")])
def test_a_share_of_zeros_names_the_family_that_has_it(share, kind):
    with pytest.raises(ModelError, match=f"has no parameter '{share}'. Say family='{kind}_poisson', which has it"):
        hm.model(f"y ~ x; {share} ~ x", COUNTS, "poisson")


def test_glmmtmb_s_formula_of_zeros_is_a_hurdle_s_too():
    assert "hu" in hm.model("y ~ x, ziformula = ~ x", COUNTS, "hurdle_poisson")._defined.spec.predictors
