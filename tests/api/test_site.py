"""The documentation's site: every page can be reached, notebooks say that they are ones, made pages are made."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

import pytest

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"
PAGES = sorted(
    path.relative_to(NOTEBOOKS).with_suffix("").as_posix()
    for path in (*NOTEBOOKS.rglob("*.md"), *NOTEBOOKS.rglob("*.ipynb"))
    if not {"made", "generated", ".ipynb_checkpoints"} & set(path.parts)
)


@pytest.fixture(scope="module")
def made_pages():
    spec = importlib.util.spec_from_file_location("made_pages", NOTEBOOKS / "site" / "made_pages.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def reached(page):
    """The pages in the tables of contents of a page."""
    path = NOTEBOOKS / f"{page}.md"
    if not path.exists():
        return []
    found = []
    for table in re.findall(r"^```\{toctree\}\n(.*?)^```$", path.read_text(), flags=re.MULTILINE | re.DOTALL):
        for line in filter(None, table.split("\n")):
            if not line.startswith(":"):
                found.append((path.parent / line).resolve().relative_to(NOTEBOOKS).as_posix())
    return found


def test_every_page_can_be_reached(made_pages):
    known, waiting = set(), ["index"]
    while waiting:
        page = waiting.pop()
        if page not in known:
            known.add(page)
            waiting += reached(page)
    made = {f"site/made/{name}" for name in (*made_pages.DOCUMENTS.values(), "distributions", "functions")}
    assert set(PAGES) | made == known


@pytest.mark.parametrize("page", [page for page in PAGES if (NOTEBOOKS / f"{page}.md").exists()])
def test_pages_with_cells_say_that_they_are_notebooks(page):
    text = (NOTEBOOKS / f"{page}.md").read_text()
    assert ("```{code-cell}" in text) == text.startswith("---\nfile_format: mystnb\n")


def test_made_pages_hold_the_records_and_documents(made_pages, tmp_path):
    made_pages.write(NOTEBOOKS.parent, tmp_path)
    distributions = (tmp_path / "distributions.md").read_text()
    assert "| `StudentT(nu, mu, sigma)` |" in distributions or "`StudentT(" in distributions
    limits = (tmp_path / "limits.md").read_text()
    assert "](notebooks/" not in limits
    assert "](/site/use_families.md)" in limits
    (tmp_path / "old.md").write_text("old")
    made_pages.write(NOTEBOOKS.parent, tmp_path)
    assert not (tmp_path / "old.md").exists()
