"""What the documents say of the tree, held against the tree."""

from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "hiermod"
MODULES = sorted(path for path in PACKAGE.rglob("*.py") if path.stem not in ("__init__", "__main__"))
MAX_LINES = 250


def test_every_module_stands_in_the_architecture():
    text = (ROOT / "ARCHITECTURE.md").read_text()
    missing = [
        str(path.relative_to(PACKAGE)) for path in MODULES if f"`{path.stem}`" not in text and path.name not in text
    ]
    assert not missing


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_files_stay_readable(path):
    assert len(path.read_text().splitlines()) <= MAX_LINES


def test_names_still_to_come_are_absent():
    section = (ROOT / "ARCHITECTURE.md").read_text().split("## Names still to come")[1]
    from hiermod.facades.fit import Fit
    from hiermod.facades.model import Model

    for name in ("code",):
        assert f"`model.{name}`" in section
        assert not hasattr(Model, name)
    for name in ("report",):
        assert f"`fit.{name}`" in section
        assert not hasattr(Fit, name)


def test_documents_name_no_addresses_of_machines():
    for name in ("README.md", "ARCHITECTURE.md", "CHANGELOG.md", "LIMITATIONS.md", "CONTRIBUTING.md"):
        text = (ROOT / name).read_text()
        for word in ("/root/", "/work/", "/tmp/", "pypi.org", "files.pythonhosted"):
            assert word not in text, (name, word)
