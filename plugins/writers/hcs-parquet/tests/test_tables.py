"""What is written is what pyarrow's own reader gives back."""

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from hcs_core import Table
from hcs_parquet import tables as writer
from hcs_parquet.tables import write

KINDS = {
    "whole": np.array([-(2**62), 0, 2**62], "int64"),
    "small": np.array([0, 7, 255], "uint8"),
    "float": np.array([0.1, -np.inf, 5e-324], "float64"),
    "single": np.array([0.1, 1.5, np.float32(3.4e38)], "float32"),
    "yes": np.array([True, False, True]),
    "text": np.array(["A01", 'µ, "quoted"\nline', ""]),
}


def test_every_kind_of_column_comes_back_as_it_was(tmp_path):
    write([Table(KINDS)], tmp_path / "t.parquet")
    found = pq.read_table(tmp_path / "t.parquet")
    assert found.column_names == list(KINDS)
    for name, column in KINDS.items():
        assert found[name].null_count == 0
        got = found[name].to_numpy()
        assert got.tolist() == column.tolist()
        if column.dtype.kind != "U":
            assert got.dtype == column.dtype


def test_what_is_no_number_stays_so(tmp_path):
    write([Table({"a": [1.0, np.nan]})], tmp_path / "t.parquet")
    column = pq.read_table(tmp_path / "t.parquet")["a"]
    assert column.null_count == 0
    assert np.isnan(column.to_numpy()[1])


def test_short_floats_become_ones_that_hold_them(tmp_path):
    values = np.array([0.1, 65504.0], "float16")
    write([Table({"a": values})], tmp_path / "t.parquet")
    column = pq.read_table(tmp_path / "t.parquet")["a"]
    assert column.type == pa.float32()
    assert np.array_equal(column.to_numpy(), values.astype("float64"))


@pytest.mark.parametrize("counts", [[0], [0, 0, 3], [5, 0, 7, 1], [4], [4, 4], [12]])
def test_rows_follow_each_other_in_groups_that_are_not_too_small(tmp_path, monkeypatch, counts):
    monkeypatch.setattr(writer, "ROWS_TOGETHER", 4)
    numbers = iter(range(100))
    parts = [[next(numbers) for _ in range(count)] for count in counts]
    write(iter([Table({"n": np.array(part, "int64")}) for part in parts]), tmp_path / "t.parquet")
    file = pq.ParquetFile(tmp_path / "t.parquet")
    assert file.read()["n"].to_pylist() == list(range(sum(counts)))
    sizes = [file.metadata.row_group(index).num_rows for index in range(file.num_row_groups)]
    assert all(size >= 4 for size in sizes[:-1])


def test_one_table_gives_the_same_bytes_each_time(tmp_path):
    for name in ("one", "other"):
        write([Table(KINDS)], tmp_path / name)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "other").read_bytes()


def test_a_file_that_cannot_be_written_is_an_error_of_the_system(tmp_path):
    with pytest.raises(OSError, match="no_folder"):
        write([Table(KINDS)], tmp_path / "no_folder" / "t.parquet")
