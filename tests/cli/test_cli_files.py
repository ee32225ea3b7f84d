"""Files as the command line takes them: one, a folder, a pattern; refused before anything is sampled."""

import numpy as np
import pandas as pd
import pytest

from hiermod.cli import main


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A working folder with the same rows as a file, as a folder of Parquet files, and as two CSV files."""
    rows = pd.DataFrame({"y": np.tile([0, 1], 9), "g": np.repeat(list("abc"), 6)})
    rows.to_csv(tmp_path / "d.csv", index=False)
    rows.to_parquet(tmp_path / "parts", partition_cols=["g"])
    rows[:5].to_csv(tmp_path / "d-1.csv", index=False)
    rows[5:].to_csv(tmp_path / "d-2.csv", index=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("data", ["d.csv", "parts", "d-?.csv", "parts/*/*.parquet"])
def test_one_door_for_files_folders_and_patterns(folder, capsys, data):
    assert main(["explain", "y ~ (1 | g)", data]) == 0
    said = capsys.readouterr()
    assert "18 rows in 3 cells" in said.err
    assert said.out


def test_a_fit_that_cannot_be_stored_is_not_sampled(folder, capsys):
    (folder / "taken.nc").mkdir()
    for target, message in (("taken.nc", "is a folder"), ("none/x.nc", "there is no folder")):
        assert main(["fit", "d.csv", "y ~ (1 | g)", "--save", str(folder / target)]) == 2
        assert message in capsys.readouterr().err
    assert main(["fit", "d.csv", "y ~ (1 | g)", "--seed", "99999999999999999999999"]) == 2
    assert "argument --seed" in capsys.readouterr().err
