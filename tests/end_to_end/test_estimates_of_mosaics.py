"""What is estimated of the plate after stitching: from the mosaics of all wells, whichever of them are run."""

from __future__ import annotations

import numpy as np
import pytest
import zarr

from hcs_core import GlobalPipelineConfig, ImageStitchingStep, Pipeline, PipelineOrchestrator, Step

WELLS = {"A01": "A/01", "B03": "B/03", "C02": "C/02"}


@pytest.fixture(scope="module")
def plate(make_plate):
    folder = make_plate(wells=tuple(WELLS), grid=(2, 2), z_count=1)
    # A well without its right half has a canvas of another size.
    for path in [*folder.rglob("*_B03_s2_*"), *folder.rglob("*_B03_s4_*")]:
        path.unlink()
    return folder


def run(plate, output, *steps, wells=None, workers=1):
    config = GlobalPipelineConfig(num_workers=workers)
    orchestrator = PipelineOrchestrator(plate, global_config=config, output=output)
    result = orchestrator.run([Pipeline("p", list(steps), missing="skip-site")], well_filter=wells)
    assert result.status == "ok", [record.fault for record in result.failed]
    return output


def mosaic(output, well):
    return zarr.open_array(output / "images.zarr" / WELLS[well] / "stitched" / "0", mode="r")[0, :, 0]


def stretched(pixels, low, high):
    """The definition of `percentile_normalize`, in float64."""
    return np.clip((pixels.astype(float) - low) / (high - low), 0, 1) * 65535


@pytest.mark.parametrize(("wells", "workers"), [(None, 1), (None, 2), (["B03"], 1)])
def test_limits_of_the_plate_are_those_of_all_its_mosaics(plate, tmp_path, wells, workers):
    plain = run(plate, tmp_path / "plain", ImageStitchingStep())
    step = Step("percentile_normalize", low=5.0, high=90.0, limits="plate")
    output = run(plate, tmp_path / "out", ImageStitchingStep(), step, wells=wells, workers=workers)
    shapes = {mosaic(plain, well).shape for well in WELLS}
    assert len(shapes) > 1, "the wells of this plate are to have canvases of different sizes"
    for channel in (0, 1):
        every = np.concatenate([mosaic(plain, well)[channel].ravel() for well in WELLS])
        low, high = np.percentile(every, [5.0, 90.0])
        for well in wells or WELLS:
            made = mosaic(output, well)[channel].astype(float)
            assert np.abs(made - stretched(mosaic(plain, well)[channel], low, high)).max() <= 1


def test_limits_of_a_well_are_those_of_its_mosaic(plate, tmp_path):
    plain = run(plate, tmp_path / "plain", ImageStitchingStep())
    step = Step("percentile_normalize", low=5.0, high=90.0, limits="well")
    output = run(plate, tmp_path / "out", ImageStitchingStep(), step)
    for well in WELLS:
        for channel in (0, 1):
            pixels = mosaic(plain, well)[channel]
            low, high = np.percentile(pixels, [5.0, 90.0])
            made = mosaic(output, well)[channel].astype(float)
            assert np.abs(made - stretched(pixels, low, high)).max() <= 1


def test_an_estimate_before_stitching_is_that_of_the_sites(plate, tmp_path):
    step = Step("percentile_normalize", limits="plate")
    apart = run(plate, tmp_path / "apart", step)
    together = run(plate, tmp_path / "together", step, ImageStitchingStep(), wells=["B03"])
    for site in "02":
        of_site = [
            zarr.open_array(output / "images.zarr" / "B/03" / site / "0", mode="r")[:] for output in (apart, together)
        ]
        np.testing.assert_array_equal(*of_site)


def test_a_store_of_sites_and_mosaics_is_one_output(plate, tmp_path):
    config = GlobalPipelineConfig(num_workers=1)
    orchestrator = PipelineOrchestrator(plate, global_config=config, output=tmp_path / "out")
    results = orchestrator.run([Pipeline("p", [ImageStitchingStep()], missing="skip-site")])
    for well in WELLS:
        assert results[well].outputs == (tmp_path / "out" / "images.zarr",)
