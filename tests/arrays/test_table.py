"""Tables: columns of equal length, joined row by row, exactly."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

from hcs_core.arrays.table import Table


def test_it_keeps_names_order_and_dtypes() -> None:
    table = Table({"label": np.array([1, 2], np.uint16), "name": ["a", "bc"], "ok": [True, False]})
    assert table.names == ("label", "name", "ok")
    assert len(table) == 2
    assert [table[name].dtype.kind for name in table.names] == ["u", "U", "b"]
    assert table["label"].dtype == np.uint16


def test_a_table_without_columns_has_no_rows() -> None:
    assert len(Table({})) == 0


@pytest.mark.parametrize(
    ("columns", "word"),
    [
        ({"a": [1, 2], "b": [1]}, "rows"),
        ({"a": [[1, 2]]}, "one dimension"),
        ({"a": 3}, "one dimension"),
        ({"a": np.array([None, "x"], object)}, "object"),
    ],
)
def test_what_is_no_table_is_refused(columns: dict[str, object], word: str) -> None:
    with pytest.raises(ValueError, match=word):
        Table(columns)


def test_constants_stand_before_its_own_columns() -> None:
    table = Table({"area": [1.5, 2.5]}).beside(Metadata_Well="B02", Metadata_Site=3)
    assert table.names == ("Metadata_Well", "Metadata_Site", "area")
    assert table["Metadata_Well"].tolist() == ["B02", "B02"]
    assert table["Metadata_Site"].tolist() == [3, 3]


def test_joined_keeps_the_order_of_rows_and_the_longest_text() -> None:
    joined = Table.joined([Table({"w": ["a"], "n": [1]}), Table({"w": ["longer"], "n": [2]})])
    assert joined["w"].tolist() == ["a", "longer"]
    assert joined["n"].tolist() == [1, 2]
    assert len(Table.joined([])) == 0


def test_other_columns_are_not_joined() -> None:
    with pytest.raises(ValueError, match="not those before"):
        Table.joined([Table({"a": [1]}), Table({"b": [1]})])


def test_it_travels_to_a_worker_and_back() -> None:
    table = Table({"x": np.arange(3, dtype=np.float32)})
    back = pickle.loads(pickle.dumps(table))  # noqa: S301 - its own bytes
    np.testing.assert_array_equal(back["x"], table["x"])
    assert back["x"].dtype == np.float32
