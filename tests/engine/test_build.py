"""The ways to compiled code: bitcode that came along, sources lowered as one module, and functions one by one."""

import importlib
import os
import pickle
import platform
import re
import shutil
import subprocess
import sys
import zlib
from dataclasses import replace
from types import ModuleType

import numpy as np
import pytest
from engine_oracle import program_of
from llvmlite import binding
from modeling_tools import spec_of
from random_models import random_frame

from hiermod.engine.adapt.coordinates import whiten
from hiermod.engine.build import back_end, bitcode, cache, cfuncs, compile, front_end, parts
from hiermod.engine.build.bitcode import Bitcode, Origin, UnfitError
from hiermod.engine.kernels.record import ENTRIES
from hiermod.engine.layout.program import Program

BITCODE = Bitcode(Origin(bitcode.sources(), bitcode.system(), "1.0.0", "0.62.0"), b"some bitcode")
ADDRESSES = dict.fromkeys(ENTRIES, 1)
LOWERING = ": lowering its sources, once on this machine (about ten seconds)"
EMITTING = "compiling the engine for this processor, once on this machine (a few seconds)"


@pytest.fixture
def shipped(tmp_path, monkeypatch):
    """The file that a wheel brings, in a folder of one's own, and an empty cache."""
    monkeypatch.setenv(cache.FOLDER, str(tmp_path / "cache"))
    monkeypatch.setattr(bitcode, "SHIPPED", tmp_path / "engine.bitcode")
    return bitcode.SHIPPED


@pytest.fixture
def ways(shipped, monkeypatch):
    """Stand-ins for what takes long; each call is listed."""
    calls = []

    def lowered(before):
        calls.append("lowered after parts" if before else "lowered")
        return BITCODE, b"parts"

    def emitted(code, processor):
        calls.append("emitted")
        return code.code

    def compiled_in(folder):
        calls.append("by function")
        if folder:
            (folder / "numba").write_text("code")
        return ADDRESSES, b"by function"

    monkeypatch.setattr(front_end, "lowered", lowered)
    monkeypatch.setattr(back_end, "emitted", emitted)
    monkeypatch.setattr(back_end, "loaded", lambda content: (ADDRESSES, content))
    monkeypatch.setattr(cfuncs, "compiled_in", compiled_in)
    return calls


def load():
    said = []
    return compile._load(said.append).memory, said


@pytest.mark.parametrize(
    "fault", [pickle.UnpicklingError("pickle data was truncated"), EOFError(), AttributeError("x")]
)
def test_sealed_code_that_is_no_pickle_is_dropped(ways, monkeypatch, fault):
    def refused(before):
        raise UnfitError("Numba 1.0 is not known")

    def unreadable(folder):
        if folder and (folder / "numba").exists():
            raise fault
        return made(folder)

    monkeypatch.setattr(front_end, "lowered", refused)
    load()
    made = cfuncs.compiled_in
    monkeypatch.setattr(cfuncs, "compiled_in", unreadable)
    memory, said = load()
    assert memory == b"by function"
    assert said[0].endswith("is damaged and not used")


def test_bitcode_is_packed_and_unpacked():
    assert bitcode.unpacked(BITCODE.packed()) == BITCODE


@pytest.mark.parametrize("damage", [
    lambda content: b"",
    lambda content: content[:-1],
    lambda content: content[:-20] + bytes(20),
    lambda content: content.replace(b"sha256", b"sha255"),
    lambda content: content.replace(BITCODE.digest.encode(), b"0" * 64),
    lambda content: b"[]" + content,
    lambda content: b"\x00\xff" * 50,
])  # fmt: skip
def test_damaged_bitcode_is_passed_over(ways, shipped, damage):
    shipped.write_bytes(damage(BITCODE.packed()))
    with pytest.raises(UnfitError, match="the engine's bitcode is damaged"):
        bitcode.shipped()
    assert load() == (b"some bitcode", ["the engine's bitcode is damaged" + LOWERING, EMITTING])


@pytest.mark.parametrize(("origin", "why"), [
    ({}, None),
    ({"sources": "others"}, "the engine's sources are not those of its bitcode"),
    ({"system": "Windows, 64 bits"}, "the engine's bitcode is for Windows, 64 bits"),
])  # fmt: skip
def test_bitcode_that_came_along_serves_where_it_fits(ways, shipped, origin, why):
    shipped.write_bytes(replace(BITCODE, origin=replace(BITCODE.origin, **origin)).packed())
    assert load() == (b"some bitcode", [EMITTING] if why is None else [why + LOWERING, EMITTING])
    assert ways == (["emitted"] if why is None else ["lowered", "emitted"])
    assert load() == (b"some bitcode", [])
    assert len(ways) <= 2


def test_a_changed_byte_of_any_source_changes_the_hash(tmp_path, monkeypatch):
    copy, lowering = tmp_path / "kernels", tmp_path / "front_end.py"
    shutil.copytree(bitcode.SOURCES, copy)
    (copy / "nested").mkdir()
    (copy / "nested" / "more.py").write_text("A = 1")
    lowering.write_bytes(bitcode.front_end())
    monkeypatch.setattr(bitcode, "SOURCES", copy)
    monkeypatch.setattr(bitcode, "FRONT_END", [lowering])
    hashes = [bitcode.sources()]
    (copy / "nested" / "more.py").write_text("A = 2")
    hashes.append(bitcode.sources())
    (copy / "nested" / "more.py").rename(copy / "nested" / "other.py")
    hashes.append(bitcode.sources())
    lowering.write_text("how it is lowered")
    hashes.append(bitcode.sources())
    assert bitcode.sources() == hashes[-1]
    assert len(set(hashes)) == len(hashes)


def test_parts_of_the_latest_state_serve_the_next(ways, tmp_path, monkeypatch):
    load()
    monkeypatch.setattr(bitcode, "sources", lambda: "edited")
    load()
    monkeypatch.setattr(bitcode, "front_end", lambda: b"lowered otherwise")
    load()
    assert ways == ["lowered", "emitted", "lowered after parts", "lowered"]


@pytest.mark.parametrize("damage", [
    lambda folder: (folder / "parts").write_bytes(b"planted"),
    lambda folder: (folder / "parts").unlink(),
    lambda folder: folder.chmod(0o777),
])  # fmt: skip
def test_parts_that_cannot_be_trusted_are_not_read(ways, tmp_path, monkeypatch, damage):
    monkeypatch.delenv(cache.FOLDER)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(cache.tempfile, "tempdir", str(tmp_path / "tmp"))
    load()
    (folder,) = (tmp_path / "hiermod").glob("bitcode-*")
    damage(folder)
    monkeypatch.setattr(bitcode, "sources", lambda: "edited")
    load()
    assert ways == ["lowered", "emitted", "lowered"]


def test_where_parts_do_not_serve_all_is_lowered(monkeypatch):
    def in_another_process(before):
        if before:
            raise UnfitError("the parts are damaged")
        return BITCODE, b"parts"

    monkeypatch.setattr(front_end, "_in_another_process", in_another_process)
    assert front_end.lowered(b"damaged") == (BITCODE, b"parts")


def test_a_file_depends_on_what_it_imports_directly_or_not(tmp_path, monkeypatch):
    package = parts.PACKAGE
    texts = {
        "__init__": "", "ground": "", "alone": f"from {package} import A", "middle": f"from {package} import A, ground",
        "top": f"import math\ndef f():\n    from {package}.middle import g", "whole": f"import {package}.top",
    }  # fmt: skip
    for name, text in texts.items():
        (tmp_path / f"{name}.py").write_text(text)
    monkeypatch.setattr(parts, "SOURCES", tmp_path)
    found = {name: {path.stem for path in parts.depends_on(tmp_path / f"{name}.py")} for name in texts}
    assert found == {
        "__init__": {"__init__"}, "ground": {"__init__", "ground"}, "alone": {"__init__", "alone"},
        "middle": {"__init__", "ground", "middle"}, "top": {"__init__", "ground", "middle", "top"},
        "whole": {"__init__", "ground", "middle", "top", "whole"},
    }  # fmt: skip


def test_files_from_which_a_kernel_takes_names_are_found():
    for path in bitcode.SOURCES.glob("*.py"):
        held = vars(importlib.import_module(f"{parts.PACKAGE}.{path.stem}")).values()
        used = {each.__name__ if isinstance(each, ModuleType) else getattr(each, "__module__", "") for each in held}
        used = {name.rpartition(".")[2] for name in used if str(name).startswith(f"{parts.PACKAGE}.")}
        assert used <= {each.stem for each in parts.depends_on(path)}, path


def test_kept_bitcode_serves_another_processor(ways, monkeypatch):
    load()
    monkeypatch.setattr(back_end, "this_processor", lambda: back_end.Processor("x86-64", ""))
    assert load() == (b"some bitcode", [EMITTING])
    assert ways == ["lowered", "emitted", "emitted"]


def test_functions_are_compiled_one_by_one_where_numba_has_moved(ways, monkeypatch):
    def moved(before):
        ways.append("lowered")
        raise UnfitError("Numba 9.9 is not known")

    monkeypatch.setattr(front_end, "lowered", moved)
    memory, said = load()
    assert memory == b"by function"
    assert said == [
        "no bitcode of the engine came with it" + LOWERING,
        "Numba 9.9 is not known: compiling the engine by function, once on this machine (about half a minute)",
    ]
    assert load() == (b"by function", [])
    assert ways == ["lowered", "by function", "by function"]


@pytest.mark.parametrize("code", [b"no bitcode", b"BC\xc0\xde" + bytes(400), b"BC\xc0\xde" + bytes(range(256))])
def test_bitcode_that_llvm_cannot_read_is_no_crash(code):
    with pytest.raises(UnfitError, match=r"LLVM .* cannot read the engine's bitcode"):
        back_end.emitted(replace(BITCODE, code=code), back_end.this_processor())
    with pytest.raises(UnfitError, match="is that of LLVM 999, newer than llvmlite"):
        back_end.emitted(replace(BITCODE, origin=replace(BITCODE.origin, llvm="999.0.0")), back_end.this_processor())


def test_bitcode_that_llvm_cannot_read_gives_way_to_sources_and_these_to_functions(ways, shipped, monkeypatch):
    def emitted(code, processor):
        raise UnfitError("LLVM cannot read it")

    monkeypatch.setattr(back_end, "emitted", emitted)
    shipped.write_bytes(BITCODE.packed())
    memory, said = load()
    assert memory == b"by function"
    assert said[1] == "LLVM cannot read it" + LOWERING
    assert said[-1].startswith("LLVM cannot read it: compiling the engine by function")
    assert ways == ["lowered", "by function"]


def test_an_unknown_numba_is_said(monkeypatch):
    numba = pytest.importorskip("numba")
    monkeypatch.setattr(numba, "__version__", "9.9.0")
    with pytest.raises(UnfitError, match=r"Numba 9\.9\.0 is not known"):
        front_end._lowered_here()


def test_a_moved_front_end_is_said(tmp_path, monkeypatch):
    (tmp_path / "sitecustomize.py").write_text("import numba.core.codegen as codegen; del codegen.JITCodeLibrary")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with pytest.raises(UnfitError, match=r"cannot be lowered as one module: AttributeError: .*JITCodeLibrary"):
        front_end.lowered()
    monkeypatch.setattr(sys, "executable", str(tmp_path / "none"))
    with pytest.raises(UnfitError, match="no process can be started"):
        front_end.lowered()


def test_an_object_without_the_functions_is_refused():
    machine = back_end._machine(back_end.this_processor())
    with pytest.raises(UnfitError, match="the engine's object lacks functions"):
        back_end.loaded(machine.emit_object(back_end.binding.parse_assembly("")))


@pytest.fixture(scope="module")
def lowered():
    """Bitcode of the kernels."""
    try:
        return bitcode.shipped()
    except UnfitError:
        return front_end.lowered()[0]


def assert_same_density(functions):
    frame = random_frame(np.random.default_rng(5), 120)
    models = {
        "gaussian": "y ~ x + (1 + x | g) + (1 | h)",
        "poisson": "c ~ x + (1 | g)",
        "negbinomial": "c ~ x + (1 | g)",
    }
    for family, text in models.items():
        program = whiten(program_of(spec_of(text, frame, family)))
        other = Program(program.problem, program.memory, functions)
        random = np.random.default_rng(3)
        for _ in range(5):
            z = random.normal(size=program.problem.dimension)
            (value, gradient), (same, again) = program.log_density(z), other.log_density(z)
            np.testing.assert_allclose(again, gradient, rtol=0, atol=1e-12 * (1 + np.abs(gradient).max()))
            assert same == pytest.approx(value, rel=1e-12, abs=1e-12)


def test_parts_of_files_that_are_gone_are_not_kept():
    module = f"{parts.PACKAGE}.numbers.elementary"
    here = parts.Key(module, "sigmoid", "(float64,)", parts.files(module))
    gone = here._replace(module=f"{parts.PACKAGE}.gone")
    packed = zlib.compress(pickle.dumps(({key: pickle.dumps(("digest", b"")) for key in (here, gone)}, {})))
    assert list(parts.Parts(packed)._functions) == [here]


@pytest.mark.skipif(platform.machine() != "x86_64", reason="other processors have other names")
@pytest.mark.parametrize(("name", "features"), [("x86-64", ""), ("x86-64-v3", ""), ("x86-64-v3", "-avx2,-fma")])
def test_an_older_processor_has_the_same_density(lowered, name, features):
    addresses, _memory = back_end.loaded(back_end.emitted(lowered, back_end.Processor(name, features)))
    assert_same_density({entry: compile.Function(addresses[entry], count) for entry, count in ENTRIES.items()})


@pytest.mark.slow
def test_functions_compiled_one_by_one_have_the_same_density(tmp_path):
    (tmp_path / "read-only").mkdir()
    for _ in range(2):  # compiled, and loaded from where it cannot be written
        addresses, _memory = cfuncs.compiled_in(tmp_path / "read-only")
        assert_same_density({entry: compile.Function(addresses[entry], count) for entry, count in ENTRIES.items()})
    with cfuncs.loadable(tmp_path / "read-only") as folder:
        assert folder == tmp_path / "read-only"


@pytest.mark.slow
def test_an_edit_lowers_what_depends_on_it_alone_and_to_the_same_bitcode(tmp_path, monkeypatch):
    package = tmp_path / "hiermod"
    shutil.copytree(bitcode.SOURCES.parents[1], package, ignore=shutil.ignore_patterns("data", "__pycache__"))
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    _, before = front_end.lowered()
    edited = package / "engine" / "kernels" / "rows" / "families.py"
    edited.write_text(edited.read_text().replace("0.5 *", "0.75 *"))
    (code, after), (anew, _) = front_end.lowered(before), front_end.lowered()
    assert code == anew
    assert code.origin.sources != bitcode.sources()
    lowered, kept = (set(pickle.loads(zlib.decompress(content))[0]) for content in (after, before))
    again = {key.module.rpartition(".")[2] for key in lowered - kept}
    assert again == {"families", "likelihood", "integrated", "threads", "density", "entries"}
    assert {key[:3] for key in lowered} == {key[:3] for key in kept}


@pytest.mark.slow
def test_shortcuts_through_the_front_end_change_nothing():
    without = f"""
import sys; sys.path[:] = {sys.path!r}
from numba.core import compiler
from hiermod.engine.build import front_end
front_end.take_shortcuts = lambda: compiler.Compiler
sys.stdout.buffer.write(front_end._lowered_here()[0].code)
"""
    ordered = os.environ | {"PYTHONHASHSEED": "0"}
    code = subprocess.run([sys.executable, "-c", without], env=ordered, check=True, capture_output=True).stdout
    assert _without_order(code) == _without_order(front_end.lowered()[0].code)


def _without_order(code):
    """A module as text, the values of each phi in one order, which means nothing."""
    text = str(binding.parse_bitcode(code))
    return re.sub(r"(?<= phi )(.*?)(\[.*\])", lambda phi: phi[1] + str(sorted(re.findall(r"\[.*?\]", phi[2]))), text)


@pytest.mark.slow
def test_kernels_are_lowered_to_the_same_bitcode_each_time():
    assert front_end.lowered() == front_end.lowered()


def test_a_fit_and_its_answers_import_no_compiler_and_no_kind_of_array_that_is_not_used():
    code = """
import sys
import hiermod as hm
fit = hm.fit("success ~ treated + (1 + treated | country)", hm.example("country"), seed=1, draws=100, progress=False)
print(fit.summary(), fit.effect("treated"))
found = {"numba", "pymc", "pytensor", "dask", "sparse", "arviz", "matplotlib", "duckdb"} & set(sys.modules)
assert not found, found
"""
    subprocess.run([sys.executable, "-W", "ignore", "-c", code], check=True, env={**os.environ}, capture_output=True)
