"""Plates of made-up pixels, as pictures, drawn."""

import numpy as np
import pytest

from hcs_core import Thumbnail, plate_picture
from hcs_core.testing.plates import make_plate


def thumbnails_of(plate, pixels, block=1):
    """Return a thumbnail of each well and channel: `pixels(well, channel)`, or none where that is none."""
    images = {}
    for well in plate.wells:
        for channel in plate.channels:
            image = pixels(well, channel.number)
            if image is not None:
                shape = tuple(length * block for length in image.shape)
                images[well, channel.number] = Thumbnail(
                    site=1, z_index=1, timepoint=1, shape=shape, block=block, pixels=image
                )
    return images


def noise(well, channel, shape=(40, 30)):
    """Return pixels of one well and channel, the same whenever they are asked for."""
    seed = [*well.encode(), channel]
    return np.random.default_rng(seed).integers(100, 3_000, shape).astype(np.uint16)


@pytest.fixture
def picture_of():
    """Return a maker of pictures of made-up plates; the pixels are noise unless a function is given."""

    def make(*, pixels=noise, block=1, **facts):
        plate = make_plate(**facts)
        return plate_picture(plate, thumbnails_of(plate, pixels, block))

    return make
