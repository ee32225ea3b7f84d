"""Parameters of a family between 0 and 1, and anywhere, are sampled on lines of their own, as in the public model."""

from dataclasses import replace

import numpy as np
import pytest
from engine_oracle import assert_same_density, oracle_of
from modeling_tools import spec_of
from random_models import random_frame

import hiermod as hm
from hiermod.errors import ModelError, PriorError
from hiermod.families.record import ResponseScale
from hiermod.priors.distributions import Prior
from hiermod.priors.reading import fitted, read_prior

FRAME = random_frame(np.random.default_rng(4))


@pytest.mark.parametrize(
    ("support", "prior"),
    [
        ("unit", "Beta(2, 3)"),
        ("unit", "Uniform(0.2, 0.9)"),
        ("unit", "Normal(0.5, 1, lower=0, upper=1)"),
        ("real", "Normal(5, 0.5)"),
        ("real", "StudentT(4, 6, 0.3)"),
    ],
)
def test_the_compiled_density_is_that_of_the_public_model(support, prior):
    spec = spec_of("y ~ x + (1 | g)", FRAME, "student")
    own = (spec.family.parameters[0], hm.Parameter("nu", support=support))
    family = replace(spec.family, parameters=own)
    oracle = oracle_of(replace(spec, family=family, priors={**spec.priors, "nu": (read_prior("nu", prior),)}))
    rng = np.random.default_rng(1)
    points = [rng.normal(0.0, 0.5, oracle.program.problem.dimension) for _ in range(3)]
    points = [np.append(point[:-1], 5.0 + point[-1]) for point in points] if support == "real" else points
    assert_same_density(oracle, points)


def test_priors_that_records_leave_out_suit_the_support():
    scale = ResponseScale(0.0, 1.0, 1.0)
    assert hm.Parameter("a").usual_prior(scale) == Prior("InverseGamma", (0.4, 0.3))
    assert hm.Parameter("zi", support="unit").usual_prior(scale) == Prior("Beta", (1.0, 1.0))
    assert hm.Parameter("xi", support="real").usual_prior(scale) == Prior("StudentT", (3.0, 0.0, 1.0))
    assert hm.Parameter("zi", support="unit", links=("probit",)).links == ("probit",)
    assert hm.Parameter("sigma").links == ("log",)


def test_a_prior_is_cut_off_where_a_share_ends():
    prior, notice = fitted("zi", read_prior("zi", "Normal(0.2, 1)"), "unit")
    assert prior.support == (0.0, 1.0)
    assert "'zi' is between 0 and 1, so that Normal(0.2, 1) is cut off there" in notice
    assert fitted("zi", read_prior("zi", "Uniform(-1, 0.5)"), "unit")[0].arguments == (0.0, 0.5)
    with pytest.raises(PriorError, match=r"'zi' is between 0 and 1, and Uniform\(2, 3\) has next to nothing there"):
        fitted("zi", read_prior("zi", "Uniform(2, 3)"), "unit")


def test_a_support_or_a_link_that_is_unknown():
    with pytest.raises(ModelError, match=r"support='units'.*'unit'"):
        hm.Parameter("zi", support="units")
    with pytest.raises(ModelError, match=r"of support 'positive' has no link 'logit'.*log"):
        hm.Parameter("sigma", links=("logit",))
