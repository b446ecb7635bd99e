"""Tables: columns of equal length, joined row by row, exactly."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

from hcs_core.arrays.table import Table, TableLayout


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


def test_texts_that_stand_as_objects_become_texts() -> None:
    table = Table({"name": np.array(["a", "bcd"], object), "n": np.array([1, 2.5], object)})
    assert table["name"].dtype == np.dtype("U3")
    assert table["n"].tolist() == [1.0, 2.5]


@pytest.mark.parametrize("column", [["a", 1], [1, "a"], ["a", None], ["a", np.nan]])
def test_texts_are_not_mixed_with_other_things(column: list[object]) -> None:
    with pytest.raises(ValueError, match="'a'"):
        Table({"a": column})


def test_numbers_that_no_format_holds_are_refused() -> None:
    with pytest.raises(ValueError, match="at most 8 bytes"):
        Table({"a": np.zeros(2, np.longdouble)})


def test_columns_are_in_the_machine_s_byte_order() -> None:
    column = Table({"a": np.array([1, 258], ">u2")})["a"]
    assert column.dtype.isnative
    assert column.tolist() == [1, 258]


def test_a_column_that_is_added_may_not_be_there() -> None:
    with pytest.raises(ValueError, match="'Metadata_Well'"):
        Table({"Metadata_Well": ["A01"]}).beside(Metadata_Well="B02")


def test_where_nothing_was_found_says_nothing_of_dtypes() -> None:
    """An empty list is a column of floats to numpy."""
    joined = Table.joined(
        [Table({"n": [], "w": []}), Table({}), Table({"n": [3], "w": ["a"]}), Table({"n": [], "w": []})]
    )
    assert joined["n"].dtype.kind == "i"
    assert (joined["n"].tolist(), joined["w"].tolist()) == ([3], ["a"])


def fitted(*tables: Table) -> list[Table]:
    layout = TableLayout.of(tables)
    return [layout.fitted(table) for table in tables]


def test_numbers_that_differ_become_what_holds_both() -> None:
    one, other = fitted(Table({"a": np.array([1], "int32")}), Table({"a": np.array([0.5], "float32")}))
    assert one["a"].dtype == other["a"].dtype == np.float64
    one, other = fitted(Table({"a": [True]}), Table({"a": np.array([7], "uint8")}))
    assert (one["a"].tolist(), other["a"].tolist()) == ([1], [7])


def test_numbers_beside_texts_become_texts_that_can_be_read_back() -> None:
    numbers, texts = fitted(Table({"a": [0.1 + 0.2, 1e-300]}), Table({"a": ["x"]}))
    assert [float(text) for text in numbers["a"]] == [0.1 + 0.2, 1e-300]
    assert texts["a"].tolist() == ["x"]
    assert numbers["a"].dtype == texts["a"].dtype


def test_a_column_that_a_table_has_not_is_no_number_or_empty() -> None:
    one, other = fitted(Table({"a": [1]}), Table({"b": ["x"], "c": [2]}))
    assert one.names == other.names == ("a", "b", "c")
    assert one["a"].tolist() == [1.0]
    assert np.isnan(one["c"]).all()
    assert one["b"].tolist() == [""]
    assert np.isnan(other["a"]).all()
    assert (other["b"].tolist(), other["c"].tolist()) == (["x"], [2.0])
