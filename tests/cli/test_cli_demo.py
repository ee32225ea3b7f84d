"""``hiermod demo``: what it prints and draws, on the fits that all tests share; sampled anew in the slow test."""

import os
import re
import sys

import pytest

import hiermod as hm
from hiermod.cli import main

PLOTS = [
    "country-effect.png",
    "country-rates.png",
    "country-trace.png",
    "scenarios.png",
    "variants-shrinkage.png",
    "variants2-shrinkage.png",
]
SENTENCES = [
    r"99\.\d % chance that the treatment raises the success rate in Canada, by 1\d points \(\d to \d+\)",
    r"[89]\d % chance that the treatment raises the success rate in China, by \d points \(-\d to \d+\)",
    r"7\d % chance that D is the best of the four variants; choosing it is expected to lose 1\.\d points",
    r"7\d % chance that D is the best of the four variants; choosing it is expected to lose 1\.\d points",
]


@pytest.fixture
def shared_fits(monkeypatch, country_fit, variants_fit):
    """Answers of the demo's questions from fits at hand: what is tested here is how they are told."""

    def fit(formula, data, **settings):
        return country_fit if "country" in formula else variants_fit

    monkeypatch.setattr(hm, "fit", fit)


def test_every_answer_is_told(shared_fits, tmp_path, capsys):
    assert main(["demo", "--out", str(tmp_path / "plots")]) == 0
    out = capsys.readouterr().out
    assert "formula  success ~ treated + (1 + treated | country)\nfamily   bernoulli\n" in out
    assert "400 rows, exactly compressed to 4 cells" in out
    assert "All checks passed." in out
    for heading in (
        "Success rates by country and treated",
        "Effect of treated",
        "P(row beats column)",
        "P(best)",
        "pull",
    ):
        assert heading in out
    sentences = re.findall(r"^There is .*\.$", out, flags=re.MULTILINE)
    assert len(sentences) == len(SENTENCES)
    for sentence, expected in zip(sentences, SENTENCES, strict=True):
        assert re.fullmatch(f"There is an? {expected}\\.", sentence)


def test_plots_are_written_where_it_says(shared_fits, tmp_path, capsys):
    folder = tmp_path / "some" / "plots"
    main(["demo", "--out", str(folder)])
    named = capsys.readouterr().out.split(f"Plots are in {folder}:\n")[1].split()
    assert sorted(named) == [str(folder / name) for name in PLOTS]
    assert sorted(path.name for path in folder.iterdir()) == PLOTS
    assert all(path.read_bytes().startswith(b"\x89PNG") and path.stat().st_size > 5000 for path in folder.iterdir())


def test_a_reader_who_leaves_ends_it_quietly(shared_fits, tmp_path, capsys, monkeypatch):
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "w") as nobody:
        monkeypatch.setattr(sys, "stdout", nobody)
        assert main(["demo", "--out", str(tmp_path)]) == 141
    assert "Traceback" not in capsys.readouterr().err


@pytest.mark.slow
def test_it_runs_as_shipped(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["demo"]) == 0
    out = capsys.readouterr().out
    assert "There is a 99." in out
    chance = re.search(r"There is a (\d+) % chance that D is the best of the four variants", out)
    assert abs(float(chance[1]) - 71.1) < 4 * 100 * (0.711 * 0.289 / 4000) ** 0.5  # exactly 71.1 %, of 4,000 draws
    assert re.search(r"There is a 5[67] % chance that D is the best", out)
    assert sorted(path.name for path in (tmp_path / "hiermod-demo").iterdir()) == PLOTS
