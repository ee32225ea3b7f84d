"""Where compiled code is kept, and which is not loaded: damaged, somebody else's, or open to others."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from hiermod.engine.build import back_end, bitcode, cache, compile
from hiermod.engine.build.bitcode import Bitcode, Origin
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


@POSIX
@pytest.mark.parametrize("place", ["hiermod", "engine"])
def test_folders_that_others_can_write_to_are_not_trusted(home, place):
    _, folder, _ = load()
    (folder / "code").write_text("planted")
    cache.seal(folder)
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
