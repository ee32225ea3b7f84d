"""Posteriors of pooled rates by Gauss-Legendre quadrature in long double; writes pooled.csv.

Coordinates are the mean itself (of a Gamma its logarithm) and the logarithm of the size or shape, where hiermod takes
the logit and the size's power -1/2. Rising factorials are sums of logarithms up to 120 factors, Stirling's series in
long double beyond. Panels of the mean are dyadic about the largest density at each size.
"""

import csv
import pathlib

import numpy as np

HERE = pathlib.Path(__file__).parent
LONG = np.longdouble
NODES, WEIGHTS = (own.astype(LONG) for own in np.polynomial.legendre.leggauss(20))
FACTORS = 120
BERNOULLI = [1 / LONG(12), -1 / LONG(360), 1 / LONG(1260), -1 / LONG(1680), 1 / LONG(1188), LONG(-691) / 360360]


def remainder(x):
    """What Stirling's formula lacks of log gamma, by its series after 30 steps up."""
    total = np.zeros_like(x)
    for _ in range(30):
        total += (x + LONG(0.5)) * np.log1p(1 / x) - 1
        x = x + 1
    return total + sum(term / x ** (2 * place + 1) for place, term in enumerate(BERNOULLI))


def rising(x, count):
    """log of x(x + 1)...(x + count - 1), less count log x."""
    return (x + count - LONG(0.5)) * np.log1p(count / x) - count + remainder(x + count) - remainder(x)


def panels(edges):
    edges = np.asarray(edges, LONG)
    middle, half = (edges[1:] + edges[:-1]) / 2, (edges[1:] - edges[:-1]) / 2
    return (middle[:, None] + half[:, None] * NODES).ravel(), (half[:, None] * WEIGHTS).ravel()


def sums(values, at):
    """The sum over groups of rising factorials."""
    small = values[values <= FACTORS]
    total, factors = np.zeros_like(at), np.zeros_like(at)
    for step in range(1, int(small.max(initial=0)) + 1):
        total += (small == step).sum() * factors
        factors += np.log1p(step / at)
    for count in values[values > FACTORS]:
        total += rising(at, count)
    return total


def beta_density(case, mean, log_size):
    size = np.exp(log_size)
    s, n = case["events"], case["exposure"]
    a, b = mean * size, (1 - mean) * size
    total = s.sum() * np.log(mean) + (n - s).sum() * np.log1p(-mean) + sums(s, a) + sums(n - s, b) - sums(n, size)
    return total + case["prior"](mean, size)


def gamma_density(case, log_mean, log_shape):
    """With z = log(exposure * mean / shape); y log mean less y log(1 + exp z) is written so that nothing cancels."""
    y, e = case["events"], case["exposure"]
    total = sums(y, np.exp(log_shape))
    for events, exposure in zip(y, e, strict=True):
        log_exposure = np.log(LONG(exposure))
        z = log_exposure + log_mean - log_shape
        total -= np.exp(log_shape) * np.logaddexp(0, z)
        total += events * (log_shape - log_exposure - np.logaddexp(0, -z))
    return total + case["prior"](log_mean, log_shape)


def integrals(case):
    beta = case["pool"] == "beta"
    v, of_v = panels(np.unique([*np.arange(-64, 90, 4), np.log(LONG(1e6))]))
    rows = []
    for place, log_size in enumerate(v):
        if beta:
            x, of_x = panels(mean_edges(case, log_size))
            density = beta_density(case, x, np.full_like(x, log_size))
            log_mean, mean = np.log(x), x
        else:
            x, of_x = panels(log_mean_edges(case, log_size))
            density = gamma_density(case, x, np.full_like(x, log_size))
            log_mean, mean = x, np.exp(np.minimum(x, 11000))
        # du = exp(-v/2) / 2 dv
        log_weight = density + np.log(of_x * of_v[place] / 2) - log_size / 2
        rows.append((np.full_like(x, log_size), mean, log_mean, log_weight))
    log_size, mean, log_mean, log_weight = (np.concatenate(own) for own in zip(*rows, strict=True))
    top = log_weight.max()
    weight = np.exp(log_weight - top)
    total = weight.sum()
    weight /= total
    yield "log_integral", top + np.log(total)
    size = np.exp(log_size)
    if beta:
        yield "mean", weight @ mean
        yield "sd", np.sqrt(weight @ (mean - weight @ mean) ** 2)
    elif case.get("spread", True):
        yield "log_mean", weight @ np.where(weight > 0, log_mean, 0)
    if case.get("spread", True):
        yield "spread", weight @ size ** LONG(-0.5)
    for group in range(min(len(case["events"]), case.get("shown", 5))):
        events, exposure = case["events"][group], case["exposure"][group]
        rate = (mean * size + events) / (size + exposure) if beta else (size + events) / (size / mean + exposure)
        yield f"rate[{group}]", weight @ rate
    yield "above_million", weight[log_size > np.log(LONG(1e6))].sum()


def mean_edges(case, log_size):
    """Ends of panels of the mean, finer and finer towards its mode, and towards 0 and 1."""
    grid = np.unique(np.concatenate([np.geomspace(1e-9, 0.5, 300), 1 - np.geomspace(1e-9, 0.5, 300)])).astype(LONG)
    density = beta_density(case, grid, np.full_like(grid, log_size)) + np.log(grid * (1 - grid))
    for _ in range(6):
        best = int(np.argmax(density))
        grid = np.linspace(grid[max(best - 1, 0)], grid[min(best + 1, len(grid) - 1)], 40)
        density = beta_density(case, grid, np.full_like(grid, log_size)) + np.log(grid * (1 - grid))
    mode = grid[int(np.argmax(density))]
    steps = [LONG(0.45) ** k for k in range(1, 15)]
    about = [mode - mode * own for own in steps] + [mode + (1 - mode) * own for own in steps]
    ends = [LONG(0.1) ** k for k in range(1, 13)]
    ends = [*(mode * end for end in ends), *(1 - (1 - mode) * end for end in ends)]
    return np.unique([LONG(0), LONG(1), mode, *about, *ends])


def log_mean_edges(case, log_size):
    pooled = np.log(case["events"].sum() + 0.5) - np.log(case["exposure"].sum())
    near = pooled + np.arange(-80, 80, 1.0)
    near = np.unique(np.concatenate([near, pooled + np.arange(-3, 3, 0.05)]))
    wide = 80 * LONG(1.5) ** np.arange(1, 120)
    return np.concatenate(
        [pooled - wide[:12][::-1], near, pooled + wide[wide < 400 * max(1.0, float(np.exp(-log_size)))]]
    )


def flat(*_):
    return 0


def log_normal_size(mean, size):
    """Beta(2, 8) of the mean and LogNormal(3, 1) of the size, as a density by the mean and the size's power -1/2."""
    return (
        np.log(LONG(72)) + np.log(mean) + 7 * np.log1p(-mean)
        - (np.log(size) - 3) ** 2 / 2 - np.log(size) - np.log(2 * LONG(np.pi)) / 2
        + np.log(LONG(2)) + LONG(1.5) * np.log(size)
    )  # fmt: skip


def gammas(mean, size):
    """Gamma(2, 0.1) of a and Exponential(0.1) of b."""
    a, b = mean * size, (1 - mean) * size
    return (
        2 * np.log(LONG(0.1)) + np.log(a) - LONG(0.1) * a + np.log(LONG(0.1)) - LONG(0.1) * b
        + np.log(size) + np.log(LONG(2)) + LONG(1.5) * np.log(size)
    )  # fmt: skip


def log_normal_shape(log_mean, log_shape):
    """LogNormal(0, 1) of the mean and LogNormal(1, 1) of the shape."""
    return (
        -(log_mean**2) / 2 - (log_shape - 1) ** 2 / 2 - log_shape - np.log(2 * LONG(np.pi))
        + np.log(LONG(2)) + LONG(1.5) * log_shape
    )  # fmt: skip


def cases():
    rats = np.loadtxt(HERE / "rats.csv", delimiter=",", skiprows=1).T
    singles = [np.repeat([1.0, 0.0], [180, 820]), np.ones(1000)]
    beta = {
        "scenario 1": ([30, 50, 55, 60], [100] * 4),
        "scenario 2": ([3, 50, 55, 60], [10, 100, 100, 100]),
        "two groups": ([3, 4], [10, 10]),
        "all equal": ([30] * 4, [100] * 4),
        "nearly identical": ([300, 301, 299, 300], [1000] * 4),
        "one of 10^7": ([5_000_000, 50, 55, 60], [10_000_000, 100, 100, 100]),
        "rates of 1e-5": ([100, 120, 90], [1e7] * 3),
        "rats": (rats[0], rats[1]),
    }
    for name, (events, exposure) in beta.items():
        yield name, {"pool": "beta", "events": events, "exposure": exposure, "prior": flat,
                     "shown": 71 if name == "rats" else 5}  # fmt: skip
    yield (
        "1,000 single trials",
        {"pool": "beta", "events": singles[0], "exposure": singles[1], "prior": log_normal_size},
    )
    yield "no successes", {"pool": "beta", "events": [0, 0, 0], "exposure": [10, 20, 5], "prior": log_normal_size}
    yield "priors of a and b", {"pool": "beta", "events": [3, 50, 55, 60], "exposure": [10, 100, 100, 100],
                                "prior": gammas}  # fmt: skip
    yield "sites", {"pool": "gamma", "events": [3, 4, 10, 0, 22], "exposure": [1.0, 2.0, 3.0, 0.5, 8.25], "prior": flat}
    # of two sites neither the log mean nor the spread has an expectation
    yield "two sites", {"pool": "gamma", "events": [3, 4], "exposure": [1.0, 2.0], "prior": flat, "spread": False}
    yield "sites under priors", {"pool": "gamma", "events": [0, 0, 4], "exposure": [1.0, 2.0, 5.0],
                                 "prior": log_normal_shape}  # fmt: skip


if __name__ == "__main__":
    with (HERE / "pooled.csv").open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["case", "quantity", "value"])
        for name, case in cases():
            case |= {key: np.asarray(case[key], float) for key in ("events", "exposure")}
            for quantity, value in integrals(case):
                print(name, quantity, repr(float(value)), flush=True)
                writer.writerow([name, quantity, repr(float(value))])
