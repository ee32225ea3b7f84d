"""``hiermod fit`` on files written here, sampled in this process; stored fits are read by another one."""

import contextlib
import io
import json
import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from hiermod.cli import main

CLICKS = {"plain": 0.30, "short": 0.45, "long": 0.60}
SIZES = {"Canada": 240, "China": 150, "Peru": 60}


def run(*argv):
    """Run the command line and catch what it writes, also outside a test."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = main(argv)
    return SimpleNamespace(code=code, out=out.getvalue(), err=err.getvalue())


def trial():
    """Three arms in groups of unequal size, a 0/1 column, and four rows with something missing."""
    rng = np.random.default_rng(7)
    rows = [
        (country, mail, int(number % 4 == 0), int(rng.random() < rate))
        for country, size in SIZES.items()
        for mail, rate in CLICKS.items()
        for number in range(size // 3)
    ]
    frame = pd.DataFrame(rows, columns=["country", "mail", "loyal", "clicked"])
    frame = frame.astype({"loyal": "Int64", "clicked": "Int64"})
    for row, column in ((3, "clicked"), (90, "mail"), (150, "country"), (400, "loyal")):
        frame.loc[row, column] = None
    return frame


@pytest.fixture(scope="module")
def three_arms(tmp_path_factory):
    """A CSV fit with every kind of answer, stored."""
    folder = tmp_path_factory.mktemp("trial")
    trial().to_csv(folder / "trial.csv", index=False)
    done = run(
        "fit", str(folder / "trial.csv"), "clicked ~ mail + loyal + (1 | country)", "--by", "country,loyal",
        "--effect", "mail", "--control", "plain", "--save", str(folder / "trial.nc"), "--seed", "3", "--no-progress",
        "--out", str(folder / "trial.json"), "--report", str(folder / "trial.html"),
    )  # fmt: skip
    done.stored = folder / "trial.nc"
    return done


def test_answers_go_to_a_file_and_to_a_page(three_arms):
    written = json.loads(three_arms.stored.with_suffix(".json").read_text())
    assert {row["contrast"] for row in written["effect"]["rows"]} == {"long vs plain", "short vs plain"}
    page = three_arms.stored.with_suffix(".html").read_text()
    for sentence in written["effect"]["sentences"][:3]:
        assert sentence in page
    assert "\x1b" not in three_arms.out  # colours are for terminals


def test_a_stored_fit_gives_a_page(three_arms, tmp_path):
    page = tmp_path / "page.html"
    asked = ("--effect", "mail", "--by", "country", "--title", "Mails")
    done = run("report", str(three_arms.stored), str(page), *asked)
    assert (done.code, done.out) == (0, f"the page is written: {page}\n")
    text = page.read_text()
    assert "<h1>Mails</h1>" in text
    assert "Effect of mail on the clicked rate by country" in text
    done = run("report", str(three_arms.stored), str(three_arms.stored), str(page), "--effect", "mail")
    assert (done.code, "--effect: it belongs to the page of one fit" in done.err) == (2, True)
    assert run("report", str(three_arms.stored), str(tmp_path / "page.pdf")).code == 2
    assert run("report", str(tmp_path / "nothing.nc"), str(page)).code == 1


def test_the_summary_comes_first(three_arms):
    assert three_arms.code == 0
    assert three_arms.out.startswith(" Family: bernoulli (link logit)\nFormula: clicked ~ mail + loyal + (1 | country)")
    assert "seed 3" in three_arms.out


def test_notices_go_to_stderr(three_arms):
    assert "hiermod: family bernoulli (the response is 0/1)\n" in three_arms.err
    assert "4 rows with missing values dropped" in three_arms.err
    assert f"hiermod: stored in {three_arms.stored}\n" in three_arms.err
    assert "hiermod:" not in three_arms.out


def test_rates_by_two_columns(three_arms):
    """Whole numbers stay whole, though the file has an empty cell among them."""
    rates = three_arms.out.split("Clicked rate by country and loyal and mail:\n")[1].split("\n\n")[0].split("\n")
    seen = list(dict.fromkeys(tuple(line.split()[:2]) for line in rates[1:]))
    assert seen == [(c, loyal) for c in SIZES for loyal in ("0", "1")]


def test_an_effect_and_a_sentence_for_each_row(three_arms):
    table, sentences = three_arms.out.split("Effect of mail on the clicked rate (difference):\n")[1].split("\n\n")
    rows, sentences = table.split("\n")[1:], sentences.strip().split("\n")
    assert len(rows) == len(sentences) == len(SIZES) * 2 * 2
    for row, sentence in zip(rows, sentences, strict=True):
        country, loyal, level = row.split()[:3]
        assert (
            f" mail {level} has a higher clicked rate than mail plain for country {country} and loyal {loyal}, by "
            in sentence
        )


def test_another_process_reads_the_stored_fit(three_arms):
    program = (
        "import hiermod as hm, sys\n"
        "fit = hm.load(sys.argv[1])\n"
        "print(fit.effect('mail', by=['country', 'loyal'], control='plain'))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(three_arms.stored)], capture_output=True, text=True, timeout=600, check=True
    )
    assert done.stdout.strip()
    assert done.stdout in three_arms.out


@pytest.fixture(scope="module")
def two_variants(tmp_path_factory):
    """A Parquet file of counts, two variants, lower is better."""
    folder = tmp_path_factory.mktemp("counts")
    counts = pd.DataFrame({"variant": ["A", "B"], "faults": [30, 45], "runs": [100, 100]})
    counts.to_parquet(folder / "counts.parquet")
    return run(
        "fit", str(folder / "counts.parquet"), "faults/runs ~ (1 | variant)", "--pooling", "beta", "--by", "variant",
        "--family", "binomial", "--prob", "0.8", "--draws", "500", "--seed", "5",
    )  # fmt: skip


def test_beta_pooling_of_a_parquet_file(two_variants):
    assert two_variants.code == 0
    assert "Beta(a, b)" in two_variants.out
    assert "l-80%" in two_variants.out
    rates = two_variants.out.split("Fault rate by variant:\n")[1].split("\n")
    assert [line.split()[0] for line in rates[1:3]] == ["A", "B"]
    assert 0.28 < float(rates[1].split()[1]) < float(rates[2].split()[1]) < 0.47


def counts_of(tmp_path):
    (tmp_path / "counts.csv").write_text("s,n,v\n5,9,a\n6,9,b\n3,9,c\n")
    return str(tmp_path / "counts.csv")


TROUBLE = "Not converged, so that numbers may be others in another run: R-hat"
FEW = ("--draws", "20", "--seed", "1", "--no-progress")


@pytest.mark.parametrize(("strict", "code"), [((), 0), (("--strict",), 3)])
def test_a_fit_that_has_not_converged_says_so_beside_each_answer(tmp_path, strict, code):
    data = counts_of(tmp_path)
    for asked, heading in (("--by", "S rate by v:"), ("--effect", "Effect of v on the s rate")):
        done = run("fit", data, "s/n ~ v", asked, "v", *FEW, *strict)
        assert done.code == code, done.err
        assert TROUBLE in done.out.split(heading)[1]


def test_one_that_has_says_nothing_and_ends_well(three_arms, tmp_path):
    assert "Not converged" not in three_arms.out
    done = run("fit", counts_of(tmp_path), "s/n ~ v", "--effect", "v", "--strict", "--seed", "1", "--no-progress")
    assert (done.code, "Not converged" in done.out) == (0, False), done.err


@pytest.mark.parametrize(("draws", "converged"), [("20", False), ("1000", True)])
def test_answers_as_json(tmp_path, draws, converged):
    data = counts_of(tmp_path)
    done = run("fit", data, "s/n ~ v", "--effect", "v", "--json", "--draws", draws, "--seed", "1", "--no-progress")
    found = json.loads(done.out)
    assert found["converged"] is converged
    assert found["effect"]["converged"] is converged
    assert [row["contrast"] for row in found["effect"]["rows"]] == ["b vs a", "c vs a"]
    assert len(found["effect"]["sentences"]) == 2
    assert [row["term"] for row in found["fixed"]] == ["Intercept", "v[b]", "v[c]"]
    assert {check["check"]: check["passed"] for check in found["checks"]}["bulk ESS"] is converged
    done = run("fit", data, "s/n ~ v", "--by", "v", "--json", "--draws", draws, "--seed", "1", "--no-progress")
    assert json.loads(done.out)["rates"]["converged"] is converged


def test_a_sentence_of_three_arms_in_numbers_names_both(tmp_path):
    (tmp_path / "abc.csv").write_text("v,s,n\n0,90,300\n1,105,300\n2,75,300\n")
    asked = ("--effect", "v", "--seed", "1", "--no-progress")
    done = run("fit", str(tmp_path / "abc.csv"), "s/n ~ factor(v)", *asked)
    first, second = [line for line in done.out.split("\n") if line.startswith("There is")]
    assert "that v 1 has a higher s rate than v 0, by" in first
    assert "that v 2 has a lower s rate than v 0, by" in second
