"""CSV files as other programs write them, or as they break: one error with a remedy, which is enough when followed."""

import gzip
import time

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import hiermod as hm
from hiermod.errors import HiermodError

RNG = np.random.default_rng(0)
ROWS = pd.DataFrame({"y": RNG.normal(size=30).round(3), "x": RNG.normal(size=30).round(3), "g": list("abç") * 10})
TEXT = ROWS.to_csv(index=False)
KINDS = {
    "semicolons": (TEXT.replace(",", ";").encode(), "separated by semicolons", {"sep": ";"}),
    "decimal commas": (TEXT.replace(",", ";").replace(".", ",").encode(), "semicolons", {"sep": ";", "decimal": ","}),
    "tabs": (TEXT.replace(",", "\t").encode(), "separated by tabs", {"sep": "\t"}),
    "bars": (TEXT.replace(",", "|").encode(), "separated by bars", {"sep": "|"}),
    "latin": (TEXT.encode("cp1252"), "encoding='cp1252'", {"encoding": "cp1252"}),
    "utf-16": (TEXT.encode("utf-16"), "encoding='utf-16'", {"encoding": "utf-16"}),
    "compressed": (gzip.compress(TEXT.encode()), "compression='gzip'", {"compression": "gzip"}),
}
BROKEN = {
    "unquoted commas": (TEXT.replace(".", ",").encode(), "Numbers written as 1,5 stand in quotes"),
    "cut short": (TEXT.encode()[:-12], "Write a comma for each empty field"),
    "an open quote": (TEXT.replace("a\n", '"a\n').encode(), "unterminated quote"),
    "a workbook": (b"PK\x03\x04" + bytes(50), r"pandas.read_excel\(path\)"),
    "nothing": (b"", "it is empty"),
}


def written(tmp_path, content):
    (tmp_path / "data.csv").write_bytes(content)
    return tmp_path / "data.csv"


@pytest.mark.parametrize("formula", ["y ~ x", "y ~ ."])
@pytest.mark.parametrize("kind", sorted(KINDS))
def test_the_remedy_reads_what_other_programs_write(tmp_path, kind, formula):
    content, remedy, options = KINDS[kind]
    path = written(tmp_path, content)
    with pytest.raises(HiermodError, match=remedy) as caught:
        hm.model(formula, path)
    assert all(f"{name}={value!r}" in str(caught.value) for name, value in options.items())
    pd.testing.assert_frame_equal(pd.read_csv(path, **options), ROWS)
    assert hm.model(formula, pd.read_csv(path, **options)).formula


@pytest.mark.parametrize("formula", ["y ~ x", "y ~ ."])
@pytest.mark.parametrize("kind", sorted(BROKEN))
def test_broken_files_are_refused_with_what_to_mend(tmp_path, kind, formula):
    content, remedy = BROKEN[kind]
    with pytest.raises(HiermodError, match=remedy):
        hm.model(formula, written(tmp_path, content))


@settings(max_examples=60, deadline=None)
@given(st.integers(0, len(TEXT.encode()) - 1), st.binary(max_size=6), st.integers(0, 6), st.sampled_from(["x", "."]))
def test_any_mutation_is_read_or_refused(tmp_path_factory, place, added, removed, predictors):
    content = TEXT.encode()
    path = written(tmp_path_factory.mktemp("mutated"), content[:place] + added + content[place + removed :])
    try:
        hm.model(f"y ~ {predictors}", path)
    except HiermodError as error:
        assert str(error)  # noqa: PT017


@pytest.mark.parametrize("columns", [1, 12])
def test_columns_that_tell_rows_apart_are_refused_at_once(columns):
    names = [f"t{place}" for place in range(columns)]
    words = {name: [f"w{number}" for number in RNG.permutation(4000)] for name in names}
    rows = pd.DataFrame({"y": RNG.normal(size=4000), "x": RNG.normal(size=4000), **words})
    start = time.process_time()
    with pytest.raises(HiermodError, match=r"'t0' has 4,000 levels in 4,000 rows.* y ~ \. - t0, or .* \(1 \| t0\)"):
        hm.model("y ~ .", rows)
    assert time.process_time() - start < 10.0
    assert hm.model(f"y ~ . - {' - '.join(names)}", rows).formula == "y ~ x"
    assert hm.model("y ~ x + (1 | t0)", rows).formula
