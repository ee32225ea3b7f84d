"""The names of families, their links and other spellings; from the standard library alone."""

from __future__ import annotations

from typing import Literal

FamilyName = Literal[
    "bernoulli", "binomial", "gaussian", "poisson", "negbinomial", "student", "gamma", "lognormal", "beta_binomial",
    "cumulative", "sratio", "cratio", "acat", "categorical",
    "geometric", "nbinom1", "beta", "zero_one_inflated_beta",
    "weibull", "exponential", "shifted_lognormal", "exgaussian",
    "zero_inflated_poisson", "zero_inflated_negbinomial", "zero_inflated_binomial", "zero_inflated_beta_binomial",
    "hurdle_poisson", "hurdle_negbinomial", "hurdle_gamma", "hurdle_lognormal",
]  # fmt: skip
RATE_LINKS = ("logit", "probit", "cloglog")
LINKS: dict[FamilyName, tuple[str, ...]] = {  # of each family, the usual one first
    "bernoulli": (*RATE_LINKS, "log"),
    "binomial": (*RATE_LINKS, "log"),
    "gaussian": ("identity", "log"),
    "poisson": ("log",),
    "negbinomial": ("log",),
    "student": ("identity",),
    "gamma": ("log", "inverse"),
    "lognormal": ("identity",),
    "beta_binomial": RATE_LINKS,
    "cumulative": RATE_LINKS,
    "sratio": RATE_LINKS,
    "cratio": RATE_LINKS,
    "acat": ("logit",),
    "categorical": ("logit",),
    "geometric": ("log",),
    "nbinom1": ("log",),
    "beta": RATE_LINKS,
    "zero_one_inflated_beta": RATE_LINKS,
    "weibull": ("log",),
    "exponential": ("log",),
    "shifted_lognormal": ("identity",),
    "exgaussian": ("identity",),
    "zero_inflated_poisson": ("log",),
    "zero_inflated_negbinomial": ("log",),
    "zero_inflated_binomial": RATE_LINKS,
    "zero_inflated_beta_binomial": RATE_LINKS,
    "hurdle_poisson": ("log",),
    "hurdle_negbinomial": ("log",),
    "hurdle_gamma": ("log",),
    "hurdle_lognormal": ("identity",),
}
ALIASES = {
    "negativebinomial": "negbinomial", "negative_binomial": "negbinomial", "negbin": "negbinomial", "nb": "negbinomial",
    "nbinom2": "negbinomial",
    "t": "student", "studentt": "student", "student_t": "student", "betabinomial": "beta_binomial",
    "beta_family": "beta", "betar": "beta", "zoib": "zero_one_inflated_beta",
    "zero_inflated_negativebinomial": "zero_inflated_negbinomial", "zero_inflated_nbinom2": "zero_inflated_negbinomial",
    "zero_inflated_betabinomial": "zero_inflated_beta_binomial", "hurdle_negativebinomial": "hurdle_negbinomial",
}  # fmt: skip
ABSENT = {  # families of other packages that are not here: their names, and what is nearest
    ("dirichlet",): "Shares that add up to 1 are not modelled. The nearest is 'beta', of one share.",
    ("zero_inflated_beta",): (
        "The nearest for shares with zeros is 'zero_one_inflated_beta', which takes 1 as well."
    ),
    ("von_mises", "asym_laplace", "mixture"): (
        "There is none that is near; hm.register_family takes its density."
    ),
    ("cox", "frechet", "wald", "inverse_gaussian", "tweedie"): (
        "The nearest for numbers above 0 are 'gamma', 'lognormal' and 'weibull'; with zeros, 'hurdle_gamma'."
    ),
    ("skew_normal", "gen_extreme_value"): "The nearest is 'exgaussian', which has a long right tail.",
    ("truncated_nbinom1", "hurdle_cumulative"): "There is none that is near with a part of its own for zeros.",
    ("com_poisson", "compois", "genpois", "quasi"): (
        "Other variances than mu, 'poisson', mu + mu²/alpha, 'negbinomial', and mu·(1 + phi), 'nbinom1', are not there."
    ),
}  # fmt: skip
MEANT = {"multinomial": "categorical", "multinom": "categorical",
         "ordinal": "cumulative", "ordered": "cumulative", "polr": "cumulative", "clm": "cumulative",
         "normal": "gaussian", "logistic": "bernoulli", "logit": "bernoulli", "binom": "binomial",
         "zip": "zero_inflated_poisson", "ziplss": "zero_inflated_poisson", "zinb": "zero_inflated_negbinomial",
         "truncated_poisson": "hurdle_poisson", "truncated_nbinom2": "hurdle_negbinomial", "zigamma": "hurdle_gamma",
         "quasipoisson": "negbinomial", "quasibinomial": "beta_binomial", "neg_binomial": "negbinomial"}  # fmt: skip
