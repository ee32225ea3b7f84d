"""Pages about files of one's own: their commands and scripts run on such files, and print what stands under them."""

from __future__ import annotations

import contextlib
import io
import re
import shlex
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from test_readme import NUMBER, ROOT, near

import hiermod as hm
from hiermod.cli import main

BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", flags=re.MULTILINE | re.DOTALL)
PAGES = ("README.md", "notebooks/site/first_file.md", "notebooks/site/command_line.md")


def make_files(folder: Path) -> None:
    """The files that pages speak of: a plain one, one of a spreadsheet, a messy one, and one of counts."""
    rng = np.random.default_rng(11)
    hm.example("country").to_csv(folder / "trial.csv", index=False)
    clicks = pd.DataFrame(
        {"mail": rng.choice(["old", "new"], 900), "region": rng.choice(["east", "north", "south"], 900)}
    )
    odds = -1 + 0.4 * (clicks["mail"] == "new") + clicks["region"].map({"east": -0.2, "north": 0.0, "south": 0.3})
    clicks["clicked"] = (rng.random(900) < 1 / (1 + np.exp(-odds))).astype(int)
    clicks.to_csv(folder / "clicks.csv", index=False)
    groups, clinics = rng.choice(["Kontrolle", "Behandlung"], 240), rng.choice(list("ABCDEF"), 240)
    values = 48 + 4 * (groups == "Behandlung") + rng.normal(0, 2, 6)[np.searchsorted(list("ABCDEF"), clinics)]
    werte = pd.DataFrame({"Gruppe": groups, "Klinik": clinics, "Wert": (values + rng.normal(0, 5, 240)).round(2)})
    werte.to_csv(folder / "werte.csv", sep=";", decimal=",", index=False)
    arms = rng.choice(["placebo", "drug A", " drug A"], 400, p=[0.5, 0.45, 0.05])
    sites, sizes = rng.choice(["Zürich", "Genève", "Basel", "Bern"], 400), rng.normal(170, 9, 400).round(1).astype(str)
    better = rng.random(400) < 1 / (1 + np.exp(0.2 - 0.7 * (np.char.strip(arms) == "drug A")))
    klinik = pd.DataFrame({"Treatment group": arms, "Clinic site": sites, "Größe (cm)": sizes})
    klinik.loc[rng.choice(400, 12, replace=False), "Größe (cm)"] = "-"
    klinik["Got better?"] = np.where(better, "yes", "no")
    klinik.to_csv(folder / "klinik.txt", sep="\t", index=False, encoding="latin-1")
    pages = pd.DataFrame({"page": list("ABCDE"), "visits": [812, 790, 65, 803, 798]})
    pages.assign(orders=rng.binomial(pages["visits"], [0.06, 0.07, 0.06, 0.08, 0.06])).to_csv(
        folder / "pages.csv", index=False
    )


def steps(text: str) -> list[tuple[str, str, str | None]]:
    """Commands and scripts with what stands under them."""
    found = [(each.group(1), each.group(2), each.start(), each.end()) for each in BLOCK.finditer(text)]
    steps = []
    for place, (kind, code, _, end) in enumerate(found):
        after = found[place + 1] if place + 1 < len(found) else ("", "", len(text), 0)
        printed = after[1] if after[0] == "text" and not text[end : after[2]].strip() else None
        if kind in ("sh", "python"):
            steps.append((kind, code, printed))
    return steps


def run(kind: str, code: str, names: dict[str, object]) -> str:
    """What a block prints, on both channels where it is a command."""
    caught = io.StringIO()
    with contextlib.redirect_stdout(caught):
        if kind == "python":
            exec(compile(code, "page", "exec"), names)
            return caught.getvalue()
        for line in code.replace("\\\n", " ").splitlines():
            words = shlex.split(line, comments=True)
            if words and words[0].endswith("hiermod"):
                with contextlib.redirect_stderr(caught):
                    main(words[1:])
    return caught.getvalue()


@pytest.mark.slow
@pytest.mark.parametrize("page", PAGES)
def test_commands_and_scripts_about_files_do_what_the_page_says(page, tmp_path, monkeypatch):
    make_files(tmp_path)
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    for kind, code, expected in steps((ROOT / page).read_text()):
        printed = run(kind, code, names)
        if expected is None:
            continue
        lines = [" ".join(line.split()) for line in printed.splitlines()]
        told = [NUMBER.sub("#", line) for line in lines]
        for line in filter(None, map(str.strip, expected.splitlines())):
            if line == "...":
                continue
            place = told.index(NUMBER.sub("#", " ".join(line.split())))
            pairs = zip(NUMBER.findall(lines[place]), NUMBER.findall(line), strict=True)
            assert [(one, other) for one, other in pairs if not near(one, other)] == []
