"""What the core's writers write is what Python's and numpy's own readers give back, exactly."""

import csv
import json
import struct

import numpy as np
import pytest
from hypothesis import given, strategies as st

from hcs_core import ImageArtifact, Table
from hcs_core.runtime.artifacts.writers import write_csv, write_json, write_npy


def read(path):
    with path.open(encoding="utf-8", newline="") as file:
        names, *rows = csv.reader(file)
    return names, rows


@given(st.lists(st.floats(width=64), min_size=1))
def test_floats_come_back_bit_by_bit(tmp_path_factory, values):
    path = tmp_path_factory.mktemp("csv") / "t.csv"
    write_csv([Table({"a": np.array(values)})], path)
    _, rows = read(path)
    for (text,), value in zip(rows, values, strict=True):
        same = struct.pack("d", float(text)) == struct.pack("d", value)
        assert same or (np.isnan(value) and np.isnan(float(text)))


@given(st.lists(st.floats(width=32, allow_nan=False), min_size=1))
def test_floats_of_32_bits_are_their_values(tmp_path_factory, values):
    path = tmp_path_factory.mktemp("csv") / "t.csv"
    write_csv([Table({"a": np.array(values, "float32")})], path)
    assert [float(text) for (text,) in read(path)[1]] == values


# numpy drops zeros at a text's end, and no text of a file's has half of a pair.
TEXTS = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0"))


@given(st.lists(TEXTS, min_size=1))
def test_texts_come_back_with_quotes_commas_and_line_ends(tmp_path_factory, texts):
    path = tmp_path_factory.mktemp("csv") / "t.csv"
    write_csv([Table({"n": np.arange(len(texts)), "w": texts})], path)
    assert read(path) == (["n", "w"], [[str(number), text] for number, text in enumerate(texts)])


def test_tables_follow_each_other_under_one_row_of_names(tmp_path):
    tables = (Table({"a": part, "ok": [True] * len(part)}) for part in ([1, 2], [], [3]))
    write_csv(tables, tmp_path / "t.csv")
    assert read(tmp_path / "t.csv") == (["a", "ok"], [["1", "True"], ["2", "True"], ["3", "True"]])


def test_whole_numbers_of_64_bits_are_whole(tmp_path):
    values = np.array([2**64 - 1, 0], "uint64")
    write_csv([Table({"a": values})], tmp_path / "t.csv")
    assert [int(text) for (text,) in read(tmp_path / "t.csv")[1]] == values.tolist()


def test_json_is_utf_8(tmp_path):
    document = {"A01": [{"site": 1, "value": {"µ": [1.5, None, True]}}]}
    write_json(document, tmp_path / "t.json")
    assert json.loads((tmp_path / "t.json").read_bytes().decode("utf-8")) == document


@pytest.mark.parametrize("dtype", ["bool", "uint16", "float32"])
def test_arrays_come_back_as_they_were(tmp_path, dtype):
    array = np.arange(24).reshape(2, 3, 4).astype(dtype)
    write_npy(ImageArtifact(pixels=array), tmp_path / "t.npy")
    back = np.load(tmp_path / "t.npy", allow_pickle=False)
    assert back.dtype == array.dtype
    np.testing.assert_array_equal(back, array)
