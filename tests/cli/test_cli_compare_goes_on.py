"""``hiermod compare`` that was interrupted between fits without some rows goes on where it was."""

import pytest
from compare_tools import PLAIN, POOLED, QUICK, rows_of, run

import hiermod as hm
from hiermod.answers.scoring.held_out import Refit
from hiermod.data.cells.observations import observations
from hiermod.sampling.settings import Settings

PLAIN_RUN = Refit.run
KINDS = [
    (("--method", "kfold", "--k", "3"), "fold", 6, "folds"),
    (("--method", "logo", "--group", "country"), "group", None, "refits"),
    (("--method", "logo", "--group", "country", "--score", "rows"), "rows-of-group", None, "refits"),
]


def counted(monkeypatch, most=None):
    """Count the fits without some rows; after `most` of them comes Ctrl-C."""
    done = []

    def counting(self):
        if len(done) == most:
            raise KeyboardInterrupt
        done.append(self)
        return PLAIN_RUN(self)

    monkeypatch.setattr(Refit, "run", counting)
    return done


@pytest.mark.parametrize(("method", "kind", "all_of_them", "what"), KINDS)
def test_finished_scores_are_kept(trial, tmp_path, monkeypatch, method, kind, all_of_them, what):
    arguments = ("compare", trial, PLAIN, POOLED, *method, *QUICK)
    through = counted(monkeypatch)
    whole = run(*arguments, "--out", tmp_path / "whole.csv")
    assert whole.code == 0, whole.err
    assert len(through) == all_of_them or all_of_them is None
    stop = len(through) - 1
    assert stop > 0

    counted(monkeypatch, stop)
    stopped = run(*arguments, "--out", tmp_path / "table.csv")
    folder = tmp_path / "table.csv.fits"
    assert (stopped.code, stopped.out) == (130, "")
    assert f"interrupted; finished fits and folds are kept in {folder}" in stopped.err
    assert len(list(folder.glob(f"{kind}-*.npz"))) == stop
    assert not list(folder.glob("*.partial"))

    rest = counted(monkeypatch)
    done = run(*arguments, "--out", tmp_path / "table.csv")
    assert (done.code, len(rest)) == (0, 1), done.err
    assert f"{what} kept in {folder}" in done.err
    assert rows_of(tmp_path / "table.csv") == rows_of(tmp_path / "whole.csv")
    assert done.out == whole.out


def test_other_rows_seeds_and_damaged_files_are_fitted_anew(trial, tmp_path, monkeypatch):
    path = tmp_path / "trial.csv"
    path.write_bytes(trial.read_bytes())
    table = tmp_path / "table.csv"
    arguments = ("compare", path, PLAIN, "success ~ 1", "--method", "kfold", "--k", "2", "--out", table)

    def fits(*more):
        done = counted(monkeypatch)
        assert run(*arguments, *more).code == 0
        return len(done)

    assert fits(*QUICK) == 4
    assert fits(*QUICK) == 0
    assert fits("--draws", "150", "--seed", "2", "--no-progress") == 4
    next((tmp_path / "table.csv.fits").glob("fold-*.npz")).write_bytes(b"PK no zip")
    assert fits(*QUICK) + fits("--draws", "150", "--seed", "2", "--no-progress") == 1
    frame = hm.example("country")
    frame.loc[0, "success"] = 1 - frame.loc[0, "success"]
    frame.to_csv(path, index=False)
    assert fits(*QUICK) == 4


def test_a_fit_is_told_by_all_that_makes_its_draws():
    data = hm.example("country")

    def of(formula=POOLED, frame=data, purpose=(2, 0), seed=1, fewer=0, **given):
        spec = hm.model(formula, frame, **given)._defined.spec
        seen = observations(spec.cells)
        return Refit(spec, Settings(seed=seed), seen, seen.times - fewer, purpose).fingerprint()

    others = [
        of(), of(PLAIN), of(frame=data[1:]), of(purpose=(2, 1)), of(seed=2), of(fewer=1),
        of(priors={"sd": "HalfNormal(2)"}), of(family="bernoulli(probit)"), of("success ~ treated + (1 | treated)"),
    ]  # fmt: skip
    assert len(set(others)) == len(others)
    assert of() == others[0]
