"""What the documents say of the tree, held against the tree."""

from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_names_still_to_come_are_absent():
    section = (ROOT / "ARCHITECTURE.md").read_text().split("## Names still to come")[1]
    from hiermod.interface.fit import Fit, Model

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
