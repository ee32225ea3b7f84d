"""The names of families, their links and other spellings; from the standard library alone."""

from __future__ import annotations

from typing import Literal

FamilyName = Literal[
    "bernoulli", "binomial", "gaussian", "poisson", "negbinomial", "student", "gamma", "lognormal", "beta_binomial",
    "geometric", "nbinom1", "beta",
    "weibull", "exponential", "shifted_lognormal", "exgaussian",
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
    "geometric": ("log",),
    "nbinom1": ("log",),
    "beta": RATE_LINKS,
    "weibull": ("log",),
    "exponential": ("log",),
    "shifted_lognormal": ("identity",),
    "exgaussian": ("identity",),
}
ALIASES = {
    "negativebinomial": "negbinomial", "negative_binomial": "negbinomial", "negbin": "negbinomial", "nb": "negbinomial",
    "nbinom2": "negbinomial",
    "t": "student", "studentt": "student", "student_t": "student", "betabinomial": "beta_binomial",
    "beta_family": "beta", "betar": "beta",
}  # fmt: skip
ABSENT = {  # families of other packages that are not here: their names, and what is nearest
    ("multinomial", "categorical", "dirichlet", "cumulative", "sratio", "cratio", "acat", "ordinal", "ordered"): (
        "Categories and their order are not modelled. The nearest is the rate of one level, y['level'] ~ x."
    ),
    ("zero_inflated_beta", "zero_one_inflated_beta"): (
        "The nearest for shares is 'beta', which takes neither 0 nor 1."
    ),
    ("von_mises", "asym_laplace", "mixture"): (
        "There is none that is near; hm.register_family takes its density."
    ),
    ("cox", "frechet", "wald", "inverse_gaussian", "tweedie", "hurdle_gamma", "hurdle_lognormal"): (
        "The nearest for numbers above 0, without zeros, are 'gamma', 'lognormal' and 'weibull'."
    ),
    ("skew_normal", "gen_extreme_value"): "The nearest is 'exgaussian', which has a long right tail.",
    ("zero_inflated_poisson", "zero_inflated_negbinomial", "hurdle_poisson", "hurdle_negbinomial", "ziplss",
     "truncated_poisson", "truncated_nbinom1", "truncated_nbinom2", "zero_inflated_binomial", "hurdle_cumulative",
     "zero_inflated_beta_binomial"): (
        "Zeros have no part of their own here. The nearest is the family without it, by its own name."
    ),
    ("com_poisson", "compois", "genpois", "quasi"): (
        "Other variances than mu, 'poisson', mu + mu²/alpha, 'negbinomial', and mu·(1 + phi), 'nbinom1', are not there."
    ),
}  # fmt: skip
MEANT = {"normal": "gaussian", "logistic": "bernoulli", "logit": "bernoulli", "binom": "binomial",
         "quasipoisson": "negbinomial", "quasibinomial": "beta_binomial", "neg_binomial": "negbinomial"}  # fmt: skip
