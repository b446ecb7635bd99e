"""The real samples through the command line: every pixel and every fact is compared with the files themselves."""

from __future__ import annotations

import numpy as np
import tifffile
import yaozarrs


def test_a_plate_of_one_image_is_converted_bit_for_bit(
    samples, hcs, write_pipeline, tmp_path, read_image, read_attributes
):
    plate = samples / "9987_Plate_3420"
    ran = hcs("run", plate, write_pipeline(), "-o", tmp_path / "out")
    assert ran.code == 0, ran.err
    store = tmp_path / "out" / "images.zarr"
    yaozarrs.validate_zarr_store(str(store))
    original = tifffile.imread(plate / "TimePoint_1" / "9987_B02.TIF")
    pixels = read_image(store, "B02", 1)
    assert pixels.shape == (1, 1, 1, *original.shape)
    assert pixels.dtype == original.dtype
    np.testing.assert_array_equal(pixels[0, 0, 0], original)
    assert [well["path"] for well in read_attributes(store)["plate"]["wells"]] == ["B/02"]


def test_every_slice_of_a_real_plate_is_converted_bit_for_bit(samples, hcs, write_pipeline, tmp_path, read_image):
    plate = samples / "9987_Plate_3434"
    assert hcs("run", plate, write_pipeline(), "-o", tmp_path / "out").code == 0
    store = tmp_path / "out" / "images.zarr"
    yaozarrs.validate_zarr_store(str(store))
    compared = 0
    for well in ("B02", "B03"):
        for site in (1, 2):
            pixels = read_image(store, well, site)
            for channel in (1, 2, 3):
                for z_index in (1, 2):
                    file = plate / "TimePoint_1" / f"ZStep_{z_index}" / f"9987_{well}_s{site}_w{channel}.TIF"
                    np.testing.assert_array_equal(pixels[0, channel - 1, z_index - 1], tifffile.imread(file))
                    compared += 1
    assert compared == 24


def test_the_microscope_s_own_projections_come_when_asked_for(samples, hcs, write_pipeline, tmp_path, read_image):
    plate = samples / "9987_Plate_3434"
    assert hcs("run", plate, write_pipeline(), "-o", tmp_path / "out", "--z", "0").code == 0
    pixels = read_image(tmp_path / "out" / "images.zarr", "B03", 2)
    original = tifffile.imread(plate / "TimePoint_1" / "ZStep_0" / "9987_B03_s2_w1.TIF")
    np.testing.assert_array_equal(pixels[0, 0, 0], original)


def test_scale_and_translation_are_what_the_headers_say(samples, hcs, write_pipeline, tmp_path, read_attributes):
    plate = samples / "9987_Plate_3434"
    assert hcs("run", plate, write_pipeline(), "-o", tmp_path / "out").code == 0
    store = tmp_path / "out" / "images.zarr"
    with tifffile.TiffFile(plate / "TimePoint_1" / "ZStep_1" / "9987_B02_s2_w1.TIF") as file:
        text = file.pages[0].description

    def fact(name):
        return float(text.split(f'id="{name}"')[1].split('value="')[1].split('"')[0])

    pixel = fact("spatial-calibration-x")
    corner = [fact(f"OffsetFromWellCenterUm{axis}") - 255 / 2 * pixel for axis in "YX"]
    multiscale = read_attributes(store, "B/02/1")["multiscales"][0]
    scale, translation = multiscale["datasets"][0]["coordinateTransformations"]
    assert scale["scale"][-2:] == [pixel, pixel]
    np.testing.assert_allclose(translation["translation"][-2:], corner, atol=1e-6)
    assert [axis["name"] for axis in multiscale["axes"]] == ["t", "c", "z", "y", "x"]
    assert {axis["name"]: axis.get("unit") for axis in multiscale["axes"]}["z"] == "micrometer"


def test_the_overlap_of_two_fields_shows_that_positions_and_pixels_agree(
    samples, hcs, write_pipeline, tmp_path, read_image, read_attributes
):
    """The right edge of site 1 is the left edge of site 2, at the distance that the translations say."""
    assert hcs("run", samples / "9987_Plate_3434", write_pipeline(), "-o", tmp_path / "out").code == 0
    store = tmp_path / "out" / "images.zarr"
    left, right = (read_image(store, "B03", site)[0, 0].max(axis=0).astype(float) for site in (1, 2))

    def corner(site):
        dataset = read_attributes(store, f"B/03/{site - 1}")["multiscales"][0]["datasets"][0]
        scale, translation = (item[item["type"]] for item in dataset["coordinateTransformations"])
        return np.array(translation[-2:]) / np.array(scale[-2:])

    rows, columns = corner(2) - corner(1)
    assert abs(rows) < 1
    nominal = 256 - columns

    def correlation(shared):
        return np.corrcoef(left[:, 256 - shared :].ravel(), right[:, :shared].ravel())[0, 1]

    best = max(range(10, 60), key=correlation)
    assert correlation(best) > 0.9
    assert abs(best - nominal) <= 4, (best, nominal)


def test_inspect_tells_in_json_what_the_files_hold(samples, hcs):
    ran = hcs("inspect", samples / "9987_Plate_3434", "--json")
    assert ran.code == 0
    found = ran.document
    assert found["plate"] == "9987_Plate_3434"
    assert found["microscope"] == "imagexpress"
    assert found["wells"] == ["B02", "B03"]
    assert found["sites_per_well"] == {"B02": 2, "B03": 2}
    assert found["channels"] == [
        # The exporter filled the stacks of all three: ZStep_0, ZStep_1 and ZStep_2 hold w1, w2 and w3.
        {"channel": 1, "name": "DAPI", "z_indexes": [1, 2], "projections": True},
        {"channel": 2, "name": "FITC", "z_indexes": [1, 2], "projections": True},
        {"channel": 3, "name": "Texas Red", "z_indexes": [1, 2], "projections": True},
    ]
    assert found["z_indexes"] == [1, 2]
    assert found["timepoints"] == [1]
    assert found["image_shape"] == [256, 256]
    assert found["dtype"] == "uint16"
    assert found["planes"]["present"] == 36
    assert set(found["planes"]) == {"present", "missing", "not_recorded", "not_acquired", "unreadable", "duplicate"}
    assert any("channel 4" in text for text in found["differences"])
    assert any("copies of one plane" in text for text in found["differences"])


def test_inspect_tells_people_the_same(samples, hcs):
    text = hcs("inspect", samples / "9987_Plate_3434").out
    for word in ("imagexpress (it holds", "B02, B03", "1 x 2: 1 2", "DAPI", "1.3672 um", "16 bit", "36 present"):
        assert word in text
    assert hcs("inspect", samples / "9987_Plate_3420").code == 0


def test_the_originals_are_left_as_they_were(samples, hcs, write_pipeline, tmp_path, digest_of):
    plate = samples / "9987_Plate_3434"
    before = digest_of(plate)
    hcs("inspect", plate)
    assert hcs("run", plate, write_pipeline("  - max_projection\n"), "-o", tmp_path / "out").code == 0
    assert digest_of(plate) == before


def test_the_stack_of_a_database_copy_is_converted_bit_for_bit(
    samples, hcs, write_pipeline, tmp_path, read_image, read_attributes
):
    plate = samples / "SingleChannel"
    ran = hcs("run", plate, write_pipeline(), "-o", tmp_path / "out")
    assert ran.code == 0, ran.err
    store = tmp_path / "out" / "images.zarr"
    yaozarrs.validate_zarr_store(str(store))
    for well in ("E07", "E08"):
        for site in (1, 2):
            pixels = read_image(store, well, site)
            assert pixels.shape == (1, 1, 2, 512, 512)
            for z_index in (1, 2):
                np.testing.assert_array_equal(pixels[0, 0, z_index - 1], database_image(plate, well, site, z_index))
    # What the headers say: pixels of 1.3668 um, z-steps at 9318.24 and 9323.18 um.
    multiscale = read_attributes(store, "E/07/1")["multiscales"][0]
    scale, translation = multiscale["datasets"][0]["coordinateTransformations"]
    np.testing.assert_allclose(scale["scale"][-3:], [9323.18 - 9318.24, 1.3668, 1.3668], atol=1e-9)
    corner = [0.02 - 511 / 2 * 1.3668, 349.92 - 511 / 2 * 1.3668]
    np.testing.assert_allclose(translation["translation"][-2:], corner, atol=1e-6)


def database_image(plate, well, site, z_index):
    """The one image of a plane in the folder of its z-step, or beside these folders if it is a projection."""
    folder = plate / "2023-02-21" / "1334"
    if z_index:
        folder /= f"ZStep_{z_index}"
    (file,) = (path for path in folder.glob(f"*_{well}_s{site}*.tif") if "_thumb" not in path.name)
    return tifffile.imread(file)


def test_the_projections_of_a_database_copy_come_when_asked_for(samples, hcs, write_pipeline, tmp_path, read_image):
    plate = samples / "SingleChannel"
    # The folder of the acquisition is a plate too.
    acquisition = plate / "2023-02-21" / "1334"
    assert hcs("run", acquisition, write_pipeline(), "-o", tmp_path / "out", "--z", "0").code == 0
    for well in ("E07", "E08"):
        for site in (1, 2):
            pixels = read_image(tmp_path / "out" / "images.zarr", well, site)
            assert pixels.shape == (1, 1, 1, 512, 512)
            np.testing.assert_array_equal(pixels[0, 0, 0], database_image(plate, well, site, 0))


def test_inspect_tells_what_a_database_copy_holds(samples, hcs, digest_of):
    plate = samples / "SingleChannel"
    before = digest_of(plate)
    found = hcs("inspect", plate, "--json").document
    assert digest_of(plate) == before
    assert found["detected_by"] == "its images have names of the MetaXpress database (a GUID in each)"
    assert found["wells"] == ["E07", "E08"]
    assert found["sites_per_well"] == {"E07": 2, "E08": 2}
    assert found["channels"] == [{"channel": 1, "name": "FITC_05", "z_indexes": [1, 2], "projections": True}]
    assert (found["z_indexes"], found["projections"], found["planes"]["present"]) == ([1, 2], 4, 12)
    assert (found["pixel_size_um"], found["image_shape"], found["dtype"]) == (1.3668, [512, 512], "uint16")
    assert found["differences"] == []
