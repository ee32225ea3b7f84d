"""The names of families, their links and other spellings; from the standard library alone."""

from __future__ import annotations

from typing import Literal

FamilyName = Literal[
    "bernoulli", "binomial", "gaussian", "poisson", "negbinomial", "student", "gamma", "lognormal", "beta_binomial",
    "cumulative", "sratio", "cratio", "acat", "categorical",
    "geometric", "nbinom1", "beta", "zero_one_inflated_beta",
    "weibull", "exponential", "shifted_lognormal", "exgaussian",
    "zero_inflated_poisson", "zero_inflated_negbinomial", "zero_inflated_nbinom1", "zero_inflated_binomial",
    "zero_inflated_beta_binomial",
    "hurdle_poisson", "hurdle_negbinomial", "hurdle_nbinom1", "hurdle_gamma", "hurdle_lognormal",
    "truncated_poisson", "truncated_negbinomial", "truncated_nbinom1",
    "inverse_gaussian", "skew_normal", "laplace", "asym_laplace", "gen_extreme_value", "frechet", "von_mises",
    "zero_inflated_beta",
    "genpois", "zero_inflated_genpois", "hurdle_genpois", "truncated_genpois",
]  # fmt: skip
RATE_LINKS = ("logit", "probit", "cloglog")
OTHER_RATE_LINKS = ("loglog", "cauchit")  # that the engine does not have
LINKS: dict[FamilyName, tuple[str, ...]] = {  # of each family, the usual one first
    "bernoulli": (*RATE_LINKS, "log", *OTHER_RATE_LINKS),
    "binomial": (*RATE_LINKS, "log", *OTHER_RATE_LINKS),
    "gaussian": ("identity", "log"),
    "poisson": ("log", "identity"),
    "negbinomial": ("log", "identity"),
    "student": ("identity", "log"),
    "gamma": ("log", "inverse"),
    "lognormal": ("identity",),
    "beta_binomial": RATE_LINKS,
    "cumulative": (*RATE_LINKS, *OTHER_RATE_LINKS),
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
    "exgaussian": ("identity", "log"),
    "zero_inflated_poisson": ("log",),
    "zero_inflated_negbinomial": ("log",),
    "zero_inflated_nbinom1": ("log",),
    "zero_inflated_binomial": RATE_LINKS,
    "zero_inflated_beta_binomial": RATE_LINKS,
    "hurdle_poisson": ("log",),
    "hurdle_negbinomial": ("log",),
    "hurdle_nbinom1": ("log",),
    "hurdle_gamma": ("log",),
    "hurdle_lognormal": ("identity",),
    "truncated_poisson": ("log",),
    "truncated_negbinomial": ("log",),
    "truncated_nbinom1": ("log",),
    "inverse_gaussian": ("log", "inverse", "1/mu^2"),
    "skew_normal": ("identity", "log"),
    "laplace": ("identity",),
    "asym_laplace": ("identity",),
    "gen_extreme_value": ("identity",),
    "frechet": ("log",),
    "von_mises": ("tan_half",),
    "zero_inflated_beta": RATE_LINKS,
    "genpois": ("log",),
    "zero_inflated_genpois": ("log",),
    "hurdle_genpois": ("log",),
    "truncated_genpois": ("log",),
}
ALIASES = {
    "negativebinomial": "negbinomial", "negative_binomial": "negbinomial", "negbin": "negbinomial", "nb": "negbinomial",
    "nbinom2": "negbinomial", "neg_binomial_2": "negbinomial", "negative.binomial": "negbinomial",
    "t": "student", "studentt": "student", "student_t": "student", "t_family": "student",
    "betabinomial": "beta_binomial",
    "multinomial": "categorical", "multinom": "categorical",
    "beta_family": "beta", "betar": "beta", "zoib": "zero_one_inflated_beta",
    "zero_inflated_negativebinomial": "zero_inflated_negbinomial", "zero_inflated_nbinom2": "zero_inflated_negbinomial",
    "truncated_nbinom2": "truncated_negbinomial",
    "negbinomial2": "negbinomial",
    "inverse.gaussian": "inverse_gaussian", "wald": "inverse_gaussian", "skewnormal": "skew_normal",
    "asymmetriclaplace": "asym_laplace", "vonmises": "von_mises",
    "zero_inflated_betabinomial": "zero_inflated_beta_binomial", "hurdle_negativebinomial": "hurdle_negbinomial",
}  # fmt: skip
ABSENT = {  # families of other packages that are not here: their names, and what is nearest
    ("xbeta",): "The nearest for shares from 0 to 1 is 'zero_one_inflated_beta'.",
    ("wiener",): "The nearest for response times are 'shifted_lognormal' and 'exgaussian'.",
    ("dirichlet", "dirichlet_multinomial", "logistic_normal"): (
        "Shares that add up to 1 are not modelled. The nearest is 'beta', of one share."
    ),
    ("mixture",): "There is none that is near; hm.register_family takes its density.",
    ("cox", "tweedie"): (
        "The nearest for numbers above 0 are 'gamma', 'lognormal' and 'weibull'; with zeros, 'hurdle_gamma'."
    ),
    ("hurdle_cumulative",): "There is none that is near with a part of its own for zeros.",
    ("com_poisson", "compois", "truncated_compois", "discrete_weibull", "bell", "quasi"): (
        "Other variances than mu, 'poisson', mu + mu²/alpha, 'negbinomial', mu·(1 + phi), 'nbinom1', and "
        "mu·(1 + phi)², 'genpois', are not there."
    ),
}  # fmt: skip
OF_BAMBI = {  # families that Bambi has and hiermod has not, by what they are called here and there, with a usual link
    "dirichlet_multinomial": "dirichlet_multinomial",
}  # fmt: skip
ABSENT_LINKS = {  # of other packages, and what is nearest
    ("cauchit",): "The nearest is 'logit', whose tails are lighter.",
    ("loglog", "log_log", "log-log"): (
        "It is 'cloglog' seen from the other end: of failures in place of successes, or of the categories in reverse "
        "order, with coefficients of the other sign."
    ),
    ("aranda-ordaz", "log-gamma"): "Those that it lies between are 'logit' and 'cloglog'.",
    ("probit_approx",): "The exact one is 'probit'.",
    ("logistic",): "It is 'logit'.",
}  # fmt: skip
MEANT = {**dict.fromkeys((
             "ordinal", "ordered", "polr", "clm", "clmm", "clmm2", "stan_polr", "lrm", "orm", "propodds", "ocat",
             "ordered_logit", "ordered_logistic", "proportional_odds"), "cumulative"),
         "ordered_probit": "cumulative(probit)",
         "stopping_ratio": "sratio", "sequential": "sratio", "continuation_ratio": "cratio",
         "adjacent_category": "acat", "adjacent": "acat", "mblogit": "categorical", "mlogit": "categorical",
         "normal": "gaussian", "logistic": "bernoulli", "logit": "bernoulli", "binom": "binomial",
         "zip": "zero_inflated_poisson", "ziplss": "zero_inflated_poisson", "zinb": "zero_inflated_negbinomial",
         "zigamma": "hurdle_gamma",
         "quasipoisson": "negbinomial", "quasibinomial": "beta_binomial", "neg_binomial": "negbinomial"}  # fmt: skip
