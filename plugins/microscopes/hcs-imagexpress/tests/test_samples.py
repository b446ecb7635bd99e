"""Real plates, against what stands in their folders and against another project's reader."""

import numpy as np
import pytest
import tifffile

from hcs_core import Channel, PlaneKind, SitePosition
from hcs_imagexpress.handler import ImageXpressHandler

HANDLER = ImageXpressHandler()


def test_one_image(samples, fingerprint):
    root = samples / "9987_Plate_3420"
    before = fingerprint(root)
    assert HANDLER.recognise(root) == "it holds 9987.HTD and TimePoint_1"
    plate = HANDLER.build_inventory(root)
    assert fingerprint(root) == before
    assert plate.name == "9987_Plate_3420"
    assert plate.plate_format == (8, 12)
    assert plate.channels == (Channel(number=1, name="DAPI"),)
    assert plate.site_grid == {1: (0, 0)}
    (plane,) = plate.planes
    assert (plane.well, plane.site, plane.channel, plane.z_index, plane.timepoint) == ("B02", 1, 1, 1, 1)
    assert plane.kind == PlaneKind.ACQUIRED
    assert plane.uri == "TimePoint_1/9987_B02.TIF"
    assert plate.differences == ()


def test_stacks_with_projections(samples, fingerprint):
    root = samples / "9987_Plate_3434"
    before = fingerprint(root)
    plate = HANDLER.build_inventory(root)
    assert fingerprint(root) == before
    assert plate.wells == ("B02", "B03")
    assert [channel.name for channel in plate.channels] == ["DAPI", "FITC", "Texas Red"]
    assert plate.site_grid == {1: (0, 0), 2: (0, 1)}
    assert plate.z_indexes == (1, 2)
    assert sorted(plane.uri for plane in plate.planes) == sorted(
        path.relative_to(root).as_posix() for path in root.rglob("*.TIF")
    )
    assert int(np.count_nonzero(plate.planes.kind == PlaneKind.PROJECTION)) == 12
    # The plan: 4 channels and 3 z-steps; the folder: 3 and 2.
    assert plate.differences == (
        "9987.HTD declares the channel 4, and no file has it.",
        "9987.HTD declares the z-step 3, and no file has it.",
    )


@pytest.mark.parametrize("name", ["9987_Plate_3420", "9987_Plate_3434"])
def test_every_path_is_parsed_and_constructed_again(samples, name):
    paths = [path.relative_to(samples / name).as_posix() for path in (samples / name).rglob("*.TIF")]
    assert paths
    for path in paths:
        parsed = HANDLER.parser.parse_filename(path)
        assert parsed is not None
        assert HANDLER.parser.construct_filename(parsed) == path


def test_a_copy_of_the_database(samples, fingerprint):
    root = samples / "SingleChannel"
    before = fingerprint(root)
    for folder in (root, root / "2023-02-21", root / "2023-02-21" / "1334"):
        assert HANDLER.recognise(folder) == "its images have names of the MetaXpress database (a GUID in each)"
        plate = HANDLER.build_inventory(folder)
        assert plate.name == "SingleChannel"
        assert plate.wells == ("E07", "E08")
        assert plate.z_indexes == (1, 2)
        assert plate.differences == ()
        files = {path.relative_to(folder).as_posix() for path in folder.rglob("*.tif") if "_thumb" not in path.name}
        assert {plane.uri for plane in plate.planes} == files
        assert len(files) == plate.state_counts()["present"] == 12
    assert fingerprint(root) == before


E07_1 = {"offset": (0.04, -349.92), "stage": (41385.4, 79813.4), "z": {0: 9343.19, 1: 9318.24, 2: 9323.18}}
E07_2 = {"offset": (0.02, 349.92), "stage": (41385.4, 80513.3), "z": {0: 9343.5, 1: 9318.34, 2: 9323.32}}
E08_1 = {"offset": (0.02, -349.94), "stage": (41385.4, 88813.4), "z": {0: 9341.05, 1: 9315.92, 2: 9320.86}}
E08_2 = {"offset": (-7.27596e-12, 349.86), "stage": (41385.4, 89513.2), "z": {0: 9340.88, 1: 9315.74, 2: 9320.7}}
BY_HAND = {("E07", 1): E07_1, ("E07", 2): E07_2, ("E08", 1): E08_1, ("E08", 2): E08_2}
"""What stands in the files, read with tifffile and copied by hand: (y, x) and z in um, by z_index."""


def test_every_field_of_a_copy_of_the_database(samples):
    root = samples / "SingleChannel"
    seen = set()
    for plane in HANDLER.build_inventory(root).planes:
        with tifffile.TiffFile(root / plane.uri) as tiff:
            page = tiff.pages.first
            assert (page.shape, page.dtype) == ((512, 512), np.uint16)
            facts = HANDLER.parse_header(page.description)
        by_hand = BY_HAND[plane.well, plane.site]
        assert facts.position == SitePosition(y_um=by_hand["offset"][0], x_um=by_hand["offset"][1])
        assert facts.stage_yx_um == by_hand["stage"]
        assert facts.z_um == by_hand["z"][plane.z_index]
        assert (facts.pixel_size_um, facts.channel_name, facts.wavelength_nm) == (1.3668, "FITC_05", 536.0)
        assert (facts.well, facts.site, facts.timepoint) == (plane.well, plane.site, None)
        # The header of a projection has no z-step.
        assert facts.z_index == (plane.z_index or None)
        assert facts.is_projection == (plane.kind == PlaneKind.PROJECTION) == (plane.z_index == 0)
        seen.add((plane.well, plane.site, plane.channel, plane.z_index, plane.timepoint))
    assert seen == {(well, site, 1, z_index, 1) for well, site in BY_HAND for z_index in (0, 1, 2)}


def test_names_of_the_database(samples):
    names = [path.name for path in (samples / "SingleChannel").rglob("*.tif")]
    parsed = {name: HANDLER.parser.parse_filename(name) for name in names}
    assert {name for name in names if parsed[name] is None} == {name for name in names if "_thumb" in name}
    places = sorted((item.plate, item.well, item.site) for item in parsed.values() if item is not None)
    # Two z-steps and a projection of each of two wells' two sites.
    assert places == sorted(("Projection-Mix", w, s) for w in ("E07", "E08") for s in (1, 2) for _ in range(3))
