"""The run: what it keeps and continues, its exit code, its pictures; and one shape through the whole machinery."""

import json

import numpy as np
import pytest

from benchmarks.calibration import ranks, run
from benchmarks.calibration.plot import KINDS, kind_of
from benchmarks.calibration.ranks import DRAWS, Replication
from benchmarks.calibration.shapes import SHAPES
from benchmarks.calibration.store import OtherRunError, Store, ranks_of
from benchmarks.calibration.verdict import judge, table

NAMES = ("Intercept", "1|variant_sigma", "1|variant[0]", "population rate[0]", "log likelihood[0]")


def made_up(number, biased=()):
    """A replication whose ranks are uniform, those of `biased` quantities mostly high."""
    rng = np.random.default_rng(number)
    found = {name: int(rng.integers(DRAWS + 1)) for name in NAMES}
    found |= {name: int(DRAWS * rng.random() ** 0.7) for name in biased}
    return Replication(number, found, 0.2, number % 2, 0, 1.001, 900.0, 0)


@pytest.fixture
def asked(monkeypatch):
    """Fits are replaced by made-up ones; the numbers that were asked for."""
    numbers = []

    def replications(name, missing, chosen):
        numbers.append(list(missing))
        yield from (made_up(number) for number in reversed(missing))

    monkeypatch.setattr(run, "_replications", replications)
    return numbers


def command(folder, *more):
    return run.main(["--shapes", "binomial", "--folder", str(folder), *more])


def test_a_run_continues_where_it_stopped(asked, tmp_path, capsys):
    assert command(tmp_path, "--replications", "30") == 0
    assert command(tmp_path, "--replications", "50") == 0
    assert command(tmp_path, "--replications", "50") == 0
    assert asked == [list(range(30)), list(range(30, 50)), []]
    stored = Store(tmp_path, "binomial").read()
    assert stored["number"].tolist() == list(range(50))
    for number in (0, 31):
        assert {name: own[number] for name, own in ranks_of(stored).items()} == made_up(number).ranks
    assert "50 replications, 5 quantities, inside" in capsys.readouterr().out


def test_a_row_that_an_interruption_left_unfinished_is_done_again(asked, tmp_path):
    command(tmp_path, "--replications", "10")
    path = tmp_path / "binomial.csv"
    path.write_bytes(path.read_bytes()[:-3])
    command(tmp_path, "--replications", "10")
    assert asked == [list(range(10)), [0]]  # made-up replications come in reverse, so that 0 is the last
    assert len(Store(tmp_path, "binomial").read()) == 10


def test_a_verdict_is_of_the_replications_asked_for(asked, tmp_path):
    command(tmp_path, "--replications", "20")
    assert judge("binomial", Store(tmp_path, "binomial").read(15)).replications == 15


def test_ranks_of_other_code_are_not_continued(asked, tmp_path, capsys):
    command(tmp_path, "--replications", "10")
    about = tmp_path / "binomial.json"
    about.write_text(json.dumps({**json.loads(about.read_text()), "code": "other"}))
    assert command(tmp_path, "--replications", "10") == 2
    assert "was made with other code; --fresh starts again" in capsys.readouterr().err
    with pytest.raises(OtherRunError):
        Store(tmp_path, "binomial").open({"code": "again another"})
    assert command(tmp_path, "--replications", "10", "--fresh") == 0
    assert asked == [list(range(10)), list(range(10))]


def test_the_exit_code_is_1_where_one_quantity_leaves_its_band(monkeypatch, tmp_path, capsys):
    def replications(name, missing, chosen):
        return (made_up(number, biased=("1|variant_sigma",)) for number in missing)

    monkeypatch.setattr(run, "_replications", replications)
    assert command(tmp_path) == 1
    out, err = capsys.readouterr()
    assert "binomial: 500 replications, 5 quantities, OUTSIDE: 1|variant_sigma" in out
    assert err.splitlines()[-1] == "binomial: outside its band: 1|variant_sigma"


def test_a_table_names_the_worst_quantity(asked, tmp_path):
    command(tmp_path, "--replications", "100")
    verdict = judge("binomial", Store(tmp_path, "binomial").read())
    row = [cell.strip() for cell in table([verdict]).splitlines()[-1].strip("|").split(" | ")]
    assert row[:3] == ["binomial", "100", "5"]
    assert row[3] == f"`{verdict.worst.replace('|', '∣')}`"
    assert row[6:] == ["0", "0", "50", "0", "0.2"]


def test_an_error_in_a_fit_ends_the_run_and_names_the_replication(monkeypatch):
    def failing(*_):
        raise ZeroDivisionError("by hand")

    monkeypatch.setattr(run, "replicate", failing)
    with pytest.raises(RuntimeError, match="gamma, replication 17, seed 3: ZeroDivisionError: by hand"):
        run._one("gamma", 17, 3, "auto")


def test_pictures_of_stored_ranks_are_small(asked, tmp_path, capsys):
    command(tmp_path, "--replications", "100")
    assert command(tmp_path, "--plot") == 0
    picture = tmp_path / "binomial.png"
    assert capsys.readouterr().out.splitlines()[-1] == str(picture)
    assert 10_000 < picture.stat().st_size < 150_000


def test_every_quantity_has_its_panel():
    shape = SHAPES["binomial"]
    assert [kind_of(shape, name) for name in NAMES] == [KINDS[place] for place in (0, 0, 1, 2, 2)]


def test_of_many_groups_the_first_and_the_last_are_ranked():
    assert ranks._places((20,), True) == [(0,), (1,), (2,), (3,), (19,)]
    assert ranks._places((8,), True) == [(place,) for place in range(8)]
    assert ranks._places((10, 2), True)[-2:] == [(9, 0), (9, 1)]
    assert ranks._places((10,), False) == [(place,) for place in range(10)]
    assert ranks._places((), False) == [()]


@pytest.mark.slow
def test_a_short_run_of_one_shape(tmp_path, capsys):
    assert command(tmp_path, "--replications", "3") == 0
    assert command(tmp_path, "--replications", "4") == 0
    stored = Store(tmp_path, "binomial").read()
    assert stored["number"].tolist() == [0, 1, 2, 3]
    assert set(ranks_of(stored)) == {*NAMES, *(f"1|variant[{place}]" for place in (1, 2, 3, 19))}
    assert all(((own >= 0) & (own <= DRAWS)).all() for own in ranks_of(stored).values())
    again = ranks.replicate(SHAPES["binomial"], 2, run.SEED)
    assert again.ranks == {name: own[2] for name, own in ranks_of(stored).items()}
    assert command(tmp_path, "--plot") == 0
    assert (tmp_path / "binomial.png").exists()
