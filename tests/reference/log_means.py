"""Logarithms of the chances of success and failure, ``log E[p(mean + sd Z)]``, at extreme linear predictors.

    pip install mpmath
    python tests/reference/log_means.py

It writes ``log_means.csv``: arithmetic of 60 digits, Gauss-Legendre quadrature in pieces about the integrand's mode.
"""

import csv
from functools import partial
from pathlib import Path

import mpmath as mp

mp.mp.dps = 60
POINTS = {
    "logit": [(0, 0), (40, 0), (-800, 0), (800, 0), (0, 1), (-40, 3), (800, 1), (-800, 20), (30, 0.125), (5, 2)],
    "probit": [(0, 0), (10, 0), (-38, 0), (37, 0), (800, 0), (0, 1), (-40, 3), (800, 20), (30, 0.125), (5, 2)],
    "cloglog": [(0, 0), (5, 0), (-800, 0), (6, 0), (0, 1), (-40, 3), (-800, 20), (5, 2), (8, 1), (30, 0.125), (-5, 2)],
}


def log_chances(link, eta):
    """The logarithms of success and failure, without cancellation."""
    if link == "logit":
        return -log1p_exp(-eta), -log1p_exp(eta)
    if link == "probit":
        return mp.log(mp.erfc(-eta / mp.sqrt(2)) / 2), mp.log(mp.erfc(eta / mp.sqrt(2)) / 2)
    hazard = mp.e**eta
    return mp.log(-mp.expm1(-hazard)), -hazard


def log_chance(link, k, eta):
    return log_chances(link, eta)[k]


def log1p_exp(x):
    return x + mp.log1p(mp.e**-x) if x > 0 else mp.log1p(mp.e**x)


def log_expectation(log_value, mean, sd):
    if sd == 0:
        return log_value(mp.mpf(mean))
    mean, sd = mp.mpf(mean), mp.mpf(sd)

    def log_integrand(z):
        return log_value(mean + sd * z) - z**2 / 2

    low, high = mp.mpf(-1), mp.mpf(1)
    while log_integrand(low) > log_integrand(low + mp.mpf("0.01")):
        low *= 2
    while log_integrand(high) > log_integrand(high - mp.mpf("0.01")):
        high *= 2
    for _ in range(200):  # a third at a time
        one, other = low + (high - low) / 3, high - (high - low) / 3
        low, high = (one, high) if log_integrand(one) < log_integrand(other) else (low, other)
    mode, top = (low + high) / 2, log_integrand((low + high) / 2)
    pieces = [mode + mp.mpf(k) / 4 for k in range(-64, 65)]
    total = mp.quad(lambda z: mp.e ** (log_integrand(z) - top), pieces)
    return top + mp.log(total) - mp.log(2 * mp.pi) / 2


with (Path(__file__).parent / "log_means.csv").open("w", newline="") as file:
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(["link", "mean", "sd", "log_success", "log_failure"])
    for link, points in POINTS.items():
        for mean, sd in points:
            both = [log_expectation(partial(log_chance, link, k), mean, sd) for k in (0, 1)]
            writer.writerow([link, mean, sd, *(mp.nstr(value, 25) for value in both)])
