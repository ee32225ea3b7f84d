"""The README holds: its names exist, its links lead somewhere, its examples run and print what stands under them."""

import contextlib
import io
import re
from pathlib import Path
from typing import get_args

import pytest

import hiermod as hm
from hiermod.answers.answer import Answer
from hiermod.families.names import FamilyName
from hiermod.interface.fit import Fit, Model
from hiermod.interface.plots import FitPlots, PriorPlots

ROOT = Path(__file__).parents[2]
PAGES = [
    "README.md", "LIMITATIONS.md", "CONTRIBUTING.md", "CHANGELOG.md",
    *sorted(own.relative_to(ROOT).as_posix() for own in (ROOT / "notebooks").rglob("*.md") if "made" not in own.parts),
]  # fmt: skip
HOLDERS = {"hm": hm, "hiermod": hm, "fit": Fit, "ab": Fit, "cbpp": Fit, "again": Fit, "model": Model, "answer": Answer}
NUMBER = re.compile(r"-?\d[\d,]*\.?\d*")


def blocks(text):
    """Fenced blocks in order: language, text, and whether only blank lines part them from the one before."""
    end, found = 0, []
    for fence in re.finditer(r"^```(\w+)\n(.*?)^```$", text, flags=re.MULTILINE | re.DOTALL):
        found.append((fence.group(1), fence.group(2), not text[end : fence.start()].strip()))
        end = fence.end()
    return found


def examples(text):
    """Python blocks, each with the output that stands under it (or None)."""
    found = blocks(text)
    followers = [*found[1:], ("", "", False)]
    return [
        (code, output if language == "text" and adjoining else None)
        for (kind, code, _), (language, output, adjoining) in zip(found, followers, strict=True)
        if kind == "python"
    ]


@pytest.mark.parametrize("page", PAGES)
def test_names_exist(page):
    text = (ROOT / page).read_text()
    for holder, name in re.findall(rf"\b({'|'.join(HOLDERS)})\.(\w+)", text):
        if name not in ("md", "nc", "cli"):
            assert hasattr(HOLDERS[holder], name), f"{holder}.{name}"
    for name in re.findall(r"\.plot\.(\w+)", text):
        assert hasattr(FitPlots, name) or hasattr(PriorPlots, name), f"plot.{name}"


@pytest.mark.parametrize("page", PAGES)
def test_no_page_holds_marks_of_a_merge(page):
    assert not re.search(r"^(<<<<<<<|>>>>>>>) ", (ROOT / page).read_text(), flags=re.MULTILINE)


@pytest.mark.parametrize("page", PAGES)
def test_links_and_targets_exist(page):
    text = (ROOT / page).read_text()
    for target in re.findall(r"\]\((?!https:)([^)#]+)\)", text):
        if not target.startswith(("made/", "/site/made/")):  # pages that are made when the site is
            assert ((ROOT / page).parent / target).exists(), target
    makefile = (ROOT / "Makefile").read_text()
    for target in re.findall(r"`make ([a-z-]+)", text):
        assert re.search(rf"^{target}:", makefile, flags=re.MULTILINE), target


def test_the_readme_begins_with_the_two_commands():
    first = (ROOT / "README.md").read_text().split("\n")[:4]
    assert [first[0], first[1].split("#")[0].strip(), first[2].split("#")[0].strip(), first[3]] == [
        "```sh",
        "make demo",
        "make test",
        "```",
    ]


def test_the_readme_counts_the_families():
    (number,) = re.findall(r"(\d+) \[families\]", (ROOT / "README.md").read_text())
    assert int(number) == len(get_args(FamilyName))


def near(printed, expected):
    """Whether two numbers are the same but for other draws."""
    one, other = (float(text.replace(",", "")) for text in (printed, expected))
    return abs(one - other) <= 0.08 + 0.6 * max(abs(one), abs(other))


RUN = (
    "README.md", "notebooks/from_r.md", "notebooks/compare.md", "notebooks/site/questions.md", "notebooks/site/data.md",
    "notebooks/site/use_families.md", "notebooks/site/priors.md", "notebooks/site/models.md",
)  # fmt: skip


def test_every_page_with_scripts_is_run():
    scripts = {page for page in PAGES if "```python" in (ROOT / page).read_text()}
    assert scripts == {*RUN, "notebooks/site/first_file.md"}  # which needs files: test_pages_with_files.py


@pytest.mark.slow
@pytest.mark.parametrize("page", RUN)
def test_the_examples_print_what_stands_under_them(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names = {}
    for code, expected in examples((ROOT / page).read_text()):
        caught = io.StringIO()
        with contextlib.redirect_stdout(caught):
            exec(compile(code, page, "exec"), names)
        if expected is None:
            assert caught.getvalue() == ""
            continue
        printed = caught.getvalue()
        assert NUMBER.sub("#", printed).split() == NUMBER.sub("#", expected).split()
        pairs = zip(NUMBER.findall(printed), NUMBER.findall(expected), strict=True)
        assert [(one, other) for one, other in pairs if not near(one, other)] == []
