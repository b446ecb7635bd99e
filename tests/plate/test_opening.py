"""Opening a plate: which headers are opened, what becomes of broken ones, and where fields lie."""

import attrs
import pytest

from hcs_core import Header, PlaneState, SitePosition, UnknownNameError
from hcs_core.plate.opening import inventory, with_positions
from hcs_core.plate.reader import Readers
from hcs_core.testing.plates import make_plate

BARE = {"image_shape": None, "dtype": None, "pixel_size_um": None}


def state_of(plate, uri):
    return next(plane.state for plane in plate.planes if plane.uri == uri)


@pytest.fixture
def opened(tmp_path, manager, reader, detected):
    """Return a function that opens a made-up plate, and gives it with the files that were opened."""

    def run(plate, facts=None, broken=(), headers=None):
        plugin = reader(broken, headers)
        found = inventory(tmp_path, detected(plate, facts), Readers(manager(plugin).readers))
        return found, [name for name, _ in plugin.opened]

    return run


def test_one_plane_of_each_channel_and_z_and_of_each_channel_and_time_is_opened(opened):
    plate = make_plate(sites=(1, 2), z_indexes=(1, 2, 3), timepoints=(1, 2), **BARE)
    found, names = opened(plate)
    assert sorted(names) == sorted(
        f"A01_s1_w{channel}_z{z}_t{t}.tif" for channel in (1, 2) for z, t in ((1, 1), (2, 1), (3, 1), (1, 2))
    )
    assert (found.image_shape, found.dtype, found.detected_by) == ((64, 48), "uint16", "it was made up")
    assert found.differences == ()


def test_the_fullest_site_is_asked(opened):
    without = [(well, 1, 2, 1, 1) for well in ("A01", "A02")]
    _, names = opened(make_plate(sites=(1, 2), without=without, **BARE))
    assert names == ["A01_s2_w1_z1_t1.tif", "A01_s2_w2_z1_t1.tif"]


def test_only_planes_that_are_there_are_opened(opened):
    states = {("A01", 1, channel, 1, 1): PlaneState.MISSING for channel in (1, 2)}
    _, names = opened(make_plate(states=states, **BARE))
    assert names == ["A02_s1_w1_z1_t1.tif", "A02_s1_w2_z1_t1.tif"]


def test_an_unreadable_site_is_noted_and_the_next_one_is_asked(opened):
    plate = make_plate(channels=("", ""), sites=(1, 2), **BARE)
    broken = {"A01_s1_w1_z1_t1.tif", "A01_s1_w2_z1_t1.tif"}
    facts = {f"A01_s2_w{number}_z1_t1.tif": {"channel_name": f"dye{number}"} for number in (1, 2)}
    found, _ = opened(plate, facts, broken)
    assert [channel.name for channel in found.channels] == ["dye1", "dye2"]
    assert {plane.uri for plane in found.planes if plane.state == PlaneState.UNREADABLE} == broken
    assert found.state_counts()["unreadable"] == 2
    assert [text.rpartition("/")[2] for text in found.differences] == [f"{name} is broken" for name in sorted(broken)]
    assert found.image_shape == (64, 48)
    # The inventory that the handler made is as it was.
    assert plate.state_counts()["unreadable"] == 0


def test_one_broken_file_does_not_change_a_channels_name(opened):
    plate = make_plate(channels=("", ""), sites=(1, 2), **BARE)
    facts = {
        f"A01_s{site}_w{number}_z1_t1.tif": {"channel_name": f"dye{number}"} for number in (1, 2) for site in (1, 2)
    }
    found, names = opened(plate, facts, {"A01_s1_w2_z1_t1.tif"})
    assert [channel.name for channel in found.channels] == ["dye1", "dye2"]
    assert names == ["A01_s1_w1_z1_t1.tif", "A01_s1_w2_z1_t1.tif", "A01_s2_w2_z1_t1.tif"]
    assert state_of(found, "A01_s1_w2_z1_t1.tif") == PlaneState.UNREADABLE


def test_a_channel_that_only_another_site_has_is_asked_for_there(opened):
    without = [("A01", 1, 3, 1, 1), ("A02", 1, 1, 1, 1), ("A02", 1, 2, 1, 1)]
    plate = make_plate(channels=("", "", ""), without=without, **BARE)
    found, _ = opened(plate, {"A02_s1_w3_z1_t1.tif": {"channel_name": "late"}})
    assert [channel.name for channel in found.channels] == ["channel1", "channel2", "late"]


def test_nothing_can_be_read(opened):
    plate = make_plate(channels=("", "GFP"), **BARE)
    found, _ = opened(plate, broken={plane.uri for plane in plate.planes})
    assert found.state_counts()["unreadable"] == 4
    assert len(found.differences) == 4
    assert (found.image_shape, found.dtype, found.pixel_size_um) == (None, None, None)
    assert [channel.name for channel in found.channels] == ["channel1", "GFP"]


def test_a_plate_without_a_present_plane_opens_nothing(opened):
    states = {(well, 1, number, 1, 1): PlaneState.NOT_RECORDED for well in ("A01", "A02") for number in (1, 2)}
    found, names = opened(make_plate(states=states, **BARE))
    assert names == []
    assert found.state_counts()["not_recorded"] == 4


def test_differences_of_the_handler_come_first_and_contradictions_last(opened):
    plate = make_plate(channels=("DAPI",), differences=("the index lies",), **BARE)
    facts = {"A02_s1_w1_z1_t1.tif": {"well": "H12"}}
    found, _ = opened(plate, facts, {"A01_s1_w1_z1_t1.tif"})
    assert found.differences[0] == "the index lies"
    assert found.differences[1].endswith("A01_s1_w1_z1_t1.tif is broken")
    assert found.differences[2] == "the header says well H12, the name A02 (A02_s1_w1_z1_t1.tif)"
    assert len(found.differences) == 3


def test_a_page_of_a_file_is_asked_for_by_its_selector(tmp_path, manager, reader, detected):
    plate = make_plate(wells=("A01",), channels=("DAPI",), **BARE)
    paged = attrs.evolve(plate, planes=attrs.evolve(plate.planes, selector=plate.planes.selector + 5))
    plugin = reader()
    inventory(tmp_path, detected(paged), Readers(manager(plugin).readers))
    assert plugin.opened == [("A01_s1_w1_z1_t1.tif", 5)]


def test_a_reader_that_is_not_installed_is_named(tmp_path, manager, detected):
    with pytest.raises(UnknownNameError, match="no reader is called 'made_up'"):
        inventory(tmp_path, detected(make_plate(**BARE)), Readers(manager().readers))


@pytest.fixture
def positions(tmp_path, manager, reader, detected):
    """Return a function that reads positions, and gives them with the files that were opened."""

    def run(plate, facts, wells=("A01",), broken=()):
        plugin = reader(broken)
        rooted = attrs.evolve(plate, root=tmp_path)
        found = with_positions(rooted, detected(rooted, facts), Readers(manager(plugin).readers), wells)
        return found.positions, [name for name, _ in plugin.opened]

    return run


def name_of(site, well="A01"):
    return f"{well}_s{site}_w1_z1_t1.tif"


def test_positions_from_offsets_are_as_the_header_says(positions):
    plate = make_plate(sites=(1, 2))
    facts = {
        name_of(1): {"position": SitePosition(y_um=-10, x_um=5), "stage_yx_um": (70000.0, 80000.0)},
        name_of(2): {"position": SitePosition(y_um=-10, x_um=15)},
    }
    found, names = positions(plate, facts)
    assert found == {("A01", 1): SitePosition(y_um=-10, x_um=5), ("A01", 2): SitePosition(y_um=-10, x_um=15)}
    assert names == [name_of(1), name_of(2)]


def test_positions_from_the_stage_are_from_the_middle_of_the_wells_fields(positions):
    plate = make_plate(sites=(1, 2, 3))
    facts = {
        name_of(1): {"stage_yx_um": (9000.0, 18000.0)},
        name_of(2): {"stage_yx_um": (9000.0, 18400.0)},
        name_of(3): {"stage_yx_um": (9300.0, 18400.0)},
    }
    found, _ = positions(plate, facts)
    assert found == {
        ("A01", 1): SitePosition(y_um=-150, x_um=-200),
        ("A01", 2): SitePosition(y_um=-150, x_um=200),
        ("A01", 3): SitePosition(y_um=150, x_um=200),
    }


def test_two_wells_have_each_their_own_middle(positions):
    facts = {name_of(1): {"stage_yx_um": (1.0, 2.0)}, name_of(1, "A02"): {"stage_yx_um": (1.0, 9002.0)}}
    found, _ = positions(make_plate(), facts, ("A01", "A02"))
    assert set(found) == {("A01", 1), ("A02", 1)}
    assert set(found.values()) == {SitePosition(y_um=0, x_um=0)}


def test_unknown_and_unreadable_positions_stay_unknown(positions):
    plate = make_plate(sites=(1, 2, 3))
    facts = {name_of(3): {"position": SitePosition(y_um=1, x_um=2)}}
    found, _ = positions(plate, facts, broken={name_of(1)})
    assert found == {("A01", 3): SitePosition(y_um=1, x_um=2)}


def test_positions_that_are_known_are_not_read_again(positions):
    known = {("A01", 1): SitePosition(y_um=3, x_um=4)}
    found, names = positions(make_plate(sites=(1, 2), positions=known), {})
    assert found == known
    assert names == [name_of(2)]


def test_only_the_wells_that_were_asked_for_are_opened(positions):
    _, names = positions(make_plate(), {}, ("A02",))
    assert names == [name_of(1, "A02")]


def test_a_site_whose_first_plane_is_absent_is_read_from_the_next(positions):
    plate = make_plate(states={("A01", 1, 1, 1, 1): PlaneState.MISSING})
    _, names = positions(plate, {})
    assert names == ["A01_s1_w2_z1_t1.tif"]


def test_a_site_whose_first_file_is_broken_is_read_from_the_next(positions):
    where = SitePosition(y_um=1, x_um=2)
    facts = {"A01_s1_w2_z1_t1.tif": {"position": where}}
    assert positions(make_plate(), facts, broken={name_of(1)})[0] == {("A01", 1): where}


def test_the_plate_that_was_given_is_as_it_was(positions):
    plate = make_plate()
    positions(plate, {name_of(1): {"position": SitePosition(y_um=1, x_um=2)}})
    assert plate.positions == {}


def test_a_header_of_another_shape_is_a_difference_not_an_error(opened):
    plate = make_plate(wells=("A01",), **BARE)
    odd = Header(shape=(10, 10), dtype="uint16", text="A01_s1_w2_z1_t1.tif")
    found, _ = opened(plate, headers={odd.text: odd})
    assert found.image_shape == (64, 48)
    assert found.differences == (
        "channel 2 (GFP): its images are (10, 10) uint16, others (64, 48) uint16 (A01_s1_w2_z1_t1.tif)",
    )
