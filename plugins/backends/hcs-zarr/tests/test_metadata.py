"""The metadata of plates, wells and images, against what a person would write by hand."""

import json

import pytest

from hcs_core import FinishedWell, WellSummary
from hcs_zarr.backend import ZarrBackend


@pytest.fixture
def ome(disk):
    """Reads the OME metadata of a group."""
    return disk.ome


@pytest.fixture
def of_group(disk):
    """What 0.5 says once in each group, and 0.4 does not."""
    return {"version": "0.5"} if disk.version == "0.5" else {}


def finish(folder, layout, *, wells=("B02",), sites=(1,), **finished):
    store = ZarrBackend().open(folder, layout)
    store.declare(dict.fromkeys(wells, sites))
    for well in wells:
        store.finish_well(FinishedWell(well=well, sites=sites, **finished))
    return store


def test_the_plate_lists_every_physical_row_and_column_and_the_finished_wells(
    tmp_path, make_layout, disk, ome, of_group
):
    layout = make_layout(plate_format=(2, 3), field_count=9)
    store = finish(tmp_path, layout, wells=("B02", "A03", "A01"), sites=(1, 2))
    assert ome(store.root) == {
        **of_group,
        "plate": {
            "name": "Plate 7",
            "version": disk.version,
            "rows": [{"name": "A"}, {"name": "B"}],
            "columns": [{"name": "01"}, {"name": "02"}, {"name": "03"}],
            "wells": [
                {"path": "A/01", "rowIndex": 0, "columnIndex": 0},
                {"path": "A/03", "rowIndex": 0, "columnIndex": 2},
                {"path": "B/02", "rowIndex": 1, "columnIndex": 1},
            ],
            "acquisitions": [{"id": 0, "name": "Plate 7", "maximumfieldcount": 9}],
            "field_count": 2,
        },
    }


def test_field_count_follows_the_wells_that_are_listed(tmp_path, make_layout, ome):
    store = ZarrBackend().open(tmp_path, make_layout(field_count=9))
    store.declare({"A01": (1,), "A02": (1, 2, 3), "A03": (1, 2)})
    counts = []
    for well, sites in (("A01", (1,)), ("A02", (1, 2, 3)), ("A03", (1, 2))):
        store.finish_well(FinishedWell(well=well, sites=sites))
        counts.append(ome(store.root)["plate"]["field_count"])
    store.discard_well("A02")
    assert [*counts, ome(store.root)["plate"]["field_count"]] == [1, 3, 3, 2]


def test_the_well_lists_its_images(tmp_path, make_layout, disk, ome, of_group):
    store = finish(tmp_path, make_layout(), sites=(3, 1))
    images = [{"path": "0", "acquisition": 0}, {"path": "2", "acquisition": 0}]
    assert ome(store.root / "B/02") == {
        **of_group,
        "well": {"images": images, "version": disk.version},
    }


def test_the_image_has_axes_with_units_and_levels_half_a_pixel_further_in(tmp_path, make_layout, ome):
    layout = make_layout(shape=(1, 2, 3, 40, 60), smallest=20, spacing=(0.5, 2.0, 30.0))
    store = finish(tmp_path, layout, sites=(1, 2), translations={1: (100.0, -200.0)})
    (multiscale,) = ome(store.root / "B/02/0")["multiscales"]
    assert multiscale["axes"] == [
        {"name": "t", "type": "time", "unit": "second"},
        {"name": "c", "type": "channel"},
        {"name": "z", "type": "space", "unit": "micrometer"},
        {"name": "y", "type": "space", "unit": "micrometer"},
        {"name": "x", "type": "space", "unit": "micrometer"},
    ]
    # Pixels of 1 um are centred 0.25 um further in than those of 0.5 um, pixels of 2 um 0.75 um.
    assert multiscale["datasets"] == [
        {
            "path": str(level),
            "coordinateTransformations": [
                {"type": "scale", "scale": [30.0, 1.0, 2.0, size, size]},
                {"type": "translation", "translation": [0.0, 0.0, 0.0, 100.0 + shift, -200.0 + shift]},
            ],
        }
        for level, (size, shift) in enumerate(((0.5, 0.0), (1.0, 0.25), (2.0, 0.75)))
    ]
    # Site 2 has no known position: it starts from 0, and says so at every level.
    (other,) = ome(store.root / "B/02/1")["multiscales"]
    assert other["datasets"][0]["coordinateTransformations"][1]["translation"] == [0.0] * 5
    assert multiscale["type"] == "mean"
    assert "half up" in multiscale["metadata"]["description"]


@pytest.mark.parametrize("translations", [{}, {1: (100.0, 200.0)}])
def test_unknown_spacing_is_a_scale_of_one_without_a_unit_or_a_position(tmp_path, make_layout, translations, ome):
    layout = make_layout(spacing=(None, None, None), smallest=50)
    store = finish(tmp_path, layout, translations=translations)
    (multiscale,) = ome(store.root / "B/02/0")["multiscales"]
    assert not any("unit" in axis for axis in multiscale["axes"])
    full, small = (dataset["coordinateTransformations"] for dataset in multiscale["datasets"])
    assert full == [{"type": "scale", "scale": [1.0] * 5}]
    assert small == [
        {"type": "scale", "scale": [1.0, 1.0, 1.0, 2.0, 2.0]},
        {"type": "translation", "translation": [0.0, 0.0, 0.0, 0.5, 0.5]},
    ]


def test_channels_have_name_colour_and_window(tmp_path, make_layout, ome):
    summary = WellSummary(windows=((10.0, 200.5), (0.0, 65535.0)))
    store = finish(tmp_path, make_layout(), summary=summary)
    first, second = ome(store.root / "B/02/0")["omero"]["channels"]
    assert first == {
        "label": "dye 0",
        "color": "00FF00",
        "active": True,
        "window": {"min": 0.0, "max": 65535.0, "start": 10.0, "end": 200.5},
    }
    assert second["label"] == "dye 1"


@pytest.mark.parametrize(
    ("dtype", "windows", "expected"),
    [
        ("uint8", ((255.0, 256.0), (1.0, 2.0)), {"min": 0.0, "max": 256.0, "start": 255.0, "end": 256.0}),
        ("float32", ((-3.5, 8.0), (1.0, 2.0)), {"min": -3.5, "max": 8.0, "start": -3.5, "end": 8.0}),
        ("uint8", (), {"min": 0.0, "max": 255.0, "start": 0.0, "end": 255.0}),
    ],
)
def test_a_window_lies_within_its_limits(tmp_path, make_layout, dtype, windows, expected, ome):
    store = finish(tmp_path, make_layout(dtype=dtype), summary=WellSummary(windows=windows))
    assert ome(store.root / "B/02/0")["omero"]["channels"][0]["window"] == expected


def test_image_metadata_can_be_left_out(tmp_path, make_layout, ome, of_group):
    store = finish(tmp_path, make_layout(image_metadata=False))
    image = ome(store.root / "B/02/0")
    assert set(image) == {"multiscales", *of_group}
    of_image = set() if of_group else {"version"}
    assert set(image["multiscales"][0]) == {"name", "axes", "datasets", *of_image}


def test_plate_metadata_can_be_left_out(tmp_path, make_layout, disk, ome):
    store = finish(tmp_path, make_layout(plate_metadata=False), wells=("B02", "A01"))
    for group in (".", "A", "B", "A/01", "B/02"):
        plain = {"zarr_format": 2}
        if disk.version == "0.5":
            plain = {"attributes": {}, "zarr_format": 3, "node_type": "group"}
        assert json.loads((store.root / group / disk.group).read_text()) == plain
    assert "multiscales" in ome(store.root / "B/02/0")
    assert store.finished_wells() == ("A01", "B02")


def test_wells_of_large_plates(tmp_path, make_layout, ome):
    store = finish(tmp_path, make_layout(plate_format=(32, 48)), wells=("AF48", "AA01", "Z10"))
    plate = ome(store.root)["plate"]
    assert [row["name"] for row in plate["rows"]][24:] == ["Y", "Z", "AA", "AB", "AC", "AD", "AE", "AF"]
    assert [well["path"] for well in plate["wells"]] == ["Z/10", "AA/01", "AF/48"]
    assert [well["rowIndex"] for well in plate["wells"]] == [25, 26, 31]
    assert store.finished_wells() == ("Z10", "AA01", "AF48")
