"""A function gets its image as one that it cannot change; what it gives back may be the image itself."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import tifffile

from hcs_core import GlobalPipelineConfig, Pipeline, PipelineOrchestrator, Step, step_function


@pytest.fixture(scope="module")
def plate(make_plate):
    return make_plate(wells=("A01", "B03"), grid=(1, 1), z_count=2, channels=("DAPI",))


def run(plate, output, *steps, **config):
    orchestrator = PipelineOrchestrator(
        plate, global_config=GlobalPipelineConfig(**{"num_workers": 1, **config}), output=output
    )
    return orchestrator.run([Pipeline("test", steps)])


def source(plate, well, z):
    return tifffile.imread(plate / "TimePoint_1" / f"ZStep_{z}" / f"plate_{well}.TIF")


@step_function()
def adds(image):
    image += 1
    return image


@step_function()
def sorts(image):
    image.sort()
    return image


@step_function()
def assigns(image):
    image[:, 0] = 0
    return image


@step_function()
def clips(image):
    return np.clip(image, 1, 2, out=image)


@step_function()
def blurs(image):
    return cv2.GaussianBlur(image, (3, 3), 1.0, dst=image)


@step_function(axes="zyx")
def levels(stack):
    stack -= stack.min()
    return stack


@step_function()
def changes_a_view(image):
    image[::2][0] = 1
    return image


@pytest.mark.parametrize("function", [adds, sorts, assigns, clips, blurs, levels, changes_a_view])
def test_changing_the_image_in_place_is_told_as_what_it_is(plate, tmp_path, function):
    result = run(plate, tmp_path / "out", Step(function, name="mine"))
    assert result.status == "failed"
    for well in ("A01", "B03"):
        fault = result.wells[well].fault
        assert (fault.step, fault.function) == ("mine", function.__name__)
        assert "it changes its input in place" in fault.error
        assert "image = image.copy()" in fault.error


@pytest.mark.parametrize("config", [{"use_threading": True, "num_workers": 2}, {"use_threading": False}])
def test_it_is_the_same_in_threads_and_processes(plate, tmp_path, config):
    result = run(plate, tmp_path / "out", Step(adds), **config)
    assert [("in place" in record.fault.error) for record in result.failed] == [True, True]


@step_function()
def divides_the_profile(image, *, profile: np.ndarray):
    profile /= 2
    return image


@pytest.mark.parametrize("config", [{}, {"use_threading": False}])
def test_an_image_that_is_a_parameter_cannot_be_changed_either(plate, tmp_path, config):
    """In a worker it is a copy that nobody but the next well would see."""
    result = run(plate, tmp_path / "out", Step(divides_the_profile, profile=np.ones((64, 96))), **config)
    assert result.status == "failed"
    assert "in place" in result.failed[0].fault.error


def test_an_error_about_a_read_only_file_stays_what_it_is(plate, tmp_path):
    @step_function(version="1")
    def writes(image):
        raise OSError(30, "Read-only file system", "the array's file")

    result = run(plate, tmp_path / "out", Step(writes))
    assert "it raised OSError" in result.failed[0].fault.error
    assert "in place" not in result.failed[0].fault.error


def test_a_function_may_give_back_its_image_or_a_view_and_keep_it(plate, tmp_path, read_image):
    kept = []

    @step_function(version="1")
    def keeps(image):
        kept.append(image)
        return image

    @step_function(version="1", axes="zyx")
    def turns(stack):
        return stack[:, ::-1]

    @step_function(version="1")
    def writes_into_a_copy(image):
        image = image.copy()
        image[0] = 7
        return image

    steps = Step(keeps, save=True), Step(turns, save=True), Step(writes_into_a_copy)
    result = run(plate, tmp_path / "out", *steps)
    assert result.status == "ok", [record.fault for record in result.failed]
    for well in ("A01", "B03"):
        for z in (1, 2):
            expected = source(plate, well, z)
            found = {
                name: read_image(result.output / f"{name}.zarr", well, 1)[0, 0, z - 1]
                for name in ("keeps", "turns", "images")
            }
            np.testing.assert_array_equal(found["keeps"], expected)
            np.testing.assert_array_equal(found["turns"], expected[::-1])
            np.testing.assert_array_equal(found["images"][1:], expected[::-1][1:])
            assert (found["images"][0] == 7).all()
    # Nothing that was made later shows in what it kept.
    sources = [source(plate, well, z) for well in ("A01", "B03") for z in (1, 2)]
    for image, expected in zip(kept, sources, strict=True):
        np.testing.assert_array_equal(image, expected)
