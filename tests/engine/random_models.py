"""Random models on random data: families, links, priors, groups, weights and offsets."""

import numpy as np
import pandas as pd

FAMILIES = {
    "bernoulli": "b", "bernoulli(probit)": "b", "bernoulli(cloglog)": "b", "binomial": "s/n", "binomial(probit)": "s/n",
    "binomial(cloglog)": "s/n", "gaussian": "y", "poisson": "c", "negbinomial": "c", "student": "y", "gamma": "p",
    "gaussian(log)": "p", "geometric": "c", "nbinom1": "c", "beta": "u", "beta(probit)": "u", "beta(cloglog)": "u",
    "zero_one_inflated_beta": "v",
    "lognormal": "p", "weibull": "p", "exponential": "p", "shifted_lognormal": "p", "exgaussian": "y",
    "beta_binomial": "s/n", "beta_binomial(probit)": "s/n", "beta_binomial(cloglog)": "s/n",
}  # fmt: skip
COMMON = ("1", "x", "i", "f", "x*i", "x*f", "0 + f", "x + poly(z, 2)", "0 + x")
GROUPS = (
    "", "(1|g)", "(1+x|g)", "(1+x||g)", "(0+f|g)", "(1+x+i|g)", "(1|g) + (1|h)", "(1+x|g) + (1+i|h)", "(1|g/h)",
    "(0+x|g) + (1|h)", "(1+f|g) + (0+x|h)", "(f||g)", "(1|g) + (0+x|g)",
)  # fmt: skip
LOCATED = ("Normal(0.3, 1.5)", "StudentT(4, 0, 2)", "Cauchy(0, 1)", "Laplace(0.1, 2)", "Logistic(0, 1)")
POSITIVE = (
    "HalfNormal(2)", "HalfStudentT(3, 1)", "HalfCauchy(1)", "Exponential(0.7)", "Gamma(2, 1)", "InverseGamma(3, 2)",
    "LogNormal(0, 0.7)",
)  # fmt: skip
AUXILIARY = {"gaussian": ("sigma",), "negbinomial": ("alpha",), "student": ("sigma", "nu"), "gamma": ("alpha",),
             "nbinom1": ("phi",), "zero_one_inflated_beta": ("phi",), "beta": ("phi",),
             "lognormal": ("sigma",), "weibull": ("shape",), "shifted_lognormal": ("sigma",),
             "exgaussian": ("sigma", "beta"), "beta_binomial": ("kappa",)}  # fmt: skip


def random_frame(rng, rows=60):
    trials = rng.integers(2, 9, rows)
    frame = {
        "x": rng.normal(1.0, 1.0, rows).round(2), "z": rng.normal(size=rows), "i": rng.integers(0, 2, rows),
        "f": rng.choice(list("abc"), rows), "g": rng.choice(list("pqrst"), rows), "h": rng.choice(list("uvw"), rows),
        "w": rng.integers(1, 4, rows), "b": rng.integers(0, 2, rows), "n": trials, "s": rng.binomial(trials, 0.4),
        "y": rng.normal(2.0, 3.0, rows).round(1), "c": rng.poisson(3.0, rows), "p": rng.gamma(2.0, 1.0, rows) + 0.01,
        "u": rng.beta(2.0, 3.0, rows).round(3).clip(0.001, 0.999), "v": rng.beta(0.5, 0.7, rows).round(1),
    }  # fmt: skip
    return pd.DataFrame(frame)


def random_model(seed):
    """Formula, family, priors and data."""
    rng = np.random.default_rng(seed)
    family = rng.choice(list(FAMILIES))
    name = family.partition("(")[0]
    common, groups = rng.choice(COMMON), rng.choice(GROUPS)
    response = FAMILIES[family]
    if response not in ("s/n",) and rng.random() < 0.3:
        response += " | weights(w)"
    text = f"{response} ~ {common}" + (f" + {groups}" if groups else "")
    text += " + offset(0.3*z)" if rng.random() < 0.3 and "poly" not in text else ""
    priors = {}
    if rng.random() < 0.6:
        if not common.startswith("0"):
            priors["Intercept"] = str(rng.choice(LOCATED))
        if groups:
            priors["sd"] = str(rng.choice(POSITIVE))
        for parameter in AUXILIARY.get(name, ()):
            priors[parameter] = str(rng.choice(POSITIVE))
        if common == "i":
            priors["i"] = str(rng.choice([*LOCATED, "Uniform(-3, 4)", "HalfNormal(2)"]))
        if "(1+x" in groups and "||" not in groups:
            priors["cor"] = str(rng.choice(["LKJ(1)", "LKJ(3.5)"]))
    return text, family, priors, random_frame(rng)
