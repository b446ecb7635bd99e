"""The picture of an estimate: what is drawn where, and that it is there whole or not at all."""

import numpy as np
import pytest
from PIL import Image

from hcs_core import EstimatePicture
from hcs_report.estimate_picture import SIDE, draw, limits_text, write

LIGHT = np.linspace(0.8, 1.2, 60 * 90, dtype=np.float32).reshape(60, 90)


def picture(profile=LIGHT, side=1):
    before = (1000 * LIGHT).astype(np.uint16).repeat(side, 0).repeat(side, 1)
    after = np.full_like(before, 1000)
    return EstimatePicture(
        title="flat_field: profile of DAPI",
        caption="plate, from 216 planes",
        plane="B02 site 3 z 1 t 1",
        before=before,
        after=after,
        profile=profile,
    )


def test_a_plane_before_and_after_and_the_profile_lie_side_by_side():
    three, two = draw(picture()), draw(picture(profile=None))
    assert three.width > two.width
    assert three.height == two.height


def test_before_is_brighter_where_there_was_more_light():
    pixels = np.asarray(draw(picture()).convert("L"), np.float64)
    image = pixels[112:300, 30:380]
    assert image[-10:].mean() > image[:10].mean() + 100


@pytest.mark.parametrize("side", [1, 20])
def test_planes_of_any_size_fit(side):
    page = draw(picture(side=side))
    assert page.width <= 4 * SIDE
    assert page.height <= 2 * SIDE


def test_the_same_picture_gives_the_same_bytes(tmp_path):
    for name in ("one.png", "other.png"):
        write(picture(), tmp_path / name)
    assert (tmp_path / "one.png").read_bytes() == (tmp_path / "other.png").read_bytes()
    with Image.open(tmp_path / "one.png") as page:
        assert page.format == "PNG"
    assert len(list(tmp_path.iterdir())) == 2


def test_a_file_that_cannot_be_written_leaves_nothing(tmp_path):
    with pytest.raises(OSError, match="absent"):
        write(picture(), tmp_path / "absent" / "one.png")
    assert list(tmp_path.iterdir()) == []


def test_a_plane_without_a_finite_pixel_is_black():
    nothing = np.full((20, 20), np.nan, np.float32)
    page = draw(EstimatePicture(title="", caption="", plane="", before=nothing, after=nothing))
    assert np.asarray(page.convert("L"))[130:300, 40:300].max() == 0


def test_the_values_of_black_and_white_are_said():
    assert limits_text((0.77271, 1234.5)) == "black 0.7727, white 1234"
