"""Files of fits: whole or not there, in place without following what was planted, refused when a byte is another."""

import io
import os
import random
import signal
import stat
import subprocess
import sys

import h5py
import numpy as np
import pytest

import hiermod as hm
from hiermod.errors import StorageError
from hiermod.interface.fit import Fit
from hiermod.interface.stored import keep
from hiermod.sampling.files import SEAL, Draft, check_target, write_sealed


@pytest.fixture
def stored(country_fit, tmp_path):
    path = tmp_path / "fit.nc"
    country_fit.save(path)
    return path


def test_a_mutated_file_is_refused(stored, tmp_path):
    whole, rng = stored.read_bytes(), random.Random(1)
    changed = tmp_path / "changed.nc"
    for turn in range(200):
        data = bytearray(whole)
        kind = turn % 4
        if kind == 0:
            data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
        elif kind == 1:
            del data[rng.randrange(len(data)) :]
        elif kind == 2:
            first = rng.randrange(len(data))
            data[first : first + 64] = rng.randbytes(64)
        else:
            data += rng.randbytes(1 + rng.randrange(80))
        changed.write_bytes(data)
        with pytest.raises(StorageError, match=r"damaged|NetCDF|no such file"):
            hm.load(changed)


def test_a_file_without_its_seal_is_refused(stored):
    whole = stored.read_bytes()
    stored.write_bytes(whole[: whole.rindex(SEAL)])
    with pytest.raises(StorageError, match="was cut off, or changed by another program"):
        hm.load(stored)


def test_links_to_other_files_are_refused(stored, tmp_path):
    whole = stored.read_bytes()
    stored.write_bytes(whole[: whole.rindex(SEAL)])
    with h5py.File(stored, "a") as file:
        file["more"] = h5py.ExternalLink("/etc/hostname", "/")
    with pytest.raises(StorageError, match="points elsewhere"):
        hm.load(stored)


def test_a_file_that_would_swell_is_refused(tmp_path):
    path = tmp_path / "swollen.nc"
    with h5py.File(path, "w") as file:
        file.create_dataset("x", shape=(10**11,), dtype="f8", chunks=(10**6,), compression="gzip")
    with pytest.raises(StorageError, match="800,000,000,000 bytes in memory"):
        hm.load(path)


def test_nothing_planted_is_followed_and_links_stay_links(country_fit, tmp_path):
    victim, link, real = tmp_path / "victim", tmp_path / "link.nc", tmp_path / "real.nc"
    victim.write_text("precious")
    (tmp_path / "fit.nc.partial").symlink_to(victim)
    country_fit.save(tmp_path / "fit.nc")
    assert victim.read_text() == "precious"
    country_fit.save(real)
    link.symlink_to(real)
    real.chmod(0o600)
    country_fit.save(link)
    assert link.is_symlink()
    assert stat.S_IMODE(real.stat().st_mode) == 0o600
    assert hm.load(link).nobs() == country_fit.nobs()
    assert sorted(each.name for each in tmp_path.iterdir() if "hiermod" in each.name) == []


def test_a_link_to_nowhere_is_said_to_be_one(country_fit, tmp_path):
    link = tmp_path / "link.nc"
    link.symlink_to(tmp_path / "gone" / "real.nc")
    with pytest.raises(StorageError, match=r"link.nc' is a link to '.*real.nc', whose folder is not there. Make it"):
        country_fit.save(link)
    (tmp_path / "gone").mkdir()
    country_fit.save(link)
    assert link.is_symlink()


def test_new_files_have_the_permissions_of_new_files(stored, tmp_path):
    plain = tmp_path / "plain"
    plain.touch()
    assert stored.stat().st_mode == plain.stat().st_mode


FULL = """
import resource, signal, sys, hiermod as hm
fit = hm.load(sys.argv[1])
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[3]),) * 2)
try:
    fit.save(sys.argv[2])
except hm.errors.StorageError as error:
    print(error)
import gc
gc.collect()
print(fit.nobs())
"""


@pytest.mark.parametrize("limit", [0, 50_000, 90_000])
def test_a_full_disk_is_an_error_and_the_process_goes_on(stored, tmp_path, limit):
    before = stored.read_bytes()
    for target in (tmp_path / "other.nc", stored):
        code = [sys.executable, "-c", FULL, str(stored), str(target), str(limit)]
        run = subprocess.run(code, capture_output=True, text=True, check=False)
        assert run.returncode == 0, run.stderr
        assert "cannot be stored" in run.stdout
        assert "File too large" in run.stdout
    assert stored.read_bytes() == before
    assert [each.name for each in tmp_path.iterdir()] == ["fit.nc"]


class Sparing(io.BytesIO):
    """A file that takes seven bytes at a time."""

    def write(self, data):
        return super().write(bytes(data)[:7])


def test_a_draft_is_a_file_like_another_and_keeps_what_it_would_be_after_a_failure():
    drafts = [Draft(Sparing()), Draft(Sparing())]
    drafts[1].failure = OSError(28, "No space left on device")
    plain = io.BytesIO()
    for file in (plain, *drafts):
        file.write(b"x" * 100)
        file.seek(40)
        file.write(b"y" * 100)
        file.seek(-20, os.SEEK_END)
        assert file.tell() == 120
        file.truncate(130)
        assert file.seek(0, os.SEEK_END) == 130
        file.seek(90)
    assert drafts[0].file.getvalue() == plain.getvalue()
    read = [bytearray(60) for _ in range(3)]
    assert [file.readinto(own) for file, own in zip((plain, *drafts), read, strict=True)] == [40, 40, 40]
    assert read[1] == read[0]


SAVER = """
import sys, hiermod as hm
fit = hm.load(sys.argv[1])
for _ in range(5):
    fit.save(sys.argv[2])
"""


def test_of_several_writers_the_last_complete_one_wins(stored, tmp_path):
    target = tmp_path / "shared.nc"
    target.write_bytes(stored.read_bytes())
    savers = [subprocess.Popen([sys.executable, "-c", SAVER, str(stored), str(target)]) for _ in range(2)]
    draws = hm.load(stored).posterior
    while any(saver.poll() is None for saver in savers):
        assert hm.load(target).posterior.identical(draws)
    assert [saver.returncode for saver in savers] == [0, 0]


@pytest.mark.parametrize(("path", "words"), [
    (None, "A path is needed"), (1, "A path is needed"), (b"x.nc", "A path is needed"), ("a\0b.nc", "no file's name"),
    ("b" * 300, "File name too long"), ("/proc/x.nc", "No file can be written"), ("/dev/null", "a device or a pipe"),
    ("missing/x.nc", "The folder of"), ("/", "is a folder"),
])  # fmt: skip
def test_paths_that_cannot_be_written_are_refused_before_sampling(path, words, monkeypatch):
    with pytest.raises(StorageError, match=words):
        check_target(path)
    monkeypatch.setattr("hiermod.api.define", lambda *_: pytest.fail("the model was looked at before the file"))
    if path is not None:
        with pytest.raises(StorageError, match=words):
            hm.fit("success ~ treated", hm.example("country"), file=path)


def test_a_failed_write_keeps_what_was_there(tmp_path):
    path = tmp_path / "x"
    path.write_text("before")

    def fail(draft):
        draft.write(b"part")
        raise OSError(28, "No space left on device")

    with pytest.raises(StorageError, match="No space left on device"):
        write_sealed(path, fail)
    assert path.read_text() == "before"
    assert os.listdir(tmp_path) == ["x"]


def test_a_fit_that_cannot_be_stored_is_not_lost(tmp_path, monkeypatch, capsys):
    def full(*_):
        raise StorageError("The fit cannot be stored in 'x': No space left on device.")

    monkeypatch.setattr("hiermod.interface.fit.save", full)
    fit = hm.fit("success ~ treated", hm.example("country"), file=tmp_path / "fit.nc", draws=50, chains=2, seed=1,
                 progress=False)  # fmt: skip
    assert np.isfinite(fit.fixef()["estimate"]).all()
    assert "No space left on device. The fit is in memory: fit.save() stores it elsewhere" in capsys.readouterr().err


def test_a_damaged_file_is_left_and_another_name_taken(stored, capsys):
    data = bytearray(stored.read_bytes())
    data[len(data) // 2] ^= 1
    stored.write_bytes(data)
    asked = ("success ~ treated", hm.example("country"))
    settings = {"file": stored, "seed": 1, "draws": 50, "chains": 2, "progress": False}
    first = hm.fit(*asked, **settings)
    assert "is damaged: its bytes are not those that were written. It is left as it is" in capsys.readouterr().err
    assert stored.read_bytes() == bytes(data)
    again = hm.fit(*asked, **settings)
    assert f"reused the fit stored in {stored.with_name('fit.2.nc')}" in capsys.readouterr().err
    assert again.posterior.identical(first.posterior)


def test_a_folder_is_not_said_to_be_absent(tmp_path):
    with pytest.raises(StorageError, match="is a folder; a fit is stored in a file"):
        hm.load(tmp_path)
    with pytest.raises(StorageError, match="is a pipe or a device; a fit is stored in a file"):
        hm.load("/dev/zero")


def test_ctrl_c_while_a_fit_is_stored_is_heard_when_it_is(country_fit, tmp_path, monkeypatch):
    save = Fit.save

    def pressed(self, path):
        signal.raise_signal(signal.SIGINT)
        save(self, path)

    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    monkeypatch.setattr(Fit, "save", pressed)
    try:
        with pytest.raises(KeyboardInterrupt, match=r"^$"):
            keep(country_fit, tmp_path / "fit.nc")
    finally:
        signal.signal(signal.SIGINT, before)
    assert hm.load(tmp_path / "fit.nc").nobs() == country_fit.nobs()
