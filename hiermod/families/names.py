"""The names of families, their links and other spellings; from the standard library alone."""

from __future__ import annotations

from typing import Literal

FamilyName = Literal[
    "bernoulli", "binomial", "gaussian", "poisson", "negbinomial", "student", "gamma", "lognormal", "beta_binomial"
]  # fmt: skip
RATE_LINKS = ("logit", "probit", "cloglog")
LINKS: dict[FamilyName, tuple[str, ...]] = {  # of each family, the usual one first
    "bernoulli": RATE_LINKS,
    "binomial": RATE_LINKS,
    "gaussian": ("identity",),
    "poisson": ("log",),
    "negbinomial": ("log",),
    "student": ("identity",),
    "gamma": ("log",),
    "lognormal": ("identity",),
    "beta_binomial": RATE_LINKS,
}
ALIASES = {
    "negativebinomial": "negbinomial", "negative_binomial": "negbinomial", "negbin": "negbinomial", "nb": "negbinomial",
    "t": "student", "studentt": "student", "student_t": "student", "betabinomial": "beta_binomial",
}  # fmt: skip
MEANT = {"normal": "gaussian", "logistic": "bernoulli", "logit": "bernoulli", "binom": "binomial",
         "quasipoisson": "negbinomial", "quasibinomial": "beta_binomial", "neg_binomial": "negbinomial"}  # fmt: skip
