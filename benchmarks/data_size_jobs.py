"""One job on data of one size; prints its figures as JSON."""

from __future__ import annotations

import json
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

FORMULAS = {
    "rates": "success ~ treated * device + (1 | country)",
    "slopes": "success ~ treated + device + (1 + treated | country)",
    "gaussian": "y ~ x1 + x2 + x3 + x4 + (1 + x1 | g)",
}
GROUP_BY = {
    "rates": "SELECT country, treated, device, success, count(*) FROM rows GROUP BY ALL",
    "gaussian": "SELECT g, count(*), sum(y), sum(x1), sum(x2), sum(x3), sum(x4) FROM rows GROUP BY g",
}
DATA = {
    "rates": """
        SELECT 'country ' || lpad(c::VARCHAR, 3, '0') AS country, t::TINYINT AS treated,
               ['phone', 'tablet', 'desktop'][d + 1] AS device,
               (u < 1 / (1 + exp(1 - 0.01 * (c - 100) - (0.3 + 0.3 * sin(1.7 * c)) * t)))::TINYINT AS success
        FROM (SELECT (hash(3 * i) % 200)::INT AS c, (hash(7 * i + 1) % 2)::INT AS t, (hash(11 * i + 2) % 3)::INT AS d,
                     (hash(13 * i + 5) % 1000000) / 1e6 AS u
              FROM range({rows}) r(i))""",
    "gaussian": """
        SELECT g, x1, x2, x3, x4,
               10 + sin(g) + (0.5 + 0.3 * cos(g)) * x1 - x2 + 0.2 * x3 + 0.1 * x4 + 2 * (u - 6) AS y
        FROM (SELECT (hash(3 * i) % 1000)::INT AS g, {uniform(5)} * 4 AS x1, {uniform(7)} + 2 AS x2,
                     {uniform(11)} AS x3, 100 * {uniform(13)} AS x4,
                     list_sum(list_transform(range(12), lambda k: (hash(17 * i + 1000003 * k) % 1000000) / 1e6)) AS u
              FROM range({rows}) r(i))""",
}


def main() -> None:
    job, rows, folder = sys.argv[1], int(sys.argv[2]), Path(sys.argv[3])
    figures = JOBS[job](job, rows, folder)
    print(json.dumps(figures))


def parquet(job: str, rows: int, folder: Path) -> Path:
    """The data as one file, made by a process of its own where it is not there."""
    job = "gaussian" if job == "gaussian" else "rates"
    path = folder / f"{job}_{rows}.parquet"
    if not path.exists():
        import subprocess

        text = DATA[job].replace("{rows}", str(rows))
        for salt in (5, 7, 11, 13):
            text = text.replace(f"{{uniform({salt})}}", f"((hash({salt} * i + {salt}) % 1000000007) / 1000000007.0)")
        code = f"import duckdb; duckdb.connect().execute('''COPY ({text}) TO '{path}' (FORMAT parquet)''')"
        subprocess.run([sys.executable, "-c", code], check=True)
    return path


def best(action: Callable[[], Any], times: int = 3) -> float:
    """The shortest of several runs, in seconds."""
    seconds = []
    for _ in range(times):
        start = time.perf_counter()
        action()
        seconds.append(time.perf_counter() - start)
    return min(seconds)


def peak() -> int:
    """The most memory that this process has had, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // (2**20 if sys.platform == "darwin" else 2**10)


def size(job: str, rows: int, folder: Path) -> dict[str, float]:
    """From file to posterior."""
    import duckdb

    import hiermod as hm

    path = str(parquet(job, rows, folder))
    connection = duckdb.connect()
    connection.read_parquet(path).create_view("rows")
    group_by = best(lambda: connection.execute(GROUP_BY["gaussian" if job == "gaussian" else "rates"]).fetchall())
    family = "gaussian" if job == "gaussian" else "bernoulli"
    seconds = []
    for _ in range(4):
        start = time.perf_counter()
        fit = hm.fit(FORMULAS[job], path, family, seed=1, progress=False)
        seconds.append(time.perf_counter() - start)
    model = best(lambda: hm.model(FORMULAS[job], path, family))
    compiled = fit.model
    sampling = best(lambda: compiled.fit(seed=1, progress=False), 2)
    ess = min(float(own) for own in (fit.check().table["figure"].str.extract(r"^([\d.]+)")[0][2:3]))
    return {
        "rows": rows, "cells": len(fit.cells), "group_by": group_by, "model": model, "sampling": sampling,
        "fit": seconds[0], "again": min(seconds[1:]), "net": min(seconds[1:]) - group_by, "ess": ess, "peak": peak(),
    }  # fmt: skip


def counting(job: str, rows: int, folder: Path) -> dict[str, float]:
    """Ten million rows in pandas: cells by hiermod, the same counts by polars."""
    import pandas as pd
    import polars as pl

    from hiermod.data.cells.compress import compress
    from hiermod.data.cells.rows import read_rows
    from hiermod.formula.parser import parse

    frame = pd.read_parquet(parquet("rates", 10**7, folder))
    formula = parse(FORMULAS["rates"])
    keys = ["country", "treated", "device"]
    ours = best(lambda: compress(read_rows(formula, frame), "trials"))
    theirs = best(lambda: pl.from_pandas(frame).group_by(keys).agg(pl.col("success").sum(), pl.len()))
    return {"hiermod, s": ours, "polars, s": theirs, "ratio": ours / theirs}


def distinct(job: str, rows: int, folder: Path) -> dict[str, float]:
    """Rows of which no two are equal: the model with and without trying to compress."""
    import numpy as np
    import pandas as pd

    from hiermod.modeling.definition import Definition, define
    from hiermod.modeling.pymc.model import build_model

    rng = np.random.default_rng(1)
    count = 10**6
    frame = pd.DataFrame({"y": rng.integers(0, 2, count), "x": rng.normal(size=count), "z": rng.normal(size=count),
                          "g": rng.integers(0, 1000, count)})  # fmt: skip
    text = "y ~ x + z + (1 | g)"
    tried = best(lambda: define(Definition(text, compress=True), frame), 7)
    plain = best(lambda: define(Definition(text, compress=False), frame), 7)
    spec = define(Definition(text), frame).spec
    build = tried + best(lambda: build_model(spec))
    return {"building the model, s": build, "of it trying to compress, s": tried - plain,
            "share": (tried - plain) / build}  # fmt: skip


def loo(job: str, rows: int, folder: Path) -> dict[str, float]:
    """The same draws on rows and on cells, and ArviZ on the rows' own log likelihood."""
    import arviz_stats as azs
    import xarray as xr
    from scipy import special

    import hiermod as hm

    text, data = "success ~ treated + (1 + treated | country)", hm.example("country")
    fit = hm.fit(text, data, seed=1, progress=False)
    rows_fit = hm.model(text, data, compress=False).with_draws(fit.idata)
    eta = fit.predict(data, kind="link").draws.transpose("chain", "draw", "row").to_numpy()
    success = data["success"].to_numpy()
    density = special.log_expit(eta) * success + special.log_expit(-eta) * (1 - success)
    observed = xr.Dataset({"success": (("chain", "draw", "obs"), density)})
    tree = xr.DataTree.from_dict({"posterior": fit.posterior, "log_likelihood": observed})
    theirs, cells, by_row = azs.loo(tree), fit.loo(), rows_fit.loo()
    result: dict[str, float] = {}
    for name in ("elpd", "se", "p"):
        own, other, arviz = (float(getattr(found, name)) for found in (cells, by_row, theirs))
        result |= {name: own, f"{name}: rows less cells": other - own, f"{name}: ArviZ less cells": arviz - own}
    return result | {"cells, s": best(fit.loo), "rows, s": best(rows_fit.loo), "ArviZ, s": best(lambda: azs.loo(tree))}


def many(job: str, rows: int, folder: Path) -> dict[str, float]:
    """A varying effect of each of 100,000 users. The run is far too short to be used: it shows memory and speed."""
    import numpy as np
    import pandas as pd

    import hiermod as hm

    rng = np.random.default_rng(1)
    groups, each = 100_000, 10
    user, x = np.repeat(np.arange(groups), each), rng.normal(size=groups * each).round(3)
    eta = -1.0 + 0.5 * x + 0.7 * rng.normal(size=groups)[user]
    trials = rng.integers(1, 20, len(user))
    successes = rng.binomial(trials, 1.0 / (1.0 + np.exp(-eta)))
    frame = pd.DataFrame({"successes": successes, "trials": trials, "x": x, "user": user})
    model = hm.model("successes/trials ~ x + (1 | user)", frame)
    built = peak()
    fit = model.fit(draws=5, tune=5, chains=2, seed=1, target_accept=0.8, progress=False)
    steps = float(fit.idata["sample_stats"]["n_steps"].mean())
    sampled = peak()
    seconds = best(lambda: fit.rates(by="user"), 1)
    fit.shrinkage()
    return {"cells": len(model.cells), "peak after the model, MB": built, "peak after sampling, MB": sampled,
            "steps a draw": steps, "rates by user, s": seconds, "peak after answers, MB": peak()}  # fmt: skip


JOBS = {
    "rates": size,
    "slopes": size,
    "gaussian": size,
    "counting": counting,
    "distinct": distinct,
    "loo": loo,
    "many": many,
}


if __name__ == "__main__":
    main()
