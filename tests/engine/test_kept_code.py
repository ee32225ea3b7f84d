"""Where compiled code is kept, and which is not loaded: damaged, somebody else's, or open to others."""

import os
import shutil
import subprocess
import sys
import time

import pytest

from hiermod.engine.build import cache, compile

POSIX = pytest.mark.skipif(not hasattr(os, "getuid"), reason="Windows has no owners of this kind")


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A cache and a folder for temporary files of one's own, and a compiler that writes a word."""

    def compiled_in(folder):
        calls.append(folder)
        if folder is None:
            return {"word": "made"}
        if not (folder / "code").exists():
            (folder / "code").write_text("kept")
            return {"word": "made"}
        return {"word": (folder / "code").read_text()}

    calls = []
    (tmp_path / "tmp").mkdir()
    monkeypatch.delenv(cache.FOLDER, raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(cache.tempfile, "tempdir", str(tmp_path / "tmp"))
    monkeypatch.setattr(compile, "_compiled_in", compiled_in)
    return tmp_path / "cache" / "hiermod"


def load():
    said = []
    found = compile._load(said.append)
    return found.functions["word"], found.folder, said


def test_what_was_compiled_is_loaded(home):
    word, folder, said = load()
    assert (word, folder.parent) == ("made", home)
    assert said == ["compiling the engine, once on this machine (about half a minute)"]
    assert load() == ("kept", folder, [])
    assert [path.name for path in home.iterdir()] == [folder.name]


@pytest.mark.parametrize("damage", [
    lambda folder: (folder / "code").write_text(""),
    lambda folder: (folder / "code").write_text("kepT"),
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
    assert load() == ("kept", folder, [])


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
    assert load()[0] == "kept"


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


@pytest.mark.parametrize("writable", [True, False])
def test_code_is_loaded_not_compiled_also_where_it_cannot_be_written(monkeypatch, writable):
    folder = compile.library().folder
    assert folder is not None
    before = cache._contents(folder)
    access = os.access
    monkeypatch.setattr(cache.os, "access", lambda path, mode: writable if path == folder else access(path, mode))
    with cache.loadable(folder) as place:
        assert (place == folder) == writable
        functions = compile._compiled_in(place)
    assert all(function.cache_hits == 1 for function in functions.values())
    assert cache._contents(folder) == before


def test_a_changed_byte_of_any_source_gives_another_key(tmp_path, monkeypatch):
    copy = tmp_path / "kernels"
    shutil.copytree(compile.SOURCES, copy)
    (copy / "nested").mkdir()
    (copy / "nested" / "more.py").write_text("A = 1")
    monkeypatch.setattr(compile, "SOURCES", copy)
    keys = [compile.key()]
    (copy / "nested" / "more.py").write_text("A = 2")
    keys.append(compile.key())
    (copy / "nested" / "more.py").rename(copy / "nested" / "other.py")
    keys.append(compile.key())
    builder = tmp_path / "compile.py"
    builder.write_text("how it is compiled")
    monkeypatch.setattr(compile, "__file__", str(builder))
    keys.append(compile.key())
    assert compile.key() == keys[-1]
    assert len(set(keys)) == len(keys)


def test_the_key_holds_when_files_of_entries_were_written(monkeypatch):
    before, stat = compile.key(), os.stat
    seen = []

    def later(path, *arguments, **options):
        found = stat(path, *arguments, **options)
        if str(path).endswith("entries.py"):
            seen.append(path)
            return os.stat_result(found, {"st_mtime_ns": found.st_mtime_ns + 1})
        return found

    monkeypatch.setattr(compile.os, "stat", later)
    assert compile.key() != before
    assert seen


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
