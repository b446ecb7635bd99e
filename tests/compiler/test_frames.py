"""Operations that change the frame: shape, pixel size and origin follow; images that are given are checked."""

import numpy as np
import pytest

from hcs_core import Frame, PipelineError, Step, step_function
from hcs_core.pipeline.step import given_image


@step_function(frame=Frame(bin="factor"))
def thin(image, *, factor: int = 2):
    return image


@step_function(frame=Frame(crop=("y", "x", "height", "width")))
def cut(image, *, y: int = 0, x: int = 0, height: int | None = None, width: int | None = None):
    return image


@step_function()
def divide(image, *, profile: np.ndarray):
    return image


def test_a_bin_makes_pixels_larger_and_moves_the_first_centre(draft):
    image = draft(Step(thin, factor=2)).outputs[0].image
    assert (image.shape, image.scale, image.pixel_size_um, image.origin) == ((32, 24), 2, 1.0, (0.5, 0.5))
    # The field's centre lies at 31.5 and 23.5 pixels of 0.5 um from the plate's first pixel.
    assert image.first_pixel((0.0, 0.0)) == ((0.5 - 31.5) * 0.5, (0.5 - 23.5) * 0.5)


def test_frames_add_up(draft):
    image = draft(Step(cut, y=4, x=8, height=40), Step(thin, factor=2), Step(cut, y=3)).outputs[0].image
    assert image.shape == (17, 20)
    # Four rows are cut, two become one with its centre half a pixel further, and three of those are cut.
    assert image.origin == (4 + 0.5 + 3 * 2, 8 + 0.5)
    assert (image.scale, image.pixel_size_um, image.field_shape) == (2, 1.0, (64, 48))
    assert draft(Step(cut, y=4, x=8, height=40), Step(thin, factor=2)).outputs[0].layout.image.shape[3:] == (20, 20)


def test_an_unknown_pixel_size_stays_unknown(draft):
    image = draft(Step(thin), pixel_size_um=None).outputs[0].image
    assert (image.pixel_size_um, image.first_pixel((1.0, 1.0)), image.origin) == (None, None, (0.5, 0.5))


@pytest.mark.parametrize(
    ("step", "words"),
    [
        (Step(thin, factor=65), "factor=65 leaves nothing of 64 x 48 pixels"),
        (Step(cut, y=60, height=5), "y=60, x=0, height=5, width=None does not lie within 64 x 48 pixels"),
        (Step(thin, factor="x"), "expected a whole number, found 'x'"),
    ],
)
def test_a_frame_that_cannot_be_is_one_problem(draft, step, words):
    (problem,) = draft(step).problems
    assert words in problem.message


def test_channels_of_another_size_get_a_store_that_says_so(draft):
    outputs = draft(Step({"GFP": thin})).outputs
    assert [output.store for output in outputs] == ["images.zarr", "images_32x24_1um_y0.5_x0.5.zarr"]


def test_an_image_is_given_as_an_array(draft):
    flat = np.ones((64, 48), np.float32)
    (node,) = draft(Step(divide, profile=flat)).nodes
    ((name, value),) = node.parameters
    assert name == "profile"
    np.testing.assert_array_equal(value.pixels, flat)
    flat[0, 0] = 2
    assert value.pixels[0, 0] == 1


def test_another_image_is_another_plan(draft):
    one, same, other = (np.full((4, 4), value, np.float32) for value in (1, 1, 2))
    keys = [draft(Step(divide, profile=image)).content_key for image in (one, same, other)]
    assert keys[0] == keys[1] != keys[2]


def test_a_file_that_was_not_read_is_a_problem_of_its_parameter(draft):
    (problem,) = draft(Step(divide, profile="flat.tif")).problems
    assert (problem.function, problem.parameter) == ("divide", "profile")
    assert "flat.tif was not read" in problem.message


@pytest.mark.parametrize("wrong", [np.zeros((2, 3, 4)), np.zeros((0, 3)), np.zeros((2, 2), complex)])
def test_what_is_no_image_is_refused(wrong):
    with pytest.raises(PipelineError, match="rows and columns of numbers"):
        given_image(wrong)


def test_a_profile_that_is_not_like_the_planes_is_refused(draft):
    flat = np.ones((64, 48), np.float32)
    assert draft(Step("flat_field", profile=flat)).problems == ()
    (problem,) = draft(Step(cut, y=4), Step("flat_field", profile=flat)).problems
    assert (problem.step, problem.function, problem.parameter) == ("flat_field", "flat_field", "profile")
    assert problem.message == "it is 64 x 48, and the planes are 60 x 48."
