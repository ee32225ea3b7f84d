"""Records what hiermod makes of some forty small models, to the last bit, and compares two such records.

    python benchmarks/recorder.py write FILE.json [--only NAME ...] [--times N]
    python benchmarks/recorder.py compare OLD.json NEW.json [--only NAME ...]

For a change that should change nothing: write a record before it and one after, on the same machine and with the same
packages, and compare. A record holds for each model digests of the draws, of draws from its prior, of its answers and
of its text, the numbers behind them, and the CPU seconds of the fit and of the answers. Only public names are used, so
that it runs on any arrangement of the modules. `compare` ends with 1 if anything but the seconds differs.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import io
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from recorded_models import MODELS, Recorded, data_of, rows_of
from records_compared import compare

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

    import hiermod as hm

GROUPS = ("observed", "typical", "new", "population")
NUMBERS_KEPT = 60  # of each table, so that a difference can be measured
PRIOR_DRAWS = 50


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(dest="command", required=True)
    writing = commands.add_parser("write", help="fit the models and record what comes out")
    writing.add_argument("file", type=Path)
    writing.add_argument("--times", type=int, default=1, help="how often; the least seconds are kept")
    comparing = commands.add_parser("compare", help="compare two records")
    comparing.add_argument("old", type=Path)
    comparing.add_argument("new", type=Path)
    for command in (writing, comparing):
        command.add_argument("--only", nargs="+", default=[], choices=MODELS, metavar="NAME", help=", ".join(MODELS))
    chosen = parser.parse_args()
    if chosen.command == "compare":
        return compare(
            json.loads(chosen.old.read_text(encoding="utf-8")),
            json.loads(chosen.new.read_text(encoding="utf-8")),
            chosen.only,
        )
    return write(chosen.file, chosen.only or list(MODELS), chosen.times)


def write(file: Path, names: list[str], times: int) -> int:
    """Record the models; 1 if one gives different results when it is fitted again."""
    import hiermod as hm

    print(f"hiermod of {Path(hm.__file__).parent}", file=sys.stderr)
    _warm()
    records, unstable = {}, False
    for name in names:
        runs = [recorded(MODELS[name]) for _ in range(times)]
        first = runs[0]
        if any(run["results"] != first["results"] for run in runs):
            print(f"{name}: differs from one time to the next", file=sys.stderr)
            unstable = True
        first["seconds"] = {key: min(run["seconds"][key] for run in runs) for key in first["seconds"]}
        records[name] = first
        print(f"{name:30} {sum(first['seconds'].values()):7.2f} s", file=sys.stderr)
    file.write_text(json.dumps(records, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return int(unstable)


def _warm() -> None:
    """Import and compile what all models share, so that no model is charged for it."""
    with contextlib.redirect_stderr(io.StringIO()):
        recorded(MODELS["bernoulli-country"])


def recorded(model: Recorded) -> dict[str, Any]:
    """Results and seconds of one model."""
    import hiermod as hm

    said, data = io.StringIO(), data_of(model.data)
    with contextlib.redirect_stderr(said):
        began = time.process_time()
        fit = hm.fit(model.formula, data, **model.arguments())
        fitted = time.process_time()
        results = {
            "draws": {**_variables(fit.posterior), "sample_stats": _variables(fit.idata["sample_stats"].to_dataset())},
            "prior": _of_prior(fit.model, model),
            "answers": _answers(fit, model),
            "texts": _texts(fit),
            "scores": _scores(fit, model, data),
        }
        ended = time.process_time()
    results = json.loads(json.dumps(results))  # as it will be read, for the comparison of one time with the next
    return {"results": results, "seconds": {"fit": fitted - began, "answers": ended - fitted}}


def _variables(dataset: xr.Dataset) -> dict[str, Any]:
    """Each variable in order: its dims with the labels of all but draws, a digest of its bytes, and two moments."""
    found: dict[str, Any] = {"order": [str(name) for name in dataset.data_vars]}
    for name, own in dataset.data_vars.items():
        values = np.ascontiguousarray(own.to_numpy())
        if values.dtype.kind not in "biuf":
            continue
        labels = {str(dim): [str(label) for label in own[dim].to_numpy()] for dim in own.dims[2:]}
        found[str(name)] = {
            "dims": [str(dim) for dim in own.dims], "shape": list(values.shape), "dtype": str(values.dtype),
            "labels": _digest(json.dumps(labels).encode()), "sha256": _digest(values.tobytes()),
            "numbers": [float(values.mean()), float(values.std())] if values.size else [],
        }  # fmt: skip
    return found


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _of_prior(model: hm.Model, asked: Recorded) -> dict[str, Any]:
    """The priors in words and numbers, and draws from them."""
    found = {"summary": _asked(model.prior_summary), "explained": _asked(lambda: str(model.explain()))}
    prior = _asked(lambda: model.sample_prior(PRIOR_DRAWS, 3), raw=True)
    if isinstance(prior, dict):
        return {**found, "draws": prior}
    found["draws"] = _variables(prior.prior)
    found["rates"] = _asked(prior.rates)
    found["implied"] = _asked(lambda: prior.implied(asked.arm).table)
    return found


def _answers(fit: hm.Fit, asked: Recorded) -> dict[str, Any]:
    """Tables and draws of answers, by question."""
    questions: dict[str, Callable[[], Any]] = {
        name: getattr(fit, name) for name in ("fixef", "ranef", "coef", "varcorr", "nobs", "ngrps")
    }
    factors, frame = list(fit.ngrps()), fit.cells
    few = rows_of(asked.data).head(12)
    unseen = few.drop(columns={column for factor in factors for column in factor.split(":")} & set(few))
    for groups in GROUPS:
        questions[f"rates {groups}"] = lambda groups=groups: fit.rates(groups=groups)
        rows = unseen if groups == "new" else few
        questions[f"predict {groups}"] = lambda groups=groups, rows=rows: fit.predict(rows, "response", groups)
        if asked.arm:
            questions[f"effect {groups}"] = lambda groups=groups: fit.effect(asked.arm, groups=groups)
    questions["predict cells"] = lambda: fit.predict_cells()
    questions["predict link"] = lambda: fit.predict(few, kind="link")
    for factor in factors:
        if factor in frame and frame[factor].nunique() <= 50:
            questions[f"rates by {factor}"] = lambda factor=factor: fit.rates(by=factor)
        questions[f"shrinkage {factor}"] = lambda factor=factor: fit.shrinkage(factor)
    if factors:
        questions["outlying"] = lambda: fit.outlying(factors[0]).table
    questions["ppc"] = lambda: fit.ppc(draws=20)
    questions["cells"] = lambda: frame
    if asked.arm:
        arm = asked.arm
        questions["link effects"] = lambda: fit.effect(arm, scale="link", rope=(-0.1, 0.1))
        questions["ratios"] = lambda: fit.effect(arm, scale="ratio", groups="population")
        questions["best"] = lambda: fit.best(arm)
        questions["pairwise"] = lambda: fit.pairwise(arm)
    if "x" in frame:
        questions["slopes"] = lambda: fit.slopes("x")
    if "Intercept" in fit.fixef().index:
        questions["hypothesis"] = lambda: fit.hypothesis("Intercept > 0")
    return {name: _asked(question) for name, question in questions.items()}


def _texts(fit: hm.Fit) -> dict[str, Any]:
    """What is said: notices, the summary and the checks."""
    return {
        "notices": list(fit.notices), "formula": fit.model.formula, "family": fit.model.family,
        "summary": _asked(lambda: str(fit.summary())), "check": _asked(lambda: str(fit.check())),
    }  # fmt: skip


def _scores(fit: hm.Fit, asked: Recorded, data: Any) -> dict[str, Any]:
    """Leave-one-out, and where the model has a rival, k-fold of both and their groups left out."""
    import hiermod as hm

    loo = _asked(lambda: fit.loo(progress=False), raw=True)
    found = {"loo": loo if isinstance(loo, dict) else {**_kept(loo.table), "pointwise": _kept(loo.pointwise)}}
    if asked.rival:
        own = {"seed": 5, "draws": 100, "chains": 2, "priors": asked.priors}
        models = {"model": asked.formula, "rival": asked.rival}
        options = {key: asked.settings[key] for key in ("family",) if key in asked.settings}
        found["kfold"] = _asked(
            lambda: hm.compare(models, data, method="kfold", k=3, progress=False, **options, **own).table
        )
        found["logo"] = _asked(lambda: fit.logo(max_refits=1, progress=False).table)
    return found


def _asked(question: Callable[[], Any], raw: bool = False) -> Any:
    """What a question gives; an error that hiermod raises is an answer too."""
    import hiermod as hm

    try:
        answer = question()
    except hm.errors.HiermodError as error:
        return {"error": f"{type(error).__name__}: {error}"}
    return answer if raw else _kept(answer)


def _kept(answer: Any) -> Any:
    """A digest of an answer, with its first numbers or its text."""
    import pandas as pd

    if isinstance(answer, str):
        return {"sha256": _digest(answer.encode()), "text": answer}
    if isinstance(answer, dict):
        return {str(key): _kept(own) for key, own in answer.items()}
    if isinstance(answer, int | float | np.number):
        return {"sha256": repr(answer), "numbers": [float(answer)]}
    if isinstance(answer, pd.DataFrame):
        return _table(answer)
    draws = np.ascontiguousarray(answer.draws.to_numpy())
    return {**_table(answer.table), "draws": {"sha256": _digest(draws.tobytes()), "shape": list(draws.shape)}}


def _table(table: pd.DataFrame) -> dict[str, Any]:
    """Labels as text, numbers to the last bit."""
    flat = table.reset_index()
    numeric = flat.select_dtypes("number").to_numpy(dtype=float)
    labels = [
        [str(name) for name in flat.columns],
        flat.select_dtypes(exclude="number").astype(str).to_numpy().tolist(),
    ]
    content = json.dumps(labels).encode() + np.ascontiguousarray(numeric).tobytes()
    numbers = [float(value) for value in numeric.ravel()[:NUMBERS_KEPT]]
    return {"sha256": _digest(content), "columns": labels[0], "shape": list(flat.shape), "numbers": numbers}


if __name__ == "__main__":
    sys.exit(main())
