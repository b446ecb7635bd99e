"""The file of positions: written, read back as it was, and refused where it is none."""

from __future__ import annotations

import csv

import numpy as np
import pytest
from hypothesis import given, strategies as st

from hcs_core import PlateError
from hcs_core.arrays.positions_table import COLUMNS, positions_csv, positions_table, read_positions

HEAD = ",".join(COLUMNS)


@given(st.lists(st.tuples(*[st.floats(-1e6, 1e6)] * 2, st.floats(0, 1)), min_size=1, max_size=5))
def test_every_number_comes_back_as_it_was(tmp_path_factory, rows):
    values = np.array(rows)
    table = positions_table("a, plate", "B02", range(1, len(rows) + 1), values[:, :2], values[:, 2])
    path = tmp_path_factory.getbasetemp() / "positions.csv"
    path.write_text(positions_csv(table), encoding="utf-8")
    found = read_positions(path)
    for name in COLUMNS:
        assert found[name].tolist() == table[name].tolist()


def test_the_file_is_as_other_programs_read_it(tmp_path):
    table = positions_table("µ-plate", "B02", [3, 1], np.array([[0.0, 0.25], [10.5, 0.0]]), np.array([0.0, 1.0]))
    path = tmp_path / "positions.csv"
    path.write_bytes(positions_csv(table).encode())
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))
    assert rows == [
        ["Metadata_Plate", "Metadata_Well", "Metadata_Site", "y_px", "x_px", "confidence"],
        ["µ-plate", "B02", "3", "0.0", "0.25", "0.0"],
        ["µ-plate", "B02", "1", "10.5", "0.0", "1.0"],
    ]


def test_a_table_of_a_spreadsheet_is_read(tmp_path):
    """With a byte order mark, other columns, and whole numbers."""
    path = tmp_path / "positions.csv"
    path.write_text(f"comment,{HEAD}\r\nok,P,B02,2,5,7,1\r\n", encoding="utf-8-sig")
    table = read_positions(path)
    assert (table["Metadata_Site"].tolist(), table["y_px"].tolist(), table["x_px"].tolist()) == ([2], [5.0], [7.0])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "it has no row; it needs the columns Metadata_Plate, Metadata_Well"),
        (f"{HEAD}\n", "it has no row"),
        ("Metadata_Plate,Metadata_Well,Metadata_Site,y,x,confidence\nP,B02,1,0,0,0\n", "it lacks y_px, x_px;"),
        (f"{HEAD}\nP,B02,1,here,0,0\n", "y_px of a row of B02 is 'here'; expected a number."),
        (f"{HEAD}\nP,B02,1,0,nan,0\n", "x_px of a row of B02 is 'nan'; expected a number."),
        (f"{HEAD}\nP,B02,1,0\n", "x_px of a row of B02 is ''; expected a number."),
        (f"{HEAD}\nP,B02,1.5,0,0,0\n", "Metadata_Site of a row of B02 is '1.5'; expected a whole number."),
        (f"{HEAD}\nP,B02,1,0,0,0\nP,B02,1,0,9,0\n", "has site 1 of B02 2 times: leave one row of it."),
    ],
)
def test_what_is_no_table_of_positions_is_told(tmp_path, text, message):
    path = tmp_path / "positions.csv"
    path.write_text(text)
    with pytest.raises(PlateError) as error:
        read_positions(path)
    assert str(path) in str(error.value)
    assert message in str(error.value)


@pytest.mark.parametrize("content", [None, b"\xff\xfe\x00binary"])
def test_a_file_that_cannot_be_read_is_told(tmp_path, content):
    path = tmp_path / "positions.csv"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(PlateError, match=r"positions\.csv cannot be read as a table of positions"):
        read_positions(path)
