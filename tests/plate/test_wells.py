"""Names of wells to 1,536 and beyond, in every spelling, and filters of them."""

import doctest
import itertools
import string

import pytest
from hypothesis import given, strategies as st

from hcs_core import PlateError, canonical_well, parse_well, plate_format, select_wells, well_name
from hcs_core.plate import wells as module

ROWS = st.integers(0, 26 + 26 * 26 - 1)
COLUMNS = st.integers(0, 998)
PLATE = [f"{letter}{column:02d}" for letter in "ABCDEFGH" for column in range(1, 13)]


def letters(row):
    """The row's letters, by listing all of them."""
    singles = list(string.ascii_uppercase)
    return (singles + ["".join(pair) for pair in itertools.product(singles, repeat=2)])[row]


def test_doctests():
    found = doctest.testmod(module)
    assert found.attempted == 2
    assert found.failed == 0


@given(ROWS, COLUMNS)
def test_a_name_is_read_as_the_place_that_it_was_written_for(row, column):
    name = well_name(row, column)
    assert name == f"{letters(row)}{column + 1:02d}"
    assert parse_well(name) == (row, column)


@pytest.mark.parametrize(
    ("row", "name"), [(0, "A"), (25, "Z"), (26, "AA"), (31, "AF"), (51, "AZ"), (52, "BA"), (701, "ZZ")]
)
def test_rows_of_two_letters(row, name):
    assert well_name(row, 0) == f"{name}01"


@given(ROWS, COLUMNS, st.booleans(), st.integers(0, 3), st.sampled_from(["", " ", "-", " - "]))
def test_every_spelling_means_the_same_well(row, column, lower, zeros, between):
    spelled = f"{letters(row)}{between}{'0' * zeros}{column + 1}"
    numbers = f"r{'0' * zeros}{row + 1}c{'0' * zeros}{column + 1}"
    for text in (spelled.lower() if lower else spelled, f"  {spelled} ", numbers, numbers.upper()):
        assert parse_well(text) == (row, column)
        assert canonical_well(text) == well_name(row, column)


@pytest.mark.parametrize(
    "text",
    ["", " ", "A", "1", "A0", "A00", "AAA1", "A1000", "r0c1", "r1c0", "Ä1", "A1B", "A01.tif", "A٣", "A²", "\0"],
)
def test_what_is_no_name_is_named(text):
    with pytest.raises(PlateError, match=r"is no well name: write A1, A01, r01c01 or AA01\.$") as caught:
        parse_well(text)
    assert repr(text) in str(caught.value)


@pytest.mark.parametrize(
    ("rows", "columns"), [(1, 1), (2, 3), (3, 4), (4, 6), (6, 8), (8, 12), (16, 24), (32, 48), (40, 50)]
)
def test_the_plate_that_has_a_last_well(rows, columns):
    assert plate_format([well_name(rows - 1, columns - 1)]) == (rows, columns)


def test_the_plate_of_wells_in_two_corners_is_the_smallest_that_has_both():
    assert plate_format(["A12", "B01"]) == (8, 12)
    assert plate_format(["I01"]) == (16, 24)
    assert plate_format([]) == (1, 1)


def test_all_1536_wells_are_told_apart_and_sorted_as_on_the_plate():
    every = [well_name(row, column) for row in range(32) for column in range(48)]
    assert len(set(every)) == 1536
    assert (every[0], every[-1]) == ("A01", "AF48")
    assert list(select_wells(None, sorted(every))) == every


@pytest.mark.parametrize(
    ("well_filter", "chosen"),
    [
        (None, PLATE),
        ("A01", ["A01"]),
        ("a1", ["A01"]),
        ("r02c03", ["B03"]),
        ("A01:B02", ["A01", "A02", "B01", "B02"]),
        ("B02:A01", ["A01", "A02", "B01", "B02"]),
        ("A02:B01", ["A01", "A02", "B01", "B02"]),
        ("b01 : a02", ["A01", "A02", "B01", "B02"]),
        ("C05:C05", ["C05"]),
        ("H12:ZZ99", ["H12"]),
        ("row:A", PLATE[:12]),
        ("ROW:b", PLATE[12:24]),
        ("row:2", PLATE[12:24]),
        ("row:A-C", PLATE[:36]),
        ("row:C-A", PLATE[:36]),
        ("row: a - c", PLATE[:36]),
        ("row:G-ZZ", PLATE[72:]),
        ("col:1", PLATE[::12]),
        ("Col:01", PLATE[::12]),
        ("col:2-1,row:A", sorted({*PLATE[:12], *PLATE[::12], *PLATE[1::12]})),
        (3, PLATE[:3]),
        ("3", PLATE[:3]),
        (1000, PLATE),
        ("A01,B03", ["A01", "B03"]),
        ("B03, A01 ,", ["A01", "B03"]),
        (["B03", "A01"], ["A01", "B03"]),
        (("A01", "B03"), ["A01", "B03"]),
        (["row:A", "~A02:A12"], ["A01"]),
        ([2, "H12"], ["A01", "A02", "H12"]),
        ("~row:A", PLATE[12:]),
        ("~ row:A", PLATE[12:]),
        ("~A01", PLATE[1:]),
        ("A01:A03,~A02", ["A01", "A03"]),
        ("~A02,A01:A03", ["A01", "A03"]),
        ("~90", PLATE[90:]),
    ],
)
def test_filters(well_filter, chosen):
    assert list(select_wells(well_filter, list(reversed(PLATE)))) == chosen


@pytest.mark.parametrize(
    ("well_filter", "words"),
    [
        ("", "is empty: write wells"),
        (" , ", "is empty: write wells"),
        ([], "is empty: write wells"),
        (0, "'0' is a number of wells: write at least 1"),
        (-2, "'-2' is a number of wells: write at least 1"),
        ("²", "'²' is no well name"),
        ("I01", "'I01' matches no well of this plate; it has 96 wells, A01 to H12"),
        ("~I01", "'I01' matches no well"),
        ("row:I", "'row:I' matches no well"),
        ("row:", "'row:' cannot be read: write row:A"),
        ("row:0", "'row:0' cannot be read"),
        ("row:AAA", "'row:AAA' cannot be read"),
        ("row:Ä", "'row:Ä' cannot be read"),
        ("col:A", "'col:A' cannot be read"),
        ("col:1-", "'col:1-' cannot be read"),
        ("col:1-2-3", "'col:1-2-3' cannot be read"),
        ("col:-1", "'col:-1' cannot be read"),
        ("A01:B02:C03", "'B02:C03' is no well name"),
        ("A01:", "'' is no well name"),
        ("~", "'' is no well name"),
        ("plate", "'plate' is no well name"),
        ("A01,~A01", "'A01, ~A01' leaves no well"),
        (True, "True is no well filter: write wells such as"),
        (2.5, "2.5 is no well filter"),
        ({"A01": 1}, "is no well filter"),
        ([["A01"]], "is no well filter"),
    ],
)
def test_a_filter_that_selects_nothing_says_which_part_and_what_to_write(well_filter, words):
    with pytest.raises(PlateError) as caught:
        select_wells(well_filter, PLATE)
    assert words in str(caught.value)
    assert str(caught.value).endswith(".")
    assert "\n" not in str(caught.value)


def test_a_plate_without_wells():
    assert select_wells(None, ()) == ()
    with pytest.raises(PlateError, match="it has no wells"):
        select_wells("A01", ())


@given(st.sets(st.tuples(st.integers(0, 31), st.integers(0, 47)), min_size=1, max_size=30), st.data())
def test_a_rectangle_is_what_lies_between_any_two_of_its_corners(places, data):
    (top, left), (bottom, right) = (data.draw(st.sampled_from(sorted(places))) for _ in range(2))
    there = [well_name(*place) for place in places]
    chosen = select_wells(f"{well_name(top, left)}:{well_name(bottom, right)}", there)
    inside = [
        (row, column)
        for row, column in sorted(places)
        if min(top, bottom) <= row <= max(top, bottom) and min(left, right) <= column <= max(left, right)
    ]
    assert [parse_well(well) for well in chosen] == inside


@given(st.sets(st.sampled_from(PLATE), min_size=1), st.sets(st.sampled_from(PLATE)))
def test_what_is_left_out_is_the_rest(kept, dropped):
    remaining = sorted(kept - dropped)
    well_filter = [*sorted(kept), *(f"~{well}" for well in sorted(dropped))]
    if remaining:
        assert list(select_wells(well_filter, PLATE)) == remaining
    else:
        with pytest.raises(PlateError, match="leaves no well"):
            select_wells(well_filter, PLATE)
