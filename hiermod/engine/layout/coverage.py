"""Which models compiled code covers."""

from __future__ import annotations

from hiermod.engine.kernels.record import KERNELS
from hiermod.families.record import Family
from hiermod.modeling.spec import Spec

PRIORS = {
    "Normal": "normal", "StudentT": "student", "Cauchy": "student", "Laplace": "laplace", "Logistic": "logistic",
    "Uniform": "uniform", "HalfNormal": "normal", "HalfStudentT": "student", "HalfCauchy": "student",
    "Exponential": "exponential", "Gamma": "gamma", "InverseGamma": "inverse_gamma", "LogNormal": "log_normal",
    "Beta": "beta",
}  # fmt: skip


def kernel_of(family: Family) -> str:
    """The name of the kernel of a family under its link."""
    kernel = "trials" if family.name in ("bernoulli", "binomial") else family.name
    return f"{kernel}_{family.link.name}"


def uncovered(spec: Spec) -> str | None:
    """Why a model is not covered, None where it is."""
    if kernel_of(spec.family) not in KERNELS:
        return f"the family {spec.family} is not covered"
    table = spec.priors
    for prior in (*table.coefficients.values(), *table.sds.values(), *table.auxiliary.values()):
        if prior.name not in PRIORS:
            return f"the prior {prior.name} is not covered"
    return None
