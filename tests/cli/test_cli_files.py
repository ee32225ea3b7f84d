"""Files as they come: what the command line reads, or refuses to read."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as parquet
import pytest

from hiermod.cli import main
from hiermod.cli.files import read_file
from hiermod.data.frames import read_columns
from hiermod.errors import DataError


def test_commas_at_the_ends_of_lines_shift_nothing(tmp_path):
    path = tmp_path / "trail.csv"
    path.write_text("y,t,z\n0,1,5,\n1,0,6,\n")
    assert read_file(str(path)).to_dict("list") == {"y": [0, 1], "t": [1, 0], "z": [5, 6]}


@pytest.mark.parametrize("body", ["0,1,1,7\n1,0,1,7\n", "0,1,1\n1,0,1,7\n"])
def test_rows_longer_than_the_header_are_refused(tmp_path, body):
    path = tmp_path / "trail.csv"
    path.write_text("y,t,z\n" + body)
    with pytest.raises(
        DataError, match=r"more fields than its header, which names 3|cannot be read.*Expected 3 fields"
    ):
        read_file(str(path))


def test_two_columns_of_one_name_are_refused(tmp_path):
    path = tmp_path / "twice.csv"
    path.write_text("y,t,t\n0,1,1\n")
    with pytest.raises(DataError, match="two columns named 't'"):
        read_file(str(path))


def test_columns_without_a_name_do_not_stand_in_the_way(tmp_path):
    path = tmp_path / "export.csv"
    path.write_text("y,,t,\n0,a,1,b\n1,a,0,b\n")
    assert read_file(str(path))[["y", "t"]].to_dict("list") == {"y": [0, 1], "t": [1, 0]}


def test_codes_with_leading_zeros_stay_text(tmp_path):
    path = tmp_path / "codes.csv"
    path.write_text("zip,n,y\n01234,10,0\n1234,7,1\n,0,1\n")
    frame = read_file(str(path))
    assert frame["zip"].to_list()[:2] == ["01234", "1234"]
    assert frame["zip"].isna().to_list() == [False, False, True]
    assert frame["n"].to_list() == [10, 7, 0]


def test_encoded_text_in_parquet_is_sorted_unless_pandas_gave_it_an_order(tmp_path):
    encoded = pa.table({"f": pa.array(["d", "a", "b"]).dictionary_encode()})
    parquet.write_table(encoded, tmp_path / "arrow.parquet")
    column = read_columns(read_file(str(tmp_path / "arrow.parquet")), ("f",))["f"]
    assert not isinstance(column.dtype, pd.CategoricalDtype)
    ordered = pd.DataFrame({"f": pd.Categorical(["d", "a", "b"], categories=["d", "b", "a"])})
    ordered.to_parquet(tmp_path / "pandas.parquet")
    assert read_file(str(tmp_path / "pandas.parquet"))["f"].cat.categories.to_list() == ["d", "b", "a"]


def test_a_fit_that_cannot_be_stored_is_not_sampled(tmp_path, capsys):
    path = tmp_path / "d.csv"
    pd.DataFrame({"y": np.tile([0, 1], 9), "g": np.repeat(list("abc"), 6)}).to_csv(path, index=False)
    (tmp_path / "taken.nc").mkdir()
    for target, message in (("taken.nc", "is a folder"), ("none/x.nc", "there is no folder")):
        assert main(["fit", str(path), "y ~ (1 | g)", "--save", str(tmp_path / target)]) == 2
        assert message in capsys.readouterr().err
    assert main(["fit", str(path), "y ~ (1 | g)", "--seed", "99999999999999999999999"]) == 2
    assert "argument --seed" in capsys.readouterr().err
