"""What wells measured rests in files that are whole, and comes together in the plate's order with one layout."""

import numpy as np
import pytest

from hcs_core import StorageError, Table
from hcs_core.runtime.artifacts.plate_tables import PlateTables
from hcs_core.runtime.artifacts.well_parts import WellParts

SPOTS = Table({"label": np.array([1, 2], "uint16"), "odd/name, µ": ["a", "b"], "": [True, False]})


def same(one, other):
    return one.names == other.names and all(
        np.array_equal(one[name], other[name]) and one[name].dtype == other[name].dtype for name in one.names
    )


def test_tables_and_json_come_back_as_they_were(tmp_path):
    parts = WellParts(tmp_path)
    parts.save("A01", {"spots": SPOTS, "none": Table({})}, {"facts": [{"value": 1.5}]})
    assert same(parts.table("A01", "spots"), SPOTS)
    assert parts.table("A01", "none").names == ()
    assert parts.table("A01", "other") is None
    assert parts.document("A01", "facts") == [{"value": 1.5}]
    assert parts.document("A01", "other") is None
    assert parts.wells() == {"A01"}


def test_a_well_that_is_kept_again_has_what_came_last_and_nothing_else_lies_there(tmp_path):
    parts = WellParts(tmp_path)
    parts.save("A01", {"spots": SPOTS}, {})
    parts.save("A01", {"cells": SPOTS}, {})
    assert tuple(parts.index("A01").tables) == ("cells",)
    assert [path.name for path in (tmp_path / ".hcs" / "tables").iterdir()] == ["A01.npz"]
    parts.remove("A01")
    parts.remove("A01")
    assert parts.wells() == frozenset()


def test_no_pickle_is_ever_read(tmp_path):
    parts = WellParts(tmp_path)
    parts.save("A01", {"spots": SPOTS}, {})
    np.savez(tmp_path / ".hcs" / "tables" / "A01.npz", index=np.array([{"tables": {}}], object))
    with pytest.raises(StorageError, match=r"A01\.npz cannot be read"):
        parts.index("A01")


def test_a_file_that_is_cut_off_is_named_with_what_to_do(tmp_path):
    parts = WellParts(tmp_path)
    parts.save("A01", {"spots": SPOTS}, {})
    path = tmp_path / ".hcs" / "tables" / "A01.npz"
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(StorageError, match=r"A01\.npz cannot be read .*--fresh"):
        parts.table("A01", "spots")


def test_wells_come_together_in_their_order_with_one_layout(tmp_path):
    parts = WellParts(tmp_path)
    parts.save("B02", {"spots": Table({"well": ["B02"], "n": [1.5]})}, {})
    parts.save("A01", {"spots": Table({"well": ["A01"], "n": [1]})}, {})
    parts.save("A02", {"spots": Table({"well": [], "n": []}), "cells": SPOTS}, {})
    tables = PlateTables(parts, ("A01", "A02", "B02"))
    assert tuple(tables) == ("spots", "cells")
    assert len(tables) == 2
    spots = tables["spots"]
    assert (spots["well"].tolist(), spots["n"].tolist()) == (["A01", "B02"], [1.0, 1.5])
    dtypes = {(part["well"].dtype, part["n"].dtype) for part in tables.parts("spots")}
    assert dtypes == {(np.dtype("U3"), np.dtype("float64"))}
    assert PlateTables(parts, ("A02",))["spots"].names == ("well", "n")
    with pytest.raises(KeyError):
        tables["nothing"]
