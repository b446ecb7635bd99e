"""Which planes a fault is in, and what a reader can know of them: without any file."""

import attrs
import numpy as np
import pytest

from hcs_core import PlateError
from hcs_synthetic import Effect, Fault, FaultKind, SyntheticPlate

PLATE = SyntheticPlate(
    wells=("A01", "B03"), grid=(1, 3), image_shape=(24, 32), channels=("DAPI", "GFP"), z_count=2, timepoint_count=2,
    cells_per_field=2,
)  # fmt: skip


def with_faults(*faults, plate=PLATE):
    return attrs.evolve(plate, faults=faults)


def planes(wells=("A01", "B03"), sites=(1, 2, 3), channels=(1, 2), z_indexes=(1, 2), timepoints=(1, 2)):
    return {(w, s, c, z, t) for w in wells for s in sites for c in channels for z in z_indexes for t in timepoints}


def effects(plate):
    return {(plane.key, plane.effect) for plane in plate.damage}


def all_are(keys, effect):
    return {(key, effect) for key in keys}


def test_a_plate_without_faults_has_no_damage():
    assert PLATE.faults == PLATE.damage == ()


@pytest.mark.parametrize(
    ("chosen", "expected"),
    [
        ({"wells": "b3", "sites": 2}, planes(wells=["B03"], sites=[2])),
        ({"channels": 2, "z_indexes": 2, "timepoints": (1,)}, planes(channels=[2], z_indexes=[2], timepoints=[1])),
        ({"wells": ("A1", "B3"), "sites": range(2, 4)}, planes(sites=[2, 3])),
        ({}, planes()),
    ],
)
def test_a_fault_is_in_the_planes_that_are_in_all_that_is_named(chosen, expected):
    assert {plane.key for plane in with_faults(Fault(kind="empty", **chosen)).damage} == expected


@pytest.mark.parametrize(
    ("kind", "effect"),
    [
        ("truncated", "unreadable"),
        ("empty", "unreadable"),
        ("text", "unreadable"),
        ("wrong_dtype", "mismatched"),
        ("wrong_shape", "mismatched"),
        ("duplicate", "duplicate"),
        ("missing", "absent"),
    ],
)
def test_every_kind_has_an_effect(kind, effect):
    (plane,) = with_faults(Fault(kind=kind, wells="A01", sites=1, channels=1, z_indexes=1, timepoints=1)).damage
    assert plane.key == ("A01", 1, 1, 1, 1)
    assert (plane.kind, plane.effect) == (kind, effect)


def test_there_is_an_effect_for_every_kind_and_no_other_kind():
    assert [str(kind) for kind in FaultKind] == [
        "missing", "truncated", "empty", "text", "wrong_dtype", "wrong_shape", "duplicate",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("chosen", "keys", "effect"),
    [
        ({"wells": "B03", "sites": 2}, planes(wells=["B03"], sites=[2]), Effect.ABSENT),
        ({"wells": "B03", "sites": (2, 3)}, planes(wells=["B03"], sites=[2, 3]), Effect.ABSENT),
        ({"wells": "B03", "sites": 2, "z_indexes": 2}, planes(["B03"], [2], z_indexes=[2]), Effect.ABSENT),
        ({"wells": "B03"}, planes(wells=["B03"]), Effect.NOT_ACQUIRED),
        ({"sites": 3}, planes(sites=[3]), Effect.NOT_ACQUIRED),
        ({"channels": 2, "z_indexes": 2}, planes(channels=[2], z_indexes=[2]), Effect.NOT_ACQUIRED),
        ({"timepoints": 2}, planes(timepoints=[2]), Effect.NOT_ACQUIRED),
    ],
)
def test_a_plane_is_absent_where_others_show_that_it_should_be_there(chosen, keys, effect):
    assert effects(with_faults(Fault(kind="missing", **chosen))) == all_are(keys, effect)


def test_a_file_without_pixels_still_shows_that_its_well_was_acquired():
    others = Fault(kind="missing", wells="B03")
    one = Fault(kind="empty", wells="B03", sites=1, channels=1, z_indexes=1, timepoints=1)
    assert effects(with_faults(one, others)) == all_are(
        planes(wells=["B03"]) - {("B03", 1, 1, 1, 1)}, Effect.ABSENT
    ) | {(("B03", 1, 1, 1, 1), Effect.UNREADABLE)}


def test_a_plane_keeps_its_first_fault():
    plate = with_faults(Fault(kind="text", sites=1), Fault(kind="missing", wells="B03"))
    assert {plane.key for plane in plate.damage if plane.kind == FaultKind.TEXT} == planes(sites=[1])
    assert {plane.key for plane in plate.damage if plane.kind == FaultKind.MISSING} == planes(
        wells=["B03"], sites=[2, 3]
    )


def test_a_count_draws_by_the_seed_and_by_nothing_else():
    fault = Fault(kind="truncated", channels=2, count=5)
    drawn = [plane.key for plane in with_faults(fault).damage]
    assert len(drawn) == len(set(drawn)) == 5
    assert set(drawn) < planes(channels=[2])
    again = attrs.evolve(PLATE, name="another", cells_per_field=9.0, dtype="uint8")
    assert [plane.key for plane in with_faults(fault, plate=again).damage] == drawn
    others = [[p.key for p in with_faults(fault, plate=attrs.evolve(PLATE, seed=seed)).damage] for seed in (2, 3, 4)]
    assert all(other != drawn for other in others)


def test_two_faults_draw_differently():
    drawn = with_faults(Fault(kind="empty", wells="A01", count=6), Fault(kind="empty", wells="B03", count=6)).damage
    first, second = ([plane.key[1:] for plane in drawn if plane.well == well] for well in PLATE.wells)
    assert len(first) == len(second) == 6
    assert first != second


def test_damage_is_told_in_the_order_of_the_plate():
    keys = [plane.key for plane in with_faults(Fault(kind="empty", wells="B03"), Fault(kind="text")).damage]
    assert keys == sorted(planes())


def test_pixels_cells_and_positions_are_as_if_there_were_no_fault():
    spoilt = with_faults(Fault(kind="wrong_dtype"))
    np.testing.assert_array_equal(spoilt.image("B03", 2, 2, 1, 2), PLATE.image("B03", 2, 2, 1, 2))
    np.testing.assert_array_equal(spoilt.truth("B03").y_um, PLATE.truth("B03").y_um)
    assert spoilt.positions == PLATE.positions
    assert spoilt.description() == PLATE.description()


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"kind": "burnt"}, "kind='burnt': expected one of missing, truncated, empty, text, wrong_dtype"),
        ({"kind": "empty", "sites": ()}, "sites=(): name at least one, or leave sites out for all."),
        ({"kind": "empty", "wells": []}, "wells=(): name at least one, or leave wells out for all."),
        ({"kind": "empty", "count": 0}, "count=0: expected at least 1 plane"),
    ],
)
def test_a_fault_that_says_nothing_is_refused(options, text):
    with pytest.raises(ValueError, match=r"expected|name at least") as refused:
        Fault(**options)
    assert str(refused.value).startswith(text)


@pytest.mark.parametrize("options", [{"sites": 1.5}, {"channels": "GFP"}, {"count": "2"}])
def test_numbers_are_whole_numbers(options):
    with pytest.raises(TypeError):
        Fault(kind="empty", **options)


@pytest.mark.parametrize(
    ("faults", "text"),
    [
        ([Fault(kind="empty", wells="H12")], "the plate 'synthetic' has no well H12: it has 2, from A01 to B03."),
        ([Fault(kind="empty", sites=4)], "the plate 'synthetic' has no site 4: it has 1 to 3."),
        ([Fault(kind="empty", channels=(1, 3))], "the plate 'synthetic' has no channel 3: it has 1 to 2."),
        ([Fault(kind="empty", z_indexes=0)], "the plate 'synthetic' has no z_index 0: it has 1 to 2."),
        ([Fault(kind="empty", timepoints=3)], "the plate 'synthetic' has no timepoint 3: it has 1 to 2."),
        ([Fault(kind="missing")], "the faults of 'synthetic' leave no file of it: let at least one plane be there."),
        (
            [Fault(kind="missing", wells="B03"), Fault(kind="empty", wells="B3", sites=2)],
            (
                "Fault(kind='empty', wells=('B03',), sites=(2,)) of 'synthetic' finds 0 planes without another "
                "fault, and needs 1: select others, or put it before the faults that take them."
            ),
        ),
        (
            [Fault(kind="text", wells="A01", sites=1, count=9)],
            (
                "Fault(kind='text', wells=('A01',), sites=(1,), count=9) of 'synthetic' finds 8 planes without "
                "another fault, and needs 9: select others, or put it before the faults that take them."
            ),
        ),
    ],
)
def test_a_fault_that_the_plate_cannot_have_is_refused_in_one_sentence(faults, text):
    with pytest.raises(PlateError) as refused:
        with_faults(*faults)
    assert str(refused.value) == text


def test_only_faults_are_faults():
    with pytest.raises(TypeError, match="Fault"):
        with_faults("missing")
