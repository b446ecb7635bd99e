"""Another project's reader of ImageXpress plates sees in them what this one sees."""

import numpy as np
import pytest

from hcs_core import Channel
from hcs_imagexpress.handler import ImageXpressHandler
from hcs_imagexpress.layout_writer import MetaXpressLayoutWriter

openreadout = pytest.importorskip(
    "openreadout", reason="openreadout is not installed: pip install openreadout==0.4.0"
)


def compare(found, info):
    """Compare wells, sites, channels and shape of the plate."""
    assert (info["plate"]["rows"], info["plate"]["columns"]) == found.plate_format
    assert tuple(item["well"] for item in info["plate"]["wells"]) == found.wells
    images = {(item["extra"]["well"], item["extra"]["field"]): item for item in info["images"]}
    assert set(images) == {(well, site) for well in found.wells for site in found.sites(well)}
    for item in images.values():
        names = [channel["name"] for channel in item["channels"]]
        assert names[: len(found.channels)] == [channel.name for channel in found.channels]
    return images


@pytest.mark.parametrize("name", ["9987_Plate_3420", "9987_Plate_3434"])
def test_real_plates(samples, name):
    root = samples / name
    found = ImageXpressHandler().build_inventory(root)
    info = openreadout.info(str(root))
    compare(found, info)
    # It counts what the plan has and the folder has not: channel 4 and z-step 3 of the second plate.
    expected = info["plane_count"] - info["plate"]["planes_missing"] - info["plate"]["planes_absent"]
    assert found.state_counts()["present"] == expected


def test_a_written_plate(tmp_path, describe, image):
    channels = (Channel(number=1, name="DAPI", wavelength_nm=452.0), Channel(number=2, name="Cy5"))
    plate = describe(name="P", channels=channels)
    root = MetaXpressLayoutWriter().write(tmp_path, plate, image)
    found = ImageXpressHandler().build_inventory(root)
    with openreadout.open(str(root)) as reader:
        assert reader.check()["ok"]
        assert reader.check()["findings"] == []
        images = compare(found, reader.info)
        for item in images.values():
            assert (item["size_y"], item["size_x"]) == plate.image_shape
            assert (item["size_z"], item["size_t"]) == (3, 2)
            assert item["physical_size"]["x"] == pytest.approx(plate.pixel_size_um)
        for plane in found.planes:
            index = images[plane.well, plane.site]["index"]
            pixels = reader.read_plane(index, plane.channel - 1, plane.z_index - 1, plane.timepoint - 1)
            place = (plane.well, plane.site, plane.channel, plane.z_index, plane.timepoint)
            np.testing.assert_array_equal(pixels, image(*place))
