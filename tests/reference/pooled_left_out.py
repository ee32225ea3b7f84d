"""Groups and rows left out of pooled rates, by pooled.py in double precision; writes pooled_left_out.csv.

A score is the difference of the logarithms of two integrals, over the mean itself (of a Gamma its logarithm) and the
logarithm of the size or shape.
"""

import csv
import math

import numpy as np
import pooled
from pooled import HERE, flat, integrals, log_normal_shape, log_normal_size

KNOWN = {}
pooled.LONG = np.float64
pooled.NODES, pooled.WEIGHTS = np.polynomial.legendre.leggauss(20)
pooled.BERNOULLI = [float(own) for own in pooled.BERNOULLI]


def left_out():
    """Groups and rows that are left out: case, what leaves, and its log density given the rest.

    It is the difference of two logarithms of integrals, with the binomial coefficients (or what Poisson has instead).
    """
    flat_beta, flat_gamma = {"pool": "beta", "prior": flat}, {"pool": "gamma", "prior": flat}
    rats = np.loadtxt(HERE / "rats.csv", delimiter=",", skiprows=1).T
    groups = {
        "scenario 2": (flat_beta, [3, 50, 55, 60], [10, 100, 100, 100]),
        "two groups": (flat_beta, [3, 4], [10, 10]),
        "one of 10^7": (flat_beta, [5_000_000, 50, 55, 60], [10_000_000, 100, 100, 100]),
        "rats": (flat_beta, rats[0], rats[1]),
        "no successes": ({"pool": "beta", "prior": log_normal_size}, [0, 0, 0], [10, 20, 5]),
        "sites": (flat_gamma, [3, 4, 10, 0, 22], [1.0, 2.0, 3.0, 0.5, 8.25]),
        "sites under priors": ({"pool": "gamma", "prior": log_normal_shape}, [0, 0, 4], [1.0, 2.0, 5.0]),
    }
    for name, (case, events, exposure) in groups.items():
        events, exposure = np.asarray(events, float), np.asarray(exposure, float)
        places = [0, 70] if name == "rats" else range(len(events))
        for place in places:
            rest = np.arange(len(events)) != place
            yield (
                name,
                place,
                log_ratio(case, (events, exposure), (events[rest], exposure[rest]))
                + constant(case, events[place], exposure[place]),
            )
    # rows of groups: 1 of 2 leaves in 'a', all of 'b', and the row of 'a' given neither row of it
    events, exposure = [[2.0, 5.0], [7.0], [1.0, 4.0]], [[6.0, 9.0], [20.0], [8.0, 8.0]]
    totals = [np.array([sum(own) for own in values]) for values in (events, exposure)]
    for group, row in ((0, 0), (0, 1), (1, 0), (2, 0), (2, 1)):
        s, n = events[group][row], exposure[group][row]
        rest = [own.copy() for own in totals]
        rest[0][group] -= s
        rest[1][group] -= n
        seen = rest[1] > 0
        value = log_ratio(flat_beta, totals, [own[seen] for own in rest])
        yield "rows", f"{group}{row}", value + constant(flat_beta, s, n)
        others = np.arange(3) != group
        alone = [np.append(own[others], new) for own, new in zip(totals, (s, n), strict=True)]
        value = log_ratio(flat_beta, alone, [own[others] for own in totals])
        yield "rows of new groups", f"{group}{row}", value + constant(flat_beta, s, n)


def log_ratio(case, more, fewer):
    """The log of the integral for some groups less that for fewer."""
    return float(np.subtract(*(log_integral(case, tuple(own[0]), tuple(own[1])) for own in (more, fewer))))


def log_integral(case, events, exposure):
    """The log of the integral for some groups, each once."""
    key = (case["pool"], case["prior"], events, exposure)
    if key not in KNOWN:
        groups = {"events": np.array(events), "exposure": np.array(exposure), "shown": 0}
        KNOWN[key] = next(iter(integrals(case | groups)))[1]
    return KNOWN[key]


def constant(case, events, exposure):
    """What the density of data has that depends on these alone."""
    events, exposure = int(events), float(exposure)
    if case["pool"] == "gamma":
        return events * math.log(exposure) - math.lgamma(events + 1)
    return math.lgamma(exposure + 1) - math.lgamma(events + 1) - math.lgamma(exposure - events + 1)


if __name__ == "__main__":
    with (HERE / "pooled_left_out.csv").open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["case", "left_out", "elpd"])
        for name, place, value in left_out():
            print(name, place, value, flush=True)
            writer.writerow([name, place, repr(float(value))])
