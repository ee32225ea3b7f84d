"""Where compiled code is kept, and which is not loaded: damaged, somebody else's, or open to others."""

import os
import platform
import shutil
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from hiermod.engine.build import back_end, bitcode, cache, compile
from hiermod.engine.build.bitcode import Bitcode, Origin, UnfitError
from hiermod.engine.kernels.record import ENTRIES

POSIX = pytest.mark.skipif(not hasattr(os, "getuid"), reason="Windows has no owners of this kind")


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A cache and a folder for temporary files of one's own, bitcode of one word, and a compiler that copies it."""
    (tmp_path / "tmp").mkdir()
    monkeypatch.delenv(cache.FOLDER, raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(cache.tempfile, "tempdir", str(tmp_path / "tmp"))
    monkeypatch.setattr(bitcode, "shipped", lambda: Bitcode(Origin("", "", "1.0.0", ""), b"made"))
    monkeypatch.setattr(back_end, "emitted", lambda code, processor: code.code)
    monkeypatch.setattr(back_end, "loaded", lambda content: (dict.fromkeys(ENTRIES, 1), content))
    return tmp_path / "cache" / "hiermod"


def load():
    said = []
    library = compile._load(said.append)
    return library.memory.decode(), library.folder, said


def test_what_was_compiled_is_loaded(home):
    word, folder, said = load()
    assert (word, folder.parent) == ("made", home)
    assert said == ["compiling the engine for this processor, once on this machine (a few seconds)"]
    assert load() == ("made", folder, [])
    assert [path.name for path in home.iterdir()] == [folder.name]


@pytest.mark.parametrize("damage", [
    lambda folder: (folder / "code").write_text(""),
    lambda folder: (folder / "code").write_text("madE"),
    lambda folder: (folder / "code").unlink(),
    lambda folder: (folder / "more").write_text(""),
    lambda folder: (folder / cache.CONTENTS).unlink(),
    lambda folder: (folder / cache.CONTENTS).write_bytes(b"\xff\xfe"),
])  # fmt: skip
def test_damaged_code_is_dropped_and_compiled_anew(home, damage):
    _, folder, _ = load()
    damage(folder)
    word, again, said = load()
    assert (word, again) == ("made", folder)
    assert said[0] == f"the compiled engine in {folder} is damaged and not used"
    assert load() == ("made", folder, [])


def test_code_of_another_folder_is_not_loaded(home):
    _, folder, _ = load()
    other = folder.with_name(f"{folder.name}-other")
    shutil.copytree(folder, other)
    assert cache.is_whole(folder)
    assert not cache.is_whole(other)


def test_an_object_that_lacks_functions_is_dropped_and_compiled_anew(home, monkeypatch):
    def loaded(content):
        if content == b"lacks functions":
            raise UnfitError("the engine's object lacks functions")
        return dict.fromkeys(ENTRIES, 1), content

    _, folder, _ = load()
    (folder / "code").write_bytes(b"lacks functions")
    cache.seal(folder, folder.name)
    monkeypatch.setattr(back_end, "loaded", loaded)
    word, again, said = load()
    assert (word, again) == ("made", folder)
    assert said[0] == f"the compiled engine in {folder} is damaged and not used"
    assert load() == ("made", folder, [])


def test_processes_that_compile_at_once_keep_one_result(home, monkeypatch):
    together = threading.Barrier(4)

    def emitted(code, processor):
        together.wait()
        return code.code

    monkeypatch.setattr(back_end, "emitted", emitted)
    with ThreadPoolExecutor(4) as pool:
        results = [task.result() for task in [pool.submit(load) for _ in range(4)]]
    (folder,) = home.iterdir()
    assert {(word, kept) for word, kept, _ in results} == {("made", folder)}
    assert cache.is_whole(folder)
    assert load() == ("made", folder, [])


@pytest.mark.parametrize("broken", ["emitted", "kept"])
def test_after_an_interruption_the_next_process_compiles(home, monkeypatch, broken):
    def interrupt(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as context:
        context.setattr(*((back_end, "emitted") if broken == "emitted" else (compile, "seal")), interrupt)
        with pytest.raises(KeyboardInterrupt, match=r"^$"):
            load()
    assert not home.exists() or list(home.iterdir()) == []
    word, folder, _ = load()
    assert (word, folder.parent) == ("made", home)


@POSIX
@pytest.mark.parametrize("base", ["/dev/null", "not/absolute"])
def test_without_a_home_or_a_folder_for_temporary_files_each_process_compiles(home, monkeypatch, tmp_path, base):
    def nowhere():
        raise FileNotFoundError(2, "No usable temporary directory found")

    monkeypatch.setenv("XDG_CACHE_HOME", base)
    monkeypatch.setattr(cache.os.path, "expanduser", lambda path: path)
    monkeypatch.setattr(cache.tempfile, "gettempdir", nowhere)
    monkeypatch.chdir(tmp_path)
    before = sorted(tmp_path.iterdir())
    for _ in range(2):
        word, folder, said = load()
        assert (word, folder) == ("made", None)
        assert said[1].startswith("no folder for compiled code can be written: set HIERMOD_CACHE_DIR")
    assert sorted(tmp_path.iterdir()) == before


@POSIX
@pytest.mark.parametrize("place", ["hiermod", "engine"])
def test_folders_that_others_can_write_to_are_not_trusted(home, place):
    _, folder, _ = load()
    (folder / "code").write_text("planted")
    cache.seal(folder, folder.name)
    (home if place == "hiermod" else folder).chmod(0o777)
    word, elsewhere, said = load()
    assert word == "made"
    assert said[0].startswith("compiling the engine")
    assert elsewhere is None or elsewhere.parent.parent.name == "tmp"
    if place == "engine":
        assert said[1] == f"it could not be kept, since {folder} is not this user's or cannot be replaced"


@POSIX
def test_links_and_folders_of_others_are_not_trusted(home, tmp_path, monkeypatch):
    _, folder, _ = load()
    (tmp_path / "link").symlink_to(folder)
    assert cache.is_trusted(folder)
    assert not cache.is_trusted(tmp_path / "link")
    assert not cache.is_trusted(folder / "code")
    monkeypatch.setattr(os, "getuid", lambda: folder.stat().st_uid + 1)
    assert cache.is_trusted(folder) == (folder.stat().st_uid == 0)


def test_a_folder_that_the_user_names_is_trusted(home, tmp_path, monkeypatch):
    monkeypatch.setenv(cache.FOLDER, str(tmp_path / "shared"))
    _, folder, _ = load()
    folder.chmod(0o777)
    (tmp_path / "link").symlink_to(tmp_path / "shared")
    monkeypatch.setenv(cache.FOLDER, str(tmp_path / "link"))
    assert load() == ("made", tmp_path / "link" / folder.name, [])


@pytest.mark.parametrize("call", ["lstat", "mkdir"])
def test_where_a_home_cannot_be_reached_temporary_files_take_its_place(home, monkeypatch, call):
    def refuse(path, *arguments, **options):
        if str(path).startswith(str(home)):
            raise PermissionError(13, "Permission denied", str(path))
        return real(path, *arguments, **options)

    real = getattr(os, call)
    monkeypatch.setattr(os, call, refuse)
    word, folder, _ = load()
    assert word == "made"
    assert folder.parent.parent.name == "tmp"


def test_broken_off_builds_are_cleared_away_and_running_ones_left(home):
    old, running = home / "building-old", home / "building-new"
    old.mkdir(parents=True), running.mkdir()
    home.chmod(0o700)
    os.utime(old, (time.time() - 2 * cache.ABANDONED,) * 2)
    load()
    assert not old.exists()
    assert running.exists()


def test_a_full_disk_leaves_the_code_to_the_process(home, monkeypatch):
    def full(path, content):
        raise OSError(28, "No space left on device", str(path))

    monkeypatch.setattr(Path, "write_bytes", full)
    word, folder, said = load()
    assert (word, folder) == ("made", None)
    assert said[1] == "no folder for compiled code can be written: set HIERMOD_CACHE_DIR, or each process compiles anew"
    assert list(home.iterdir()) == []


@pytest.mark.parametrize("changed", ["code", "processor", "LLVM", "emitter"])
def test_code_depends_on_all_that_it_is_made_of(home, tmp_path, monkeypatch, changed):
    _, folder, _ = load()
    if changed == "code":
        monkeypatch.setattr(bitcode, "shipped", lambda: Bitcode(Origin("", "", "1.0.0", ""), b"other"))
    elif changed == "processor":
        monkeypatch.setattr(back_end, "this_processor", lambda: back_end.Processor("x86-64", "-avx2"))
    elif changed == "LLVM":
        monkeypatch.setattr(back_end, "versions", lambda: "LLVM 1")
    else:
        (tmp_path / "back_end.py").write_text("another")
        monkeypatch.setattr(back_end, "__file__", str(tmp_path / "back_end.py"))
    _, other, said = load()
    assert other != folder
    assert said[0].startswith("compiling the engine")


COLD_AND_WARM = """
import hashlib
import numpy as np
import pandas as pd
import hiermod as hm
random = np.random.default_rng(0)
rows = pd.DataFrame({"x": random.normal(size=300), "a": random.integers(0, 4, 300), "b": random.integers(0, 30, 300)})
rows["y"] = rows.x + random.normal(size=4)[rows.a] + random.normal(size=300)
fit = hm.fit("y ~ x + (1 | a) + (1 + x | b)", rows, "gaussian", seed=1, draws=50, tune=100, progress=False)
print(hashlib.sha256(b"".join(values.to_numpy().tobytes() for values in fit.posterior.values())).hexdigest())
"""


@pytest.mark.slow
def test_the_process_that_compiles_draws_what_later_ones_draw(tmp_path):
    run = [sys.executable, "-c", COLD_AND_WARM]
    cold, warm = (
        subprocess.run(run, env={**os.environ, cache.FOLDER: str(tmp_path)}, capture_output=True, text=True, check=True)
        for _ in range(2)
    )
    assert "compiling the engine" in cold.stderr
    assert "compiling the engine" not in warm.stderr
    assert cold.stdout == warm.stdout


FAULTS = {
    "files cannot grow": "import resource, signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN); "
    "resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))",
    "no AVX2": "from hiermod.engine.build import back_end; "
    "back_end.this_processor = lambda: back_end.Processor('x86-64', '-avx,-avx2,-fma')",
}


@POSIX
@pytest.mark.slow
@pytest.mark.parametrize("fault", FAULTS)
def test_a_fit_works_where(fault, tmp_path):
    if fault == "no AVX2" and platform.machine() != "x86_64":
        pytest.skip("other processors have other features")
    run = [sys.executable, "-c", FAULTS[fault] + COLD_AND_WARM]
    done = subprocess.run(
        run, env={**os.environ, cache.FOLDER: str(tmp_path / "cache")}, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.strip()) == 64
    kept = [path.name for path in (tmp_path / "cache").iterdir()]
    if fault == "no AVX2":
        assert any(name.startswith("engine-") for name in kept)
    else:
        assert kept == []
        assert "no folder for compiled code can be written" in done.stderr
