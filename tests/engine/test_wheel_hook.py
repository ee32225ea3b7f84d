"""What a wheel brings of the compiled engine, and which versions of its compilers are accepted."""

import importlib.metadata
import importlib.util
import sys
import tomllib
from pathlib import Path
from types import SimpleNamespace

import pytest
from packaging.requirements import Requirement

from hiermod.engine.build import bitcode, cache, compile, front_end
from hiermod.engine.build.bitcode import Bitcode, Origin, UnfitError

ROOT = Path(__file__).parents[2]
BITCODE = Bitcode(Origin(bitcode.sources(), bitcode.system(), "1.0.0", "0.62.0"), b"some bitcode")


@pytest.fixture
def hook(tmp_path, monkeypatch):
    """The build hook in a tree of its own, and what it says."""
    spec = importlib.util.spec_from_file_location("hatch_build", ROOT / "tools" / "hatch_build.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setattr(bitcode, "SHIPPED", tmp_path / "engine.bitcode")
    monkeypatch.setenv(cache.FOLDER, str(tmp_path / "cache"))
    monkeypatch.setattr(front_end, "lowered", lambda: (BITCODE, b"parts"))
    monkeypatch.setattr("sys.path", [*sys.path])
    said = []
    app = SimpleNamespace(display_waiting=lambda _: None, display_warning=said.append)
    return module.EngineHook(str(tmp_path), {}, None, None, str(tmp_path), "wheel", app), said


def test_a_wheel_takes_new_bitcode_and_leaves_the_tree_alone(hook):
    made, said = hook
    bitcode.SHIPPED.write_bytes(b"of an editable install")
    data = {"force_include": {}}
    made.initialize("standard", data)
    ((file, place),) = data["force_include"].items()
    assert bitcode.unpacked(Path(file).read_bytes()) == BITCODE
    assert ROOT / place == bitcode.FRONT_END[0].with_name("engine.bitcode")
    made.finalize("standard", data, "")
    assert not Path(file).parent.exists()
    assert bitcode.SHIPPED.read_bytes() == b"of an editable install"
    assert said == []


def test_an_editable_install_has_bitcode_beside_its_sources(hook, monkeypatch):
    made, _ = hook
    bitcode.SHIPPED.write_bytes(b"of other sources")
    for _ in range(2):
        data = {"force_include": {}}
        made.initialize("editable", data)
        assert bitcode.shipped() == BITCODE
        assert compile._parts(compile.lowering()) == b"parts"
        assert data == {"force_include": {}}
        monkeypatch.setattr(front_end, "lowered", lambda: pytest.fail("it fits already"))


@pytest.mark.parametrize("version", ["standard", "editable"])
def test_without_numba_the_package_is_built_without_bitcode(hook, monkeypatch, version):
    def lowered():
        raise UnfitError("No module named 'numba'")

    made, said = hook
    monkeypatch.setattr(front_end, "lowered", lowered)
    bitcode.SHIPPED.write_bytes(b"of other sources")
    data = {"force_include": {}}
    made.initialize(version, data)
    made.finalize(version, data, "")
    assert data == {"force_include": {}}
    assert said == [
        "hiermod/engine/build/engine.bitcode is left out, and made on first use: No module named 'numba'",
    ]


def test_versions_of_compilers_are_the_same_wherever_they_are_named():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    used = {each.name: each.specifier for each in map(Requirement, project["project"]["dependencies"])}
    builds = {each.name: each.specifier for each in map(Requirement, project["build-system"]["requires"])}
    first, end = (".".join(map(str, version)) for version in front_end.NUMBA)
    assert {(each.operator, each.version) for each in used["numba"]} == {(">=", f"{first}.1"), ("<", end)}
    assert {each.operator: each.version for each in builds["numba"]}[">="] == f"{first}.1"
    for name in ("numba", "llvmlite"):
        assert importlib.metadata.version(name) in used[name]
