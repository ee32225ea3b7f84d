"""Random models of random data, some of whose cells are empty, and their linear predictors by hand."""

import itertools

import numpy as np
import pandas as pd
from answer_tools import with_made_up_draws

import hiermod as hm

TERMS = ("a", "b", "x", "a:b", "x:a", "I(x^2)")
BARS = ("(1 | g)", "(0 + x | g)", "(1 | g:a)")
LEVELS = {"a": ["p", "q"], "b": ["u", "v", "w"], "g": ["k", "l", "m"]}
LEFT = {"binomial": "s/n", "gaussian": "y", "poisson": "c"}
DRAWS = 5
INVERSE = {
    "binomial": (lambda eta: 1.0 / (1.0 + np.exp(-eta)), lambda mean: mean * (1.0 - mean)),
    "gaussian": (lambda eta: eta, np.ones_like),
    "poisson": (np.exp, lambda mean: mean),
}


def random_frame(rng, rows):
    frame = pd.DataFrame({name: rng.choice(levels, rows) for name, levels in LEVELS.items()})
    frame = frame.assign(x=rng.integers(0, 3, rows), n=rng.integers(1, 5, rows))
    gone = rng.choice(list(itertools.product(LEVELS["a"], LEVELS["b"])), 1)[0]
    kept = frame[~((frame["a"] == gone[0]) & (frame["b"] == gone[1]))]
    whole = pd.DataFrame(
        {"a": ["p", "q"] * 3, "b": list("uuvvww"), "g": list("klmklm"), "x": [0, 1, 2, 2, 1, 0], "n": 2}
    )
    frame = pd.concat([kept, whole if rng.random() < 0.5 else whole[whole["a"] != gone[0]]], ignore_index=True)
    extra = frame.drop_duplicates("g").assign(a="p" if gone[0] == "q" else "q")
    frame = pd.concat([frame, extra[extra["b"] != gone[1]]], ignore_index=True)
    return frame.assign(s=rng.binomial(frame["n"], 0.4), y=rng.normal(size=len(frame)))


def random_fit(rng, terms, bars, family, flat=0.0, second=""):
    """A fit whose draws are the prior's, its data, and what rows weigh; x is 1 where a is q with the chance `flat`."""
    frame = random_frame(rng, 40)
    if family == "poisson":
        frame = frame.assign(c=rng.poisson(2.0, len(frame)), e=rng.integers(1, 4, len(frame)).astype(float))
        terms = [*terms, "offset(log(e))"]
    if rng.random() < flat:
        frame.loc[frame["a"] == "q", "x"] = 1
    model = hm.model(f"{LEFT[family]} ~ {' + '.join([*terms, *bars])}{second}", frame, family)
    if second:
        return with_made_up_draws(model, chains=1, draws=DRAWS, spread=0.5, seed=1), frame, weight_of(family, frame)
    draws = model.sample_prior(DRAWS, seed=1).prior
    for name in draws.data_vars:  # so that no mean overflows
        draws[name] = draws[name] * (0.2 if family == "poisson" else 1.0)
    return model.with_draws(draws), frame, weight_of(family, frame)


def weight_of(family, frame):
    column = {"binomial": "n", "poisson": "e"}.get(family)
    return frame[column].to_numpy(dtype=float) if column in frame else np.ones(len(frame))


class ByHand:
    """What a fit's draws say of rows: columns are made of the names and labels of coefficients."""

    def __init__(self, fit, frame):
        self._fit = fit
        self.common = {name: array for name, array in self._draws() if "|" not in name}
        self.groups = {name: array for name, array in self._draws() if "|" in name}
        design = self.design(frame)
        _, size, rows = np.linalg.svd(design, full_matrices=False)
        self._space = rows[size > 1e-9 * size.max()]
        self.seen = {name: set(self.keys(name, frame)) for name in self.groups}

    def _draws(self):
        for name, array in self._fit.posterior.data_vars.items():
            if not name.endswith(("_sigma", "_cor")) and name != "sigma":
                yield name, array.isel(chain=0)

    @staticmethod
    def labels(array):
        return [str(label) for label in array[array.dims[-1]].to_numpy()] if array.ndim > 1 else [""]

    def design(self, rows):
        """The common columns of rows."""
        return np.column_stack(
            [self.column(name, label, rows) for name, array in self.common.items() for label in self.labels(array)]
        )

    @staticmethod
    def column(name, label, rows):
        column, levels = np.ones(len(rows)), iter(label.split(", "))
        for part in [] if name == "Intercept" else name.split(":"):
            if part.startswith("I("):
                column = column * rows["x"].to_numpy(dtype=float) ** 2
            elif part == "x":
                column = column * rows["x"].to_numpy(dtype=float)
            else:
                column = column * (rows[part] == next(levels)).to_numpy()
        return column

    @staticmethod
    def keys(name, rows):
        """The group of each row in a group term."""
        return rows[name.partition("|")[2].split(":")].astype(str).agg(":".join, axis=1)

    def linear(self, rows, typical=()):
        """The linear predictor without offsets, shape ``(rows, draws)``; groups that are not known have none."""
        return self._linear(
            rows,
            typical,
            lambda name: rows["x"].to_numpy(dtype=float) if name == "x" else np.ones(len(rows)),
            self.design(rows),
        )

    def slope(self, rows, typical=()):
        """Its derivative with respect to x: it is quadratic, so that differences are exact."""
        up, down = (self.design(rows.assign(x=rows["x"] + step)) for step in (1.0, -1.0))
        return self._linear(rows, typical, lambda name: np.full(len(rows), float(name == "x")), (up - down) / 2.0)

    def _linear(self, rows, typical, of_group, design):
        total = design @ np.vstack([array.to_numpy().reshape(DRAWS, -1).T for array in self.common.values()])
        for name, array in self.groups.items():
            term, _, group = name.partition("|")
            if group in typical:
                continue
            effects = dict(zip(self.labels(array), array.to_numpy().T, strict=True))
            own = np.array([effects.get(key, np.zeros(DRAWS)) for key in self.keys(name, rows)])
            total = total + of_group(term)[:, None] * own
        return total

    def estimable(self, rows, slope=False):
        """Whether designs, or their derivatives, are combinations of fitted ones."""
        design = self.design(rows)
        if slope:
            up, down = (self.design(rows.assign(x=rows["x"] + step)) for step in (1.0, -1.0))
            design = (up - down) / 2.0
        return (np.abs(design - design @ self._space.T @ self._space) < 1e-7).all(axis=1)

    def known_groups(self, rows, changed, typical):
        """Whether the groups of rows were seen, of the factors a column of which was set."""
        known = np.ones(len(rows), dtype=bool)
        for name in self.groups:
            group = name.partition("|")[2]
            if group not in typical and not set(group.split(":")).isdisjoint(changed):
                known &= self.keys(name, rows).isin(self.seen[name]).to_numpy()
        return known
