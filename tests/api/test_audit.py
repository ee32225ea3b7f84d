"""The lock has hashes and free licences, no advisory is known for it, and the package opens no doors."""

from pathlib import Path

import pytest
from packaging.version import Version

from tests.trust import audit

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("what", [what for what in audit.CHECKS if "installed" not in what])
def test_an_audit_finds_nothing(what):
    assert list(audit.CHECKS[what]()) == []


@pytest.mark.parametrize(("version", "inside"), [("1.0", True), ("1.9", True), ("2.0", False), ("0.9", False)])
def test_spans_end_before_the_fixed_version(version, inside):
    assert audit.within(Version(version), "1.0", "2.0", False) == inside
    assert audit.within(Version("2.0"), "1.0", "2.0", True)
    assert audit.within(Version("9"), "1.0", None, False)


def test_an_affected_version_is_found(monkeypatch):
    monkeypatch.setattr(audit, "locked", lambda: {"dask": {"2021.9.0"}})
    assert any("PYSEC-2021-387" in line for line in audit.affected())


def test_a_door_is_found(tmp_path, monkeypatch):
    (tmp_path / "hiermod").mkdir()
    (tmp_path / "hiermod" / "x.py").write_text("import os\nos.system('x')\neval('1')\n")
    monkeypatch.setattr(audit, "ROOT", tmp_path)
    assert list(audit.open_doors()) == ["hiermod/x.py:2: os.system", "hiermod/x.py:3: eval"]


def test_paths_of_the_threat_model_are_there():
    import re

    for name in ("SECURITY.md", "notebooks/site/threat_model.md"):
        text = (ROOT / name).read_text()
        paths = re.findall(r"`((?:hiermod|tests|docs)/[\w/]+\.\w+)`", text)
        assert [path for path in paths if not (ROOT / path).exists()] == []
