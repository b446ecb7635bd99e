"""What headers say, put together: spacings, names, and where they contradict the folder."""

import pytest

from hcs_core import Channel, Header, PlaneFacts, PlateError
from hcs_core.plate.header_facts import Sample, contradictions, settle, unique_channels
from hcs_core.testing.plates import make_plate

UNKNOWN = {"image_shape": None, "dtype": None, "pixel_size_um": None}


def samples(plate, facts, header=None):
    """A sample of every plane, with what `facts` says of it."""
    made = header or (lambda _plane: Header(shape=(64, 48), dtype="uint16"))
    return [Sample(plane=plane, header=made(plane), facts=PlaneFacts(**facts(plane))) for plane in plate.planes]


def stack(z_um, channels=("DAPI",), **facts):
    """A plate of one site whose planes have these focus positions, and its samples."""
    plate = make_plate(wells=("A01",), channels=channels, z_indexes=sorted(z_um), **UNKNOWN)
    return plate, samples(plate, lambda plane: {"z_um": z_um[plane.z_index]} | facts)


@pytest.mark.parametrize(
    ("z_um", "spacing"),
    [
        ({1: 10.0, 2: 12.0, 3: 14.0}, 2.0),
        ({1: 14.0, 2: 12.0, 3: 10.0}, 2.0),
        ({1: 10.0, 3: 16.0, 4: 19.0}, 3.0),
        ({1: 0.0, 2: 1.0, 3: 2.1, 4: 3.0}, 1.0),
        ({1: 10.0, 2: 10.0, 3: 10.0}, None),
        ({1: 10.0}, None),
        ({1: None, 2: None}, None),
        ({1: 10.0, 2: None, 3: 14.0}, 2.0),
        ({0: 11.0, 1: 10.0, 2: 12.0}, 2.0),
    ],
)
def test_the_z_step_is_the_usual_distance_of_neighbours(z_um, spacing):
    assert settle(*stack(z_um)).z_step_um == (None if spacing is None else pytest.approx(spacing))


def test_an_offset_between_channels_is_no_step():
    plate = make_plate(wells=("A01",), z_indexes=(1, 2), **UNKNOWN)
    found = settle(plate, samples(plate, lambda plane: {"z_um": plane.channel * 100.0 + plane.z_index * 0.5}))
    assert found.z_step_um == 0.5


def test_the_time_step():
    plate = make_plate(wells=("A01",), timepoints=(1, 2, 4), z_indexes=(1, 2), **UNKNOWN)
    found = settle(plate, samples(plate, lambda plane: {"time_s": 1e9 + plane.timepoint * 600.0 + plane.z_index}))
    assert found.time_step_s == 600.0
    assert found.z_step_um is None


def test_what_the_inventory_says_stays():
    plate = make_plate(
        wells=("A01",),
        z_indexes=(1, 2),
        z_step_um=7.0,
        time_step_s=8.0,
        pixel_size_um=9.0,
        image_shape=(1, 2),
        dtype="uint8",
    )
    said = samples(plate, lambda plane: {"z_um": float(plane.z_index), "pixel_size_um": 0.3})
    found = settle(plate, said)
    assert (found.z_step_um, found.time_step_s, found.pixel_size_um) == (7.0, 8.0, 9.0)
    assert (found.image_shape, found.dtype) == ((1, 2), "uint8")


def test_what_the_headers_say_is_taken():
    plate = make_plate(wells=("A01",), channels=("", "mine"), **UNKNOWN)
    facts = {"channel_name": "Cy5", "wavelength_nm": 670.0, "pixel_size_um": 0.65}
    found = settle(plate, samples(plate, lambda _plane: facts))
    assert (found.image_shape, found.dtype, found.pixel_size_um) == ((64, 48), "uint16", 0.65)
    assert found.channels == (
        Channel(number=1, name="Cy5", wavelength_nm=670.0),
        Channel(number=2, name="mine", wavelength_nm=670.0),
    )


def test_channels_that_nothing_names_are_numbered():
    plate = make_plate(channels=("", "", "GFP"), **UNKNOWN)
    for said in ([], samples(plate, lambda _plane: {})):
        assert [channel.name for channel in settle(plate, said).channels] == ["channel1", "channel2", "GFP"]


@pytest.mark.parametrize(
    ("names", "unique"),
    [
        (("DAPI", "GFP"), ("DAPI", "GFP")),
        (("X", "X"), ("w1_X", "w2_X")),
        (("X", "GFP", "X"), ("w1_X", "GFP", "w3_X")),
        (("X", "X", "w1_X"), ("w1_w1_X", "w2_X", "w3_w1_X")),
        ((), ()),
    ],
)
def test_names_are_unique(names, unique):
    channels = tuple(Channel(number=number, name=name) for number, name in enumerate(names, 1))
    assert tuple(channel.name for channel in unique_channels(channels)) == unique
    assert len(set(unique)) == len(unique)


def test_two_channels_with_one_number_are_refused():
    with pytest.raises(PlateError, match=r"numbered \[1, 1\]"):
        unique_channels((Channel(number=1, name="X"), Channel(number=1, name="X")))


def contradicted(plate, facts, header=None):
    said = samples(plate, facts, header)
    return contradictions(settle(plate, said), said)


def test_headers_that_agree_contradict_nothing():
    plate = make_plate(sites=(1, 2), z_indexes=(1, 2), timepoints=(1, 2), channels=("DAPI",))
    assert not contradicted(
        plate,
        lambda plane: {
            "well": plane.well, "site": plane.site, "z_index": plane.z_index, "timepoint": plane.timepoint,
            "is_projection": False, "pixel_size_um": 0.5000000001, "plane_id": plane.uri,
        },
    )  # fmt: skip
    assert not contradicted(plate, lambda _plane: {})
    assert contradictions(plate, []) == ()


@pytest.mark.parametrize(
    ("facts", "sentence"),
    [
        ({"z_index": 7}, "channel 1 (DAPI): the header says z_index 7, the folder 1"),
        ({"timepoint": 3}, "channel 1 (DAPI): the header says timepoint 3, the folder 1"),
        ({"is_projection": True}, "channel 1 (DAPI): the header says projection, the folder z_index 1"),
        ({"well": "B05"}, "the header says well B05, the name A01"),
        ({"site": 9}, "the header says site 9, the name 1"),
        ({"pixel_size_um": 0.6}, "channel 1 (DAPI): its pixel size is 0.6 um, that of others 0.5 um"),
    ],
)
def test_each_contradiction_is_a_sentence_with_its_file(facts, sentence):
    plate = make_plate(wells=("A01",), channels=("DAPI",))
    assert contradicted(plate, lambda _plane: facts) == (f"{sentence} (A01_s1_w1_z1_t1.tif)",)


def test_a_slice_among_the_projections():
    plate = make_plate(wells=("A01",), channels=("DAPI",), z_indexes=(0,))
    slices = contradicted(plate, lambda _plane: {"is_projection": False, "z_index": 2})
    assert slices == ("channel 1 (DAPI): the header says z_index 2, the folder projection (A01_s1_w1_z0_t1.tif)",)
    assert not contradicted(plate, lambda _plane: {"is_projection": True, "z_index": None})
    assert not contradicted(plate, lambda _plane: {"is_projection": False})


@pytest.mark.parametrize(
    ("header", "words"), [({"shape": (32, 48)}, "(32, 48) uint16"), ({"dtype": "uint8"}, "(64, 48) uint8")]
)
def test_images_of_another_shape_or_dtype(header, words):
    plate = make_plate(wells=("A01",))
    plain = {"shape": (64, 48), "dtype": "uint16"}
    (sentence,) = contradicted(
        plate, lambda _plane: {}, lambda plane: Header(**(plain | (header if plane.channel == 2 else {})))
    )
    assert sentence == f"channel 2 (GFP): its images are {words}, others (64, 48) uint16 (A01_s1_w2_z1_t1.tif)"


def test_one_kind_is_said_once_a_channel_however_many_files_have_it():
    plate = make_plate(timepoints=(1,), sites=(1, 2, 3))
    sentences = contradicted(plate, lambda _plane: {"z_index": 2})
    assert [sentence.partition(":")[0] for sentence in sentences] == ["channel 1 (DAPI)", "channel 2 (GFP)"]


def test_copies_of_one_plane_are_said():
    plate = make_plate(wells=("A01",), channels=("DAPI", "GFP"), z_indexes=(1, 2, 3))
    (sentence,) = contradicted(
        plate, lambda plane: {"plane_id": "same" if plane.channel == 1 else f"{plane.z_index}"}
    )
    assert sentence.startswith("channel 1 (DAPI): 3 files are copies of one plane (A01_s1_w1_z1_t1.tif, ")
