"""Real plates, against what stands in their folders and against another project's reader."""

import numpy as np
import pytest

from hcs_core import Channel, PlaneKind
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


def test_names_of_the_database(samples):
    names = [path.name for path in (samples / "SingleChannel").rglob("*.tif")]
    parsed = {name: HANDLER.parser.parse_filename(name) for name in names}
    assert {name for name in names if parsed[name] is None} == {name for name in names if "_thumb" in name}
    places = sorted((item.plate, item.well, item.site) for item in parsed.values() if item is not None)
    # Two z-steps and a projection of each of two wells' two sites.
    assert places == sorted(("Projection-Mix", w, s) for w in ("E07", "E08") for s in (1, 2) for _ in range(3))
    assert HANDLER.recognise(samples / "SingleChannel") is None
