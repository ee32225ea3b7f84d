"""What a type checker says of a user's program."""

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import get_args

import pytest

import hiermod as hm
from hiermod import choices

ROOT = Path(__file__).parents[2]
PROGRAM = """
import pandas as pd

import hiermod as hm

frame: pd.DataFrame = hm.example("country")
model: hm.Model = hm.model("success ~ treated + (1 | country)", frame, na="error")
fit: hm.Fit = model.fit(engine="compiled", seed=1)
fit = hm.fit("success ~ treated", frame, "binomial(probit)", pooling="normal", priors={"sd": "HalfNormal(1)"})
model = fit.model
rates: hm.Answer = fit.rates(by=["country"], groups="population", at={"treated": 1})
effect: hm.Answer = fit.effect("treated", contrast={"both": {0: -1.0, 1: 1.0}}, scale="lift", goal="min")
pairs = fit.interaction("treated", "country", contrast="pairs", between="mean")
slopes = fit.slopes("treated", scale="link")
drawn = fit.predict(frame, kind="response")
report: hm.CheckReport = fit.check()
comparison: hm.ModelComparison = hm.compare([fit, "success ~ 1"], frame, method="kfold")
plan: hm.Plan = hm.plan(fit, variable="treated", width=0.1)
prior: hm.PriorDraws = model.sample_prior(seed=1)
table: pd.DataFrame = prior.best("treated", groups="new")
axes = fit.plot.ppc("bars")
try:
    theirs = hm.from_bambi(model.bambi(), fit.idata)
except hm.errors.ModelError as error:
    print(error)

hm.fti("success ~ treated", frame)  # error: attr-defined
hm.fit("success ~ treated", frame, engine="numba")  # error: arg-type
hm.model("success ~ treated", frame, pooling="cauchy")  # error: arg-type
hm.model("success ~ treated", frame, na="ignore")  # error: arg-type
fit.rates(groups="everyone")  # error: arg-type
fit.rates(groups={"country": "typical"})
fit.rates(groups={"country": "everyone"})  # error: dict-item
fit.rates(split="country")  # error: call-arg
fit.effect("treated", scale="percent")  # error: arg-type
fit.effect("treated", goal="most")  # error: arg-type
fit.effect("treated", contrast="all")  # error: arg-type
fit.slopes("treated", scale="lift")  # error: arg-type
fit.predict(kind="median")  # error: arg-type
fit.rate()  # error: attr-defined
fit.plot.ppc("violin")  # error: arg-type
fit.logo(score="groups")  # error: arg-type
hm.compare([fit, fit], method="waic")  # error: arg-type
model.sample_prior().loo()  # error: attr-defined
"""


def test_right_calls_pass_and_wrong_ones_are_errors(tmp_path):
    pytest.importorskip("mypy")
    program = tmp_path / "program.py"
    program.write_text(PROGRAM)
    command = [sys.executable, "-m", "mypy", "--strict", "--ignore-missing-imports", "--follow-imports=silent",
               "--config-file=", f"--cache-dir={ROOT / '.mypy_cache' / 'client'}", str(program)]  # fmt: skip
    run = subprocess.run(
        command, cwd=tmp_path, env={**os.environ, "MYPYPATH": str(ROOT)}, capture_output=True, text=True, check=False
    )
    found = {(int(line), code) for line, code in re.findall(r"program\.py:(\d+): error: .*\[([a-z-]+)\]", run.stdout)}
    lines = enumerate(PROGRAM.splitlines(), 1)
    expected = {(number, line.split("# error: ")[1]) for number, line in lines if "# error: " in line}
    assert found == expected, run.stdout + run.stderr


def test_classes_of_results_are_there_for_annotations():
    for name in ("Answer", "CheckReport", "Fit", "Model", "ModelComparison", "Plan", "PriorDraws"):
        assert getattr(hm, name).__name__ == name
        assert name in dir(hm)


def test_the_package_says_that_it_is_typed():
    assert (ROOT / "hiermod" / "py.typed").exists()


def test_choices_are_those_of_the_rooms():
    from hiermod.answers.scales import CONTRASTS
    from hiermod.families.names import LINKS, FamilyName

    assert get_args(choices.Scale) == tuple(CONTRASTS)
    assert get_args(FamilyName) == tuple(LINKS)
