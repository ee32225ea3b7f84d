"""A family of shares that nobody ships, as a user would write it."""

import numpy as np
import pandas as pd
from scipy import special

import hiermod as hm


def log_density(ops, response, mu, phi):
    """Minus the logarithm of a share is gamma with shape phi and rate theta; mu = (theta/(1 + theta))**phi."""
    share, root = response[0], mu.link.log_rates(ops, mu.eta)[0] / phi
    log_theta = root - ops.log(-ops.expm1(root))
    size = -ops.log(share)
    return phi * log_theta - ops.gammaln(phi) + (phi - 1.0) * ops.log(size) - (ops.exp(log_theta) - 1.0) * size


def theta(mean, phi):
    root = mean ** (1.0 / phi)
    return root / (1.0 - root)


def draw(rng, shape, mean, trials, phi):
    return np.exp(-rng.standard_gamma(phi, shape) / theta(mean, phi))


def variance(mean, phi):
    rate = theta(mean, phi)
    return (rate / (rate + 2.0)) ** phi - mean**2


def cdf(response, mu, phi):
    chance = special.gammaincc(phi, -np.log(response[0]) * theta(mu.link.inverse(mu.eta), phi))
    return chance, chance


UNIT_GAMMA = hm.Family(
    name="unit_gamma_of_tests", kind="unit", links=("logit", "probit", "cloglog"), log_density=log_density,
    parameters=(hm.Parameter("phi", "shape", "shape", "Gamma(2, 0.5)"),), draw=draw, variance=variance, cdf=cdf,
    response="shares between 0 and 1",
)  # fmt: skip


def shares(rows=240, seed=3):
    """Shares in eight shops before and after, with a mean by logit and the shape 2."""
    rng = np.random.default_rng(seed)
    shop, treated = np.arange(rows) % 8, np.arange(rows) // 8 % 2
    mean = special.expit(-0.4 + 0.6 * treated + rng.normal(0.0, 0.5, 8)[shop])
    return pd.DataFrame({"y": draw(rng, rows, mean, 1, 2.0), "treated": treated, "shop": [f"s{k}" for k in shop]})
