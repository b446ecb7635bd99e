"""What faults leave on disk, in two layouts, and what opening such a plate finds: the truth, and nothing else."""

import attrs
import numpy as np
import pytest
import tifffile

from hcs_core import PlaneState, PlateError, open_plate
from hcs_synthetic import Effect, Fault, FaultKind, SyntheticPlate, make_plate

PLATE = SyntheticPlate(
    name="plate", wells=("A01", "B03"), grid=(1, 3), image_shape=(24, 32), channels=("DAPI", "GFP"), z_count=2,
    cells_per_field=0.1,
)  # fmt: skip
# Opening a plate looks into the first full site: one plane there, and one that is not looked at.
SEEN = {"wells": "A01", "sites": 1, "channels": 2, "z_indexes": 2}
UNSEEN = {"wells": "B03", "sites": 2, "channels": 1, "z_indexes": 1}
DECLARES_MORE = attrs.evolve(PLATE, wells=("A01", "B03", "H12"), channels=("DAPI", "GFP", "Cy5"), timepoint_count=2)
FAULTS = {
    "a site is missing": (Fault(kind="missing", wells="B03", sites=2),),
    "a plane is missing": (Fault(kind="missing", **UNSEEN),),
    "the first plane is missing": (Fault(kind="missing", wells="A01", sites=1, channels=1, z_indexes=1),),
    "a well is missing": (Fault(kind="missing", wells="B03"),),
    "a channel has fewer z": (Fault(kind="missing", channels=2, z_indexes=2),),
    "a site has fewer z": (Fault(kind="missing", wells="B03", sites=2, z_indexes=2),),
    "a well has fewer sites": (Fault(kind="missing", wells="B03", sites=(2, 3)),),
    "no well has the last site": (Fault(kind="missing", sites=3),),
    "planes of all kinds of faults": tuple(Fault(kind=kind, count=2) for kind in FaultKind if kind != "duplicate"),
    **{f"{kind}, seen": (Fault(kind=kind, **SEEN),) for kind in FaultKind if kind != "missing"},
    **{f"{kind}, unseen": (Fault(kind=kind, **UNSEEN),) for kind in FaultKind if kind != "missing"},
}
IN_EVERY_LAYOUT = {name: faults for name, faults in FAULTS.items() if "duplicate" not in name}


def npy_name(well, site, channel, z, t):
    return f"{well}_s{site}_c{channel}_z{z}_t{t}.npy"


def tif_name(well, site, channel, z, t):
    return f"TimePoint_{t}/ZStep_{z}/plate_{well}_s{site}_w{channel}.TIF"


def content(root):
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()}


@pytest.fixture(scope="module")
def whole_tif(tmp_path_factory, installed):
    return content(make_plate(tmp_path_factory.mktemp("whole"), PLATE, plugins=installed))


@pytest.fixture
def make(tmp_path, installed):
    """Write the plate with faults as a MetaXpress export; return the description and the folder."""

    def written(*faults, plate=PLATE):
        faulty = attrs.evolve(plate, faults=faults)
        return faulty, make_plate(tmp_path, faulty, plugins=installed)

    return written


def check_files(damage, whole, found, name_of):
    """Assert that the truth tells every file that differs, and how."""
    differs = {name for name in whole if found.get(name) != whole[name]}
    added = set(found) - set(whole)
    by_file = {name_of(*plane.key): plane for plane in damage}
    assert differs == {name for name, plane in by_file.items() if plane.effect != Effect.DUPLICATE}
    assert len(added) == sum(plane.effect == Effect.DUPLICATE for plane in damage)
    for name, plane in by_file.items():
        now, before = found.get(name), whole[name]
        if plane.kind == FaultKind.MISSING:
            assert now is None
        elif plane.kind == FaultKind.EMPTY:
            assert now == b""
        elif plane.kind == FaultKind.TRUNCATED:
            assert now == before[: len(before) // 2]
        elif plane.kind == FaultKind.TEXT:
            assert now.decode("ascii").isprintable() is False
            assert len(now.splitlines()) == 1
        elif plane.kind == FaultKind.DUPLICATE:
            (second,) = (other for other in added if other.lower() == name.lower())
            assert found[second] == now


def rows_of(inventory):
    """The states of the rows of each plane, and of its files."""
    rows = {}
    for row in inventory.planes:
        rows.setdefault((row.well, row.site, row.channel, row.z_index, row.timepoint), []).append(row)
    return rows


def looked_at(plate):
    """The planes whose headers are read when the plate is opened: those of the first of the sites with most files."""
    absent = {plane.key for plane in plate.damage if plane.kind == FaultKind.MISSING}
    sites = [[key for key in planes_of_site(plate, *place) if key not in absent] for place in plate.positions]
    return set(max(sites, key=len))


def planes_of_site(plate, well, site):
    return [
        (well, site, channel, z, t)
        for channel in range(1, len(plate.channels) + 1)
        for z in range(1, plate.z_count + 1)
        for t in range(1, plate.timepoint_count + 1)
    ]


def check_states(plate, inventory, absent_as):
    """Assert that the inventory has each plane in the state that the truth says, and every other one as present."""
    rows, seen = rows_of(inventory), looked_at(plate)
    damaged = {plane.key: plane for plane in plate.damage}
    for key in {*rows, *damaged}:
        states = [row.state for row in rows.get(key, ())]
        effect = damaged[key].effect if key in damaged else None
        if effect in {Effect.ABSENT, Effect.NOT_ACQUIRED}:
            assert states in absent_as[effect], key
        elif effect == Effect.UNREADABLE:
            assert states == [PlaneState.UNREADABLE if key in seen else PlaneState.PRESENT], key
        elif effect == Effect.DUPLICATE:
            assert sorted(states) in ([PlaneState.PRESENT], [PlaneState.PRESENT, PlaneState.DUPLICATE]), key
        else:
            assert states == [PlaneState.PRESENT], key
    assert len({*rows, *damaged}) == len(plate.wells) * np.prod(list(plate.counts.values()))


@pytest.mark.parametrize("faults", FAULTS.values(), ids=FAULTS)
def test_files_and_inventory_of_an_export_are_what_the_truth_says(make, installed, whole_tif, faults):
    plate, root = make(*faults)
    check_files(plate.damage, whole_tif, content(root), tif_name)
    # Its HTD names wells, sites, channels and z-steps, and no planes.
    absent_as = {Effect.ABSENT: ([PlaneState.NOT_RECORDED],), Effect.NOT_ACQUIRED: ([], [PlaneState.NOT_ACQUIRED])}
    check_states(plate, open_plate(root, plugins=installed), absent_as)


@pytest.mark.parametrize("faults", IN_EVERY_LAYOUT.values(), ids=IN_EVERY_LAYOUT)
def test_files_and_inventory_of_a_layout_with_an_index_are_what_the_truth_says(tmp_path, plugins, faults):
    whole = make_plate(tmp_path / "whole", PLATE, "npy", plugins)
    plate = attrs.evolve(PLATE, faults=faults)
    root = make_plate(tmp_path / "faulty", plate, "npy", plugins)
    check_files(plate.damage, content(whole), content(root), npy_name)
    recorded = ([PlaneState.MISSING],)
    inventory = open_plate(root, plugins=plugins, microscope="npy")
    check_states(plate, inventory, {Effect.ABSENT: recorded, Effect.NOT_ACQUIRED: recorded})


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("a well is missing", "declares the well B03, and no file has it."),
        ("no well has the last site", "declares the site 3, and no file has it."),
        ("truncated, seen", "ZStep_2/plate_A01_s1_w2.TIF is cut off"),
        ("empty, seen", "ZStep_2/plate_A01_s1_w2.TIF is empty (0 bytes)"),
        ("text, seen", "ZStep_2/plate_A01_s1_w2.TIF is no TIFF file"),
        ("wrong_dtype, seen", "channel 2 (GFP): its images are (24, 32) uint8, others (24, 32) uint16"),
        ("wrong_shape, seen", "channel 2 (GFP): its images are (25, 33) uint16, others (24, 32) uint16"),
    ],
)
def test_what_opening_can_see_is_named(make, installed, name, words):
    _, root = make(*FAULTS[name])
    (difference,) = open_plate(root, plugins=installed).differences
    assert words in difference


@pytest.mark.parametrize("place", ["seen", "unseen"])
def test_a_second_file_is_named_or_has_a_row(make, installed, place):
    _, root = make(*FAULTS[f"duplicate, {place}"])
    (second,) = (path for path in root.rglob("*") if path.suffix not in {".TIF", ".HTD", ""})
    inventory = open_plate(root, plugins=installed)
    uri = second.relative_to(root).as_posix()
    rows = [row.uri for row in inventory.planes if row.state == PlaneState.DUPLICATE]
    assert rows == [uri] or any(uri in text for text in inventory.differences)


def test_an_index_declares_more_than_there_is(make, installed):
    never = (
        Fault(kind="missing", wells="H12"),
        Fault(kind="missing", sites=3),
        Fault(kind="missing", channels=3),
        Fault(kind="missing", z_indexes=2),
        Fault(kind="missing", timepoints=2),
    )
    plate, root = make(*never, plate=DECLARES_MORE)
    inventory = open_plate(root, plugins=installed)
    declared = {
        f"plate.HTD declares the {what}, and no file has it."
        for what in ("well H12", "site 3", "channel 3", "z-step 2", "timepoint 2")
    }
    assert set(inventory.differences) == declared
    assert {plane.effect for plane in plate.damage} == {Effect.NOT_ACQUIRED}
    assert set(rows_of(inventory)) == {
        (well, site, channel, 1, 1) for well in ("A01", "B03") for site in (1, 2) for channel in (1, 2)
    }
    assert inventory.state_counts()["present"] == len(inventory.planes)


@pytest.mark.parametrize("dtype", ["uint16", "uint8"])
@pytest.mark.parametrize("kind", ["wrong_dtype", "wrong_shape"])
def test_an_image_of_another_kind_is_the_same_picture_in_a_good_file(make, installed, dtype, kind):
    plate, root = make(Fault(kind=kind, **UNSEEN), plate=attrs.evolve(PLATE, dtype=dtype))
    with tifffile.TiffFile(root / tif_name("B03", 2, 1, 1, 1)) as file:
        pixels, text = file.asarray(), file.pages[0].description
    true = plate.image("B03", 2, 1, 1, 1)
    if kind == "wrong_shape":
        assert pixels.shape == (25, 33)
        assert pixels.dtype == dtype
        np.testing.assert_array_equal(pixels[:24, :32], true)
    else:
        assert pixels.shape == true.shape
        assert pixels.dtype == {"uint16": "uint8", "uint8": "uint16"}[dtype]
        np.testing.assert_array_equal(pixels, np.clip(true, 0, 255))
        assert pixels.max() > pixels.min()
    facts = installed.microscopes.load("imagexpress")().parse_header(text)
    assert (facts.well, facts.site, facts.z_index, facts.channel_name) == ("B03", 2, 1, "DAPI")
    assert facts.position == plate.nominal_positions["B03", 2]


def test_the_same_faults_are_the_same_bytes(tmp_path, installed):
    plate = attrs.evolve(PLATE, faults=FAULTS["planes of all kinds of faults"])
    first, second = (make_plate(tmp_path / part, plate, plugins=installed) for part in ("first", "second"))
    assert content(first) == content(second)


@pytest.mark.parametrize(
    ("microscope", "kind", "text"),
    [
        ("npy", "duplicate", "plate has no second name for A01_s1_c1_z1_t1.npy: it cannot have duplicates"),
        (
            "one_file",
            "empty",
            "timepoint 1 of plate shares the file A01_s1_c1_z1_t1.npy with 11 other planes",
        ),
        (
            "blind",
            "empty",
            "the microscope does not find well A01, site 1, channel 1, z_index 1, timepoint 1 of plate",
        ),
    ],
)
def test_a_fault_that_the_layout_cannot_have_leaves_nothing(tmp_path, plugins, microscope, kind, text):
    plate = attrs.evolve(PLATE, wells=("A01",), faults=(Fault(kind=kind, sites=1, channels=1, z_indexes=1),))
    with pytest.raises(PlateError) as refused:
        make_plate(tmp_path, plate, microscope, plugins)
    assert text in str(refused.value)
    assert not list(tmp_path.iterdir())


NFC, NFD = "株\u00e9 が", "株e\u0301 か\u3099"


@pytest.mark.parametrize("name", ["two words", "plate #7", "5 µm", "プレート", NFC, NFD])
def test_a_plate_of_any_name_is_opened_under_that_name(make, installed, name):
    plate, root = make(Fault(kind="missing", **UNSEEN), plate=attrs.evolve(PLATE, name=name))
    inventory = open_plate(root, plugins=installed)
    assert root.name == inventory.name == name
    assert len(plate.damage) == inventory.state_counts()["not_recorded"] == 1
    assert inventory.state_counts()["present"] == len(inventory.planes) - 1
    assert inventory.differences == ()


def test_wells_of_the_largest_plates_are_opened(make, installed):
    wells = ("Z48", "AA01", "AA48", "AF48")
    plate, root = make(Fault(kind="missing", wells="AA48", sites=2), plate=attrs.evolve(PLATE, wells=wells))
    inventory = open_plate(root, plugins=installed)
    assert inventory.wells == wells
    assert inventory.plate_format == (32, 48)
    lacking = {key for key, rows in rows_of(inventory).items() if rows[0].state == PlaneState.NOT_RECORDED}
    assert lacking == {plane.key for plane in plate.damage} == {("AA48", 2, c, z, 1) for c in (1, 2) for z in (1, 2)}
    assert inventory.differences == ()
