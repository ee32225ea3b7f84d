"""Makes the stored fits of this folder, and beside each a JSON with what it said when it was made.

    python tests/sampling/stored/make.py

`test_stored_formats.py` holds later versions of hiermod to them: a file that one version stored must load in the next.
So the files are made once for each format and then kept; new ones stand beside old ones, under other names. One file
for each sufficient statistic, one whose rates are pooled by a Beta distribution, one whose run was interrupted, and
one whose run was repeated.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import pandas as pd

import hiermod as hm

HERE = Path(__file__).parent
FEW = {"draws": 13, "chains": 2, "tune": 60, "seed": 4}


def main() -> None:
    for name, (formula, options) in FITS.items():
        with DISTURBED.get(name, nullcontext)():
            fit = hm.fit(formula, rows(), progress=False, **options)
        fit.save(HERE / f"{name}.nc")
        (HERE / f"{name}.json").write_text(
            json.dumps(facts(fit), indent=1, ensure_ascii=False) + "\n", encoding="utf-8"
        )


FITS: dict[str, tuple[str, dict[str, Any]]] = {
    "trials": ("s/n ~ t + (1 + t | g)", FEW),
    "trials_of_rows": ("y ~ t + poly(x, 2) + (1 | g)", FEW),
    "count": ("k ~ t + offset(log(e)) + (1 | g)", {**FEW, "family": "poisson"}),
    "real": ("z | weights(w) ~ t + (1 | f/g)", {**FEW, "priors": {"sigma": "Exponential(2)", "t": "Normal(0, 1)"}}),
    "real_averaged": ("z ~ t + x + (1 + x | g)", FEW),
    "values": ("k ~ 1 + bs(x, df=4)", {**FEW, "family": "negbinomial"}),
    "pairs": ("s/n ~ C(f, sum) + (1 | g)", {**FEW, "family": "beta_binomial"}),
    "pooled": ("s/n ~ (1 | g)", {**FEW, "pooling": "beta"}),
    "interrupted": ("y ~ t + (1 | g)", FEW),
    "repeated": ("s/n ~ 1 + (1 | g)", FEW),
}


def rows() -> pd.DataFrame:
    """Rows for all of the models."""
    rng = np.random.default_rng(12)
    size = 120
    g, t, x, f = (
        rng.integers(5, size=size),
        rng.integers(2, size=size),
        rng.normal(size=size),
        rng.integers(3, size=size),
    )
    eta = -0.2 + 0.6 * t + 0.4 * x + rng.normal(0, 0.6, 5)[g]
    n, e = rng.integers(1, 9, size), rng.choice([0.5, 1.0, 2.0], size)
    p = 1 / (1 + np.exp(-eta))
    return pd.DataFrame(
        {
            "y": rng.binomial(1, p), "s": rng.binomial(n, p), "n": n, "k": rng.poisson(e * np.exp(eta / 2)), "e": e,
            "z": eta + rng.normal(0, 0.7, size), "w": rng.integers(1, 4, size), "t": t, "x": x,
            "f": np.array(["p", "q", "r"])[f], "g": np.array(["a", "b", "c", "d", "e"])[g],
        }
    )  # fmt: skip


@contextmanager
def interrupted() -> Iterator[None]:
    """Ctrl-C is heard when all is drawn."""
    from hiermod.sampling.native import Native

    run = Native.run
    with mock.patch.object(Native, "run", lambda *arguments: (run(*arguments)[0], True)):
        yield


@contextmanager
def diverging() -> Iterator[None]:
    """The first run has divergences."""
    from hiermod.sampling import sample

    measured, seen = sample.diagnose, []

    def diagnose(tree: Any) -> Any:
        seen.append(measured(tree))
        return replace(seen[-1], divergences=3) if len(seen) == 1 else seen[-1]

    with mock.patch.object(sample, "diagnose", diagnose):
        yield


DISTURBED = {"interrupted": interrupted, "repeated": diverging}


def facts(fit: hm.Fit) -> dict[str, Any]:
    """What is held of a fit: numbers at full precision, texts, and whether `hiermod.fit` takes it from its file."""
    return {
        "formula": fit.model.formula, "family": fit.model.family, "notices": fit.notices,
        "interrupted": any(notice.startswith("interrupted") for notice in fit.notices),
        "draws": digest(fit), "variables": [str(name) for name in fit.posterior.data_vars],
        "shape": [fit.posterior.sizes["chain"], fit.posterior.sizes["draw"]],
        "answers": {name: numbers(table) for name, table in answers(fit).items()},
        "priors": fit.model.prior_summary()["prior"].tolist(),
    }  # fmt: skip


def digest(fit: hm.Fit) -> str:
    """Of the bytes of all draws, in order."""
    found = hashlib.sha256()
    for own in fit.posterior.data_vars.values():
        found.update(np.ascontiguousarray(own.to_numpy()).tobytes())
    return found.hexdigest()


def answers(fit: hm.Fit) -> dict[str, pd.DataFrame]:
    """Tables of a few questions."""
    even = rows_evenly(fit)
    found = {
        f"rates {groups}": fit.rates(groups=groups, **rows_evenly(fit, groups)).table
        for groups in ("observed", "typical", "new", "population")
    }
    if fit.ngrps():
        found["rates by g"] = fit.rates(by="g", **even).table
    found["fixef"] = fit.fixef()
    found["cells"] = fit.cells.head(10)
    found["responses"] = fit.predict(rows().head(10), kind="response").table
    if "t" in fit.cells:
        found["effect"] = fit.effect("t", **even).table
    if "rate_mean" not in fit.posterior:  # pooled rates have no density of a row
        found["loo"] = fit.loo(progress=False).table
    return found


def rows_evenly(fit: hm.Fit, groups: str = "observed") -> dict[str, Any]:
    """What makes rows of counts weigh the same, as they did when the first files were made; now exposure weighs."""
    if "offset" not in fit.formula:
        return {}
    data = rows().assign(even=1.0)
    return {"data": data.drop(columns="g") if groups == "new" else data, "weights": "even"}


def numbers(table: pd.DataFrame) -> dict[str, list[float | None]]:
    """The numeric columns of a table; None where there is no number."""
    found = table.select_dtypes("number").astype(float)
    return {str(name): [None if np.isnan(value) else value for value in found[name]] for name in found}


if __name__ == "__main__":
    main()
