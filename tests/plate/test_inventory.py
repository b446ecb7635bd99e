"""The columnar inventory: sorted, sliced, counted, digested, pickled."""

import json
import pickle
import random
import subprocess
import sys
from pathlib import Path

import attrs
import numpy as np
import pytest
from hypothesis import given, strategies as st

from hcs_core import Channel, PlaneKind, PlaneState, PlaneTable, Plate, PlateError, parse_well
from hcs_core.testing.plates import make_plate

WELLS = ("B02", "A10", "A09", "AA01", "Z01")
KEYS = st.tuples(
    st.integers(0, len(WELLS) - 1), st.integers(1, 3), st.integers(1, 3), st.integers(0, 3), st.integers(1, 3)
)


def build(rows, wells=WELLS, reader="tiff"):
    """Build a table of (well, site, channel, z, t, kind, state, selector, uri)."""
    names = ("well", "site", "channel", "z_index", "timepoint", "kind", "state", "selector", "uri")
    columns = dict(zip(names, zip(*rows, strict=True), strict=True)) if rows else dict.fromkeys(names, ())
    return PlaneTable.build(wells=wells, reader=reader, **columns)


def as_rows(keys):
    return [(*key, key[3] % 2, number % 6, number, f"file {number}") for number, key in enumerate(keys)]


@given(st.lists(KEYS, unique=True))
def test_planes_come_sorted_as_on_the_plate(keys):
    rows = as_rows(keys)
    expected = sorted(rows, key=lambda row: (parse_well(WELLS[row[0]]), row[1], row[4], row[2], row[3]))
    found = [
        (
            plane.well,
            plane.site,
            plane.channel,
            plane.z_index,
            plane.timepoint,
            plane.kind,
            plane.state,
            plane.selector,
        )
        for plane in build(rows)
    ]
    assert found == [(WELLS[row[0]], *row[1:8]) for row in expected]
    assert [plane.uri for plane in build(rows)] == [row[8] for row in expected]


@given(st.lists(KEYS, max_size=12), st.randoms(use_true_random=False))
def test_the_digest_does_not_know_the_order_in_which_a_folder_was_listed(keys, generator):
    rows = as_rows([*keys, *keys])
    shuffled = generator.sample(rows, len(rows))
    wells = generator.sample(WELLS, len(WELLS))
    moved = [(wells.index(WELLS[row[0]]), *row[1:]) for row in shuffled]
    one, other = build(rows), build(moved, wells)
    assert one.digest() == other.digest()
    assert list(one) == list(other)


def test_every_column_and_every_name_is_in_the_digest():
    row = (0, 1, 1, 1, 1, 0, 0, 0, "file")
    digests = {build([row]).digest(), build([row], reader="zarr").digest(), build([row], wells=("C01",)).digest()}
    for place in range(8):
        digests.add(
            build([tuple(value + 1 if index == place else value for index, value in enumerate(row))]).digest()
        )
    digests.add(build([(*row[:8], "other")]).digest())
    assert len(digests) == 3 + 8 + 1


def test_a_plate_in_another_process_has_the_same_digest():
    plate = make_plate(sites=(1, 2), z_indexes=(1, 2), name="p", pixel_size_um=0.325)
    program = (
        "from hcs_core.testing.plates import make_plate\n"
        "print(make_plate(sites=(1, 2), z_indexes=(1, 2), name='p', root='elsewhere', pixel_size_um=0.325).digest())"
    )
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == plate.digest()


def test_the_digest_of_a_plate_is_of_its_content_not_of_its_folder_or_what_it_was_found_by():
    plate = make_plate()
    assert attrs.evolve(plate, root=Path("/other"), detected_by="x", differences=("d",)).digest() == plate.digest()
    changes = [
        {"name": "other"},
        {"microscope": "other"},
        {"plate_format": (32, 48)},
        {"channels": (Channel(number=1, name="DAPI"), Channel(number=2, name="Cy5"))},
        {"site_grid": {1: (0, 0)}},
        {"pixel_size_um": 0.6},
        {"z_step_um": 1.0},
        {"time_step_s": 1.0},
        {"image_shape": (48, 64)},
        {"dtype": "uint8"},
        {"planes": make_plate(sites=(1, 2)).planes},
    ]
    digests = {attrs.evolve(plate, **change).digest() for change in changes}
    assert len(digests | {plate.digest()}) == len(changes) + 1


def test_one_number_is_one_number_in_the_digest_whatever_its_type():
    plain = make_plate(pixel_size_um=1.0, image_shape=(64, 48), site_grid={1: (0, 1), 2: (0, 0)}, z_step_um=2.0)
    numpys = make_plate(
        pixel_size_um=np.float64(1),
        image_shape=tuple(np.asarray([64, 48])),
        site_grid={np.int64(2): (np.int32(0), 0), 1: (0, 1)},
        z_step_um=2,
    )
    assert plain.digest() == numpys.digest()


def test_a_name_that_is_not_utf8_has_a_digest():
    tables = [build([(0, 1, 1, 1, 1, 0, 0, 0, name)]) for name in ("a\udcff.tif", "a\udcfe.tif")]
    assert tables[0].digest() != tables[1].digest()


@pytest.mark.parametrize("well", [-1, 5, 100])
def test_a_plane_in_no_well_is_refused(well):
    with pytest.raises(PlateError, match="whose well is none of its 5 wells"):
        build([(well, 1, 1, 1, 1, 0, 0, 0, "file")])


@pytest.mark.parametrize("column", ["well", "site", "channel", "z_index", "timepoint", "kind", "state", "selector"])
@pytest.mark.parametrize("length", [1, 3])
def test_columns_of_different_lengths_are_refused(column, length):
    columns = {name: [0, 0] for name in ("well", "site", "channel", "z_index", "timepoint")} | {column: [0] * length}
    with pytest.raises(PlateError, match=f"2 uris.*'{column}': {length}"):
        PlaneTable.build(wells=WELLS, uri=("a", "b"), reader="tiff", **columns)


def test_a_well_that_is_listed_twice_is_refused():
    with pytest.raises(PlateError, match="lists a well twice: A01, A01"):
        build([(1, 1, 1, 1, 1, 0, 0, 0, "file")], wells=("A01", "A01"))


def test_a_table_without_planes():
    table = build([])
    assert (len(table), list(table), table.wells) == (0, [], ("A09", "A10", "B02", "Z01", "AA01"))
    assert table.of_well("Z01").wells == ("Z01",)
    assert table.digest() == build([]).digest()


@given(st.lists(KEYS, unique=True), st.integers(0, 4))
def test_a_slice_is_one_wells_planes_and_knows_nothing_of_the_others(keys, number):
    table = build(as_rows(keys))
    part = table.of_well(WELLS[number])
    assert list(part) == [plane for plane in table if plane.well == WELLS[number]]
    assert part.wells == (WELLS[number],)
    alone = build(as_rows(keys))
    assert part.digest() == alone.of_well(WELLS[number]).digest()
    assert len(pickle.dumps(part)) <= len(pickle.dumps(table)) + 200


@given(st.lists(KEYS, unique=True), st.data())
def test_a_selection_is_what_the_mask_says(keys, data):
    table = build(as_rows(keys))
    mask = np.array([data.draw(st.booleans()) for _ in keys], np.bool_)
    chosen = table.select(mask)
    assert list(chosen) == [plane for plane, true in zip(table, mask, strict=True) if true]
    for well in WELLS:
        assert list(chosen.of_well(well)) == [plane for plane in chosen if plane.well == well]


def test_a_well_that_is_not_there_is_named_with_the_nearest():
    with pytest.raises(PlateError, match=r"there is no well 'A03'. Did you mean 'A0[12]'\? There are A01, A02\."):
        make_plate().planes.of_well("A03")
    with pytest.raises(PlateError, match="no well 'H12'"):
        make_plate().sites("H12")


def test_a_channel_that_is_not_there_is_named_with_those_that_are():
    with pytest.raises(PlateError, match=r"has no channel 3; its channels: 1 \(DAPI\), 2 \(GFP\)\."):
        make_plate().channel(3)


def test_components_of_a_ragged_plate():
    plate = make_plate(
        wells=("B01", "A02", "H12"),
        sites=(1, 2, 4),
        z_indexes=(0, 2, 3),
        timepoints=(1, 5),
        without=[("B01", 4, channel, z, t) for channel in (1, 2) for z in (0, 2, 3) for t in (1, 5)],
    )
    assert plate.wells == ("A02", "B01", "H12")
    assert plate.sites("B01") == (1, 2)
    assert plate.sites("A02") == (1, 2, 4)
    assert plate.z_indexes == (2, 3)
    assert plate.timepoints == (1, 5)
    assert plate.channel(2).name == "GFP"
    assert len(plate.planes) == 3 * 3 * 2 * 3 * 2 - 12


def test_wells_are_those_that_have_planes():
    planes = build([(3, 1, 1, 1, 1, 0, 0, 0, "file")])
    assert attrs.evolve(make_plate(), planes=planes).wells == ("AA01",)


def test_states_are_counted_by_their_words():
    states = {("A01", 1, 1, z, 1): PlaneState(z - 1) for z in range(1, 7)} | {
        ("A02", 1, 1, z, 1): PlaneState.MISSING for z in (1, 2)
    }
    plate = make_plate(channels=("DAPI",), z_indexes=range(1, 7), states=states)
    assert plate.state_counts() == {
        "present": 1 + 4, "missing": 1 + 2, "not_recorded": 1, "not_acquired": 1, "unreadable": 1, "duplicate": 1,
    }  # fmt: skip
    empty = attrs.evolve(plate, planes=build([]))
    assert set(empty.state_counts().values()) == {0}
    assert json.loads(json.dumps(plate.state_counts())) == plate.state_counts()


def test_a_plate_comes_through_pickle_as_it_was():
    plate = make_plate(z_indexes=(0, 1), site_grid={1: (0, 0)}, differences=("one",))
    copy = pickle.loads(pickle.dumps(plate))  # noqa: S301 - written in this line
    assert isinstance(copy, Plate)
    assert copy.digest() == plate.digest()
    assert list(copy.planes) == list(plate.planes)
    assert (copy.channels, copy.site_grid, copy.differences) == (plate.channels, plate.site_grid, plate.differences)


def test_kinds_and_states_of_a_plane_are_enums():
    plane = make_plate(z_indexes=(0,), states={("A01", 1, 1, 0, 1): PlaneState.UNREADABLE}).planes.plane(0)
    assert plane.kind is PlaneKind.PROJECTION
    assert plane.state is PlaneState.UNREADABLE
    assert plane.state.word == "unreadable"
    assert type(plane.site) is int


def test_shuffling_many_planes_changes_nothing():
    generator = random.Random(5)  # noqa: S311 - no secret
    rows = as_rows(
        [(w, s, c, z, t) for w in range(5) for s in (1, 2, 3) for c in (1, 2) for z in (1, 2) for t in (1, 2)]
    )
    assert build(rows).digest() == build(generator.sample(rows, len(rows))).digest()


def test_well_by_well_is_each_well():
    table = make_plate(wells=("A01", "B02", "C03"), without=[("B02", 1, 1, 1, 1)]).planes
    found = dict(table.by_well())
    assert tuple(found) == table.wells
    for well, own in found.items():
        assert own.wells == (well,)
        assert own.digest() == table.of_well(well).digest()
