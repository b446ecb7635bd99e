"""The services of a plate, called alone: positions and mosaics of known truth, patterns, and what is refused."""

from __future__ import annotations

import csv
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import ClassVar

import numpy as np
import ome_types
import pytest
import tifffile

from hcs_core import (
    ParsedName,
    Pipeline,
    PipelineOrchestrator,
    PlateError,
    PluginManager,
    ReadError,
    RunError,
    Step,
    StitcherSpec,
    StorageError,
    TilePositions,
    UnknownNameError,
    hookimpl,
    open_plate,
)
from hcs_synthetic import SyntheticPlate, make_plate

TRUTH = SyntheticPlate(
    name="truth",
    wells=("A01", "B02"),
    grid=(2, 3),
    image_shape=(60, 80),
    channels=("DAPI", "GFP"),
    z_count=2,
    cells_per_field=6,
    shading=0.0,
    photon_noise=False,
    read_noise=False,
)
"""Without noise and uneven light, fields that overlap show the same pixels where they do."""


@pytest.fixture(scope="module")
def root(tmp_path_factory, installed):
    return make_plate(tmp_path_factory.mktemp("truth"), TRUTH, plugins=installed)


@pytest.fixture
def orchestrator(root, installed, tmp_path):
    made = PipelineOrchestrator(root, plugins=installed, output=tmp_path / "out")
    made.initialize()
    return made


def whole_well(well, channel, z_index):
    """The well as the fields show it, put together by the grid that the plate was made with."""
    down, right = TRUTH.step_px
    height, width = TRUTH.image_shape
    mosaic = np.zeros((down + height, 2 * right + width), np.uint16)
    for site, (row, column) in TRUTH.site_grid.items():
        place = np.s_[row * down : row * down + height, column * right : column * right + width]
        mosaic[place] = TRUTH.image(well, site, channel, z_index, 1)
    return mosaic


# --- Positions ----------------------------------------------------------------------------------------------------


def test_positions_are_those_of_the_stage(orchestrator, root, tmp_path):
    file, table = orchestrator.generate_positions(well="b2", input_dir=root, positions_dir=tmp_path / "positions")
    assert file == tmp_path / "positions" / "B02_positions.csv"
    down, right = TRUTH.step_px
    expected = [[row * down, column * right] for row, column in TRUTH.site_grid.values()]
    np.testing.assert_allclose(np.stack([table["y_px"], table["x_px"]], axis=1), expected, atol=1e-6)
    assert table["confidence"].tolist() == [0.0] * 6
    with file.open(newline="") as opened:
        rows = list(csv.DictReader(opened))
    assert [(row["Metadata_Plate"], row["Metadata_Well"], row["Metadata_Site"]) for row in rows] == [
        ("truth", "B02", str(site)) for site in range(1, 7)
    ]
    assert [float(row["x_px"]) for row in rows] == table["x_px"].tolist()
    assert [path.name for path in file.parent.iterdir()] == [file.name]


def test_fractions_of_a_pixel_are_kept(orchestrator, root, tmp_path):
    """Half the pixel size makes every distance twice as many pixels."""
    _, whole = orchestrator.generate_positions(well="A01", input_dir=root, positions_dir=tmp_path)
    _, halved = orchestrator.generate_positions(
        well="A01", input_dir=root, positions_dir=tmp_path, pixel_size_um=TRUTH.pixel_size_um * 1.6
    )
    np.testing.assert_allclose(halved["y_px"], whole["y_px"] / 1.6, atol=1e-9)


# --- Mosaics ------------------------------------------------------------------------------------------------------


def test_mosaics_show_the_whole_well(orchestrator, root, tmp_path, digest_of):
    before = digest_of(root)
    file, _ = orchestrator.generate_positions(well="A01", input_dir=root, positions_dir=tmp_path)
    made = orchestrator.stitch_images(
        well="A01", input_dir=root, output_dir=tmp_path / "mosaics", positions_file=file
    )
    assert [path.name for path in made] == [
        f"A01_stitched_w{channel}_z{z_index}_t1.tif" for channel in (1, 2) for z_index in (1, 2)
    ]
    for path in made:
        channel, z_index = int(path.name[14]), int(path.name[17])
        np.testing.assert_array_equal(tifffile.imread(path), whole_well("A01", channel, z_index))
    assert sorted((tmp_path / "mosaics").iterdir()) == sorted(made)
    assert digest_of(root) == before


def test_the_file_says_its_name_pixel_size_and_channel(orchestrator, root, tmp_path):
    file, _ = orchestrator.generate_positions(well="A01", input_dir=root, positions_dir=tmp_path)
    *_, last = orchestrator.stitch_images(well="A01", input_dir=root, output_dir=tmp_path, positions_file=file)
    with tifffile.TiffFile(last) as tiff:
        (image,) = ome_types.from_xml(tiff.ome_metadata).images
    pixels = image.pixels
    assert image.name == last.stem
    assert (pixels.physical_size_x, pixels.physical_size_y) == (TRUTH.pixel_size_um, TRUTH.pixel_size_um)
    assert pixels.channels[0].name == "GFP"


def test_the_workspace_gives_the_same(orchestrator, root, tmp_path):
    workspace = orchestrator.workspace_path
    assert workspace.is_relative_to(tmp_path / "out" / ".hcs" / "workspace")
    assert orchestrator.workspace_path == workspace
    files = {}
    for name, folder in {"plate": root, "workspace": workspace, "z2": workspace / "TimePoint_1" / "ZStep_2"}.items():
        positions, _ = orchestrator.generate_positions(well="A01", input_dir=folder, positions_dir=tmp_path / name)
        files[name] = orchestrator.stitch_images(
            well="A01", input_dir=folder, output_dir=tmp_path / name, positions_file=positions
        )
    assert [path.read_bytes() for path in files["plate"]] == [path.read_bytes() for path in files["workspace"]]
    assert [path.name for path in files["z2"]] == ["A01_stitched_w1_z2_t1.tif", "A01_stitched_w2_z2_t1.tif"]
    assert files["z2"][0].read_bytes() == files["plate"][1].read_bytes()


def test_without_links_the_workspace_gives_the_same(orchestrator, root, tmp_path, monkeypatch):
    def refuse(self, target, target_is_directory=False):
        raise OSError(1, "no links here")

    monkeypatch.setattr(Path, "symlink_to", refuse)
    workspace = orchestrator.workspace_path
    assert [path.name for path in workspace.iterdir()] == ["workspace.json"]
    handler = orchestrator.microscope_handler
    assert handler.auto_detect_patterns(workspace) == handler.auto_detect_patterns(root)
    file, _ = orchestrator.generate_positions(well="A01", input_dir=workspace, positions_dir=tmp_path)
    first, *_ = orchestrator.stitch_images(well="A01", input_dir=workspace, output_dir=tmp_path, positions_file=file)
    np.testing.assert_array_equal(tifffile.imread(first), whole_well("A01", 1, 1))
    # Another program's workspace of the kind is a folder like any other.
    moved = workspace.rename(tmp_path / "moved")
    assert handler.auto_detect_patterns(moved) == handler.auto_detect_patterns(root)


def processed(orchestrator, folder, well="B02", sites=range(1, 7), channel=2):
    """Write maximum projections under the names of the plate's grammar."""
    parser = orchestrator.microscope_handler.parser
    for site in sites:
        name = parser.construct_filename(ParsedName(plate="truth", well=well, site=site, channel=channel))
        stack = [TRUTH.image(well, site, channel, z_index, 1) for z_index in (1, 2)]
        folder.mkdir(exist_ok=True)
        tifffile.imwrite(folder / name, np.max(stack, axis=0))
    return folder


def test_a_folder_of_processed_images(orchestrator, tmp_path):
    folder = processed(orchestrator, tmp_path / "projected")
    (folder / "notes.txt").write_text("not an image")
    (folder / "B02_overview.TIF").write_bytes(b"no name of the plate's")
    patterns = orchestrator.microscope_handler.auto_detect_patterns(folder)
    assert patterns == {"B02": {"GFP": ("truth_B02_s{iii}_w2.TIF",)}}
    file, _ = orchestrator.generate_positions(well="B02", input_dir=folder, positions_dir=tmp_path)
    (made,) = orchestrator.stitch_images(well="B02", input_dir=folder, output_dir=folder, positions_file=file)
    expected = np.maximum(whole_well("B02", 2, 1), whole_well("B02", 2, 2))
    np.testing.assert_array_equal(tifffile.imread(made), expected)
    # The mosaic that lies there now is not taken for one of the plate's images.
    assert orchestrator.microscope_handler.auto_detect_patterns(folder) == patterns


def test_a_site_without_an_image_leaves_zeros_and_moves_nothing(orchestrator, root, tmp_path):
    folder = processed(orchestrator, tmp_path / "some", sites=(2, 3, 4, 5, 6), channel=1)
    file, _ = orchestrator.generate_positions(well="B02", input_dir=root, positions_dir=tmp_path)
    (made,) = orchestrator.stitch_images(well="B02", input_dir=folder, output_dir=tmp_path, positions_file=file)
    mosaic = tifffile.imread(made)
    expected = np.maximum(whole_well("B02", 1, 1), whole_well("B02", 1, 2))
    down, right = TRUTH.step_px
    expected[:down, :right] = 0  # What site 1 alone shows.
    np.testing.assert_array_equal(mosaic, expected)


def test_positions_of_one_s_own_are_taken(orchestrator, root, tmp_path):
    """Two sites of one well among those of another, below 0 and with fractions."""
    folder = processed(orchestrator, tmp_path / "two", sites=(1, 2), channel=1)
    file = tmp_path / "own.csv"
    rows = ["truth,A01,1,0,0,1", "truth,B02,1,-3.5,2.4,1", "truth,B02,2,10,100.4,1"]
    file.write_text("\n".join(["Metadata_Plate,Metadata_Well,Metadata_Site,y_px,x_px,confidence", *rows]))
    (made,) = orchestrator.stitch_images(well="B02", input_dir=folder, output_dir=tmp_path, positions_file=file)
    mosaic = tifffile.imread(made)
    # Row -4 is the first: site 1 lies at 0.5 of it (rounded up), site 2 at 14; columns are 2 and 100.
    assert mosaic.shape == (14 + 60, 100 + 80)
    one, two = (np.max([TRUTH.image("B02", site, 1, z, 1) for z in (1, 2)], axis=0) for site in (1, 2))
    np.testing.assert_array_equal(mosaic[1:61, 2:82], one)
    np.testing.assert_array_equal(mosaic[14:, 100:], two)
    assert mosaic[:, :2].max() == mosaic[:, 82:100].max() == mosaic[:14, 100:].max() == 0


def test_wells_may_be_stitched_side_by_side(orchestrator, root, tmp_path):
    def stitch(job):
        number, well = job
        folder = tmp_path / str(number)
        file, _ = orchestrator.generate_positions(well=well, input_dir=root, positions_dir=folder)
        first, *_ = orchestrator.stitch_images(well=well, input_dir=root, output_dir=folder, positions_file=file)
        return tifffile.imread(first)

    wells = ["A01", "B02"] * 4
    with ThreadPoolExecutor(8) as pool:
        for well, mosaic in zip(wells, pool.map(stitch, enumerate(wells)), strict=True):
            np.testing.assert_array_equal(mosaic, whole_well(well, 1, 1))


def test_a_run_takes_the_output_in_which_positions_lie_already(orchestrator, root):
    results = orchestrator.output / "results"
    file, _ = orchestrator.generate_positions(well="A01", input_dir=root, positions_dir=results)
    result = orchestrator.run([Pipeline("p", [Step("max_projection")])], well_filter="A01")
    assert result.status == "ok"
    assert file.is_file()


# --- Patterns and names -------------------------------------------------------------------------------------------


def test_patterns_of_a_synthetic_plate(orchestrator, root):
    handler = orchestrator.microscope_handler
    patterns = handler.auto_detect_patterns(root)
    assert list(patterns) == ["A01", "B02"]
    assert list(patterns["A01"]) == ["DAPI", "GFP"]
    assert patterns["B02"]["GFP"] == (
        "TimePoint_1/ZStep_1/truth_B02_s{iii}_w2.TIF",
        "TimePoint_1/ZStep_2/truth_B02_s{iii}_w2.TIF",
    )
    named = [
        pattern.replace("{iii}", str(site))
        for channels in patterns.values()
        for of_channel in channels.values()
        for pattern in of_channel
        for site in range(1, 7)
    ]
    files = {path.relative_to(root).as_posix() for path in root.rglob("*.TIF")}
    assert set(named) == files
    assert len(named) == len(files)


def test_patterns_of_a_real_plate_are_its_files(samples, installed, tmp_path):
    root = samples / "9987_Plate_3434"
    made = PipelineOrchestrator(root, plugins=installed, output=tmp_path / "out")
    made.initialize()
    patterns = made.microscope_handler.auto_detect_patterns(root)
    assert {well: list(channels) for well, channels in patterns.items()} == {
        well: ["DAPI", "FITC", "Texas Red"] for well in ("B02", "B03")
    }
    named = {
        pattern.replace("{iii}", str(site))
        for channels in patterns.values()
        for of_channel in channels.values()
        for pattern in of_channel
        for site in (1, 2)
    }
    assert named == {path.relative_to(root).as_posix() for path in root.rglob("*.TIF")}


def test_names_of_a_database_are_a_pattern_each(samples, installed, tmp_path):
    root = samples / "SingleChannel"
    made = PipelineOrchestrator(root, plugins=installed, output=tmp_path / "out")
    made.initialize()
    patterns = made.microscope_handler.auto_detect_patterns(made.workspace_path)
    count = {well: len(of_well["FITC_05"]) for well, of_well in patterns.items()}
    assert count == {"E07": 6, "E08": 6}
    assert all(pattern.count("_s{iii}") == 1 for of_well in patterns.values() for pattern in of_well["FITC_05"])


def test_two_fields_of_a_real_plate_lie_as_the_headers_say(samples, installed, tmp_path):
    root = samples / "9987_Plate_3434"
    made = PipelineOrchestrator(root, plugins=installed, output=tmp_path / "out")
    made.initialize()

    def offset(site):
        with tifffile.TiffFile(root / "TimePoint_1" / "ZStep_1" / f"9987_B03_s{site}_w1.TIF") as file:
            text = file.pages[0].description
        names = ("OffsetFromWellCenterUmY", "OffsetFromWellCenterUmX", "spatial-calibration-x")
        y, x, pixel = (float(text.split(f'id="{name}"')[1].split('value="')[1].split('"')[0]) for name in names)
        return np.array([y, x]) / pixel

    file, table = made.generate_positions(well="B03", input_dir=root, positions_dir=tmp_path)
    found = np.stack([table["y_px"], table["x_px"]], axis=1)
    np.testing.assert_allclose(found[1] - found[0], offset(2) - offset(1), atol=1e-9)
    first, *_ = made.stitch_images(well="B03", input_dir=root, output_dir=tmp_path, positions_file=file)
    mosaic = tifffile.imread(first)
    # z_index 0 is the microscope's own projection; site 1 is shown whole.
    assert first.name == "B03_stitched_w1_z0_t1.tif"
    original = tifffile.imread(root / "TimePoint_1" / "ZStep_0" / "9987_B03_s1_w1.TIF")
    np.testing.assert_array_equal(mosaic[: original.shape[0], :256], original)


def test_the_parser_is_the_plate_s_own(orchestrator):
    parser = orchestrator.microscope_handler.parser
    name = ParsedName(plate="truth", well="A01", site=2, channel=1, z_index=1, timepoint=1)
    path = parser.construct_filename(name)
    assert path == "TimePoint_1/ZStep_1/truth_A01_s2_w1.TIF"
    assert parser.parse_filename(path) == name
    assert parser.parse_filename("thumbs.db") is None


# --- Stitchers ----------------------------------------------------------------------------------------------------


def test_each_thread_gets_a_stitcher_of_its_own(orchestrator):
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: orchestrator.get_stitcher(), range(32)))
    assert len({id(stitcher) for stitcher in found}) == 32
    with pytest.raises(UnknownNameError, match="no stitcher is called 'better'"):
        orchestrator.get_stitcher("better")


class ShiftedStitcher:
    """Finds by the brightest pixel of each tile; notes what it was asked for, and how often."""

    calls: ClassVar = []

    def positions(self, tiles, nominal_yx, *, shift=0.0):
        means = [tile().mean() for tile in tiles]
        self.calls.append(means)
        return TilePositions(yx=nominal_yx + shift * np.arange(len(tiles))[:, None], confidence=np.ones(len(tiles)))

    def fuse(self, tiles, positions_yx, shape):
        return np.full(shape, sum(1 for _ in tiles), np.uint8)


@pytest.fixture
def with_another(root, target, tmp_path, orchestrator):
    """An orchestrator of a program that registers a stitcher of its own, which compares images."""
    from hcs_core import Parameter

    @hookimpl
    def hcs_stitchers():
        yield StitcherSpec(
            name="shifted",
            target=target("Shifted", ShiftedStitcher),
            positions=(Parameter(name="shift", kind="float", default=0.0),),
            needs_pixels=True,
        )

    plugins = PluginManager()
    plugins.register(SimpleNamespace(hcs_api=1, hcs_stitchers=hcs_stitchers), name="ours")
    plugins.discover()
    made = PipelineOrchestrator(root, plugins=plugins, output=tmp_path / "out")
    made.initialize()
    ShiftedStitcher.calls.clear()
    return made


def test_another_stitcher_takes_the_place_of_the_plain_one(with_another, root, tmp_path):
    """It is asked by name or, as it looks at images, without; it gets the middle slice of the channel."""
    plain, table = with_another.generate_positions(
        well="A01", input_dir=root, positions_dir=tmp_path, stitcher="plain"
    )
    assert ShiftedStitcher.calls == []
    _, shifted = with_another.generate_positions(
        well="A01", input_dir=root, positions_dir=tmp_path, channel="GFP", shift=-15.5
    )
    # Sites 4 to 6 come to lie above the others: the least is 0 again.
    moved = table["y_px"] - 15.5 * np.arange(6)
    np.testing.assert_allclose(shifted["y_px"], moved - moved.min(), atol=1e-9)
    assert moved.min() < 0
    assert shifted["confidence"].tolist() == [1.0] * 6
    # Of two slices the second is the middle one.
    expected = [TRUTH.image("A01", site, 2, 2, 1).mean() for site in range(1, 7)]
    np.testing.assert_allclose(ShiftedStitcher.calls, [expected])
    first, *_ = with_another.stitch_images(well="A01", input_dir=root, output_dir=tmp_path, positions_file=plain)
    assert tifffile.imread(first).max() == 6


def test_a_reference_image_that_is_not_there_is_told(with_another, tmp_path):
    folder = processed(with_another, tmp_path / "some", sites=(1, 2), channel=1)
    processed(with_another, folder, sites=(1, 2, 3), channel=2)
    message = (
        "has no image of B02, site 3, in channel 1, z_index 1, timepoint 1, which the stitcher 'shifted' compares"
    )
    with pytest.raises(PlateError, match=message):
        with_another.generate_positions(well="B02", input_dir=folder, positions_dir=tmp_path)
    _, table = with_another.generate_positions(well="B02", input_dir=folder, positions_dir=tmp_path, channel=2)
    assert table["Metadata_Site"].tolist() == [1, 2, 3]


# --- What is refused ----------------------------------------------------------------------------------------------


def test_before_the_plate_is_listed_each_service_names_the_missing_call(root, installed, tmp_path):
    early = PipelineOrchestrator(root, plugins=installed, output=tmp_path / "out")
    asked = [
        lambda: early.workspace_path,
        lambda: early.microscope_handler,
        lambda: early.services,
        lambda: early.generate_positions(well="A01", input_dir=root, positions_dir=tmp_path),
        lambda: early.stitch_images(well="A01", input_dir=root, output_dir=tmp_path, positions_file=tmp_path / "p"),
    ]
    for ask in asked:
        with pytest.raises(RunError, match=r"call initialize\(\) first"):
            ask()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"well": "C03"}, PlateError, "there is no well 'C03'. There are A01, B02."),
        ({"well": "first"}, PlateError, "'first' is no well name: write A1"),
        ({"input_dir": "nowhere"}, PlateError, "nowhere is no folder: give the one that holds the images."),
        ({"input_dir": "empty"}, PlateError, "empty holds no image of A01 that is named as those of truth are"),
        ({"channel": "DAPY"}, PlateError, "in channel 'DAPY'. Did you mean 'DAPI'? There are DAPI, GFP."),
        ({"channel": 3}, PlateError, "in channel 3. There are DAPI, GFP."),
        ({"stitcher": "palin"}, UnknownNameError, "no stitcher is called 'palin'. Did you mean 'plain'?"),
        ({"sigma": 1}, RunError, "the stitcher 'plain' has no parameter 'sigma'. It has none."),
        ({"pixel_size_um": 0.0}, RunError, "pixel_size_um=0.0 is no size of a pixel"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_what_is_wrong_with_positions_is_told(orchestrator, root, tmp_path, changes, error, message):
    (tmp_path / "empty").mkdir()
    told = {"well": "A01", "input_dir": root, "positions_dir": tmp_path / "positions"} | changes
    if isinstance(told["input_dir"], str):
        told["input_dir"] = tmp_path / told["input_dir"]
    with pytest.raises(error) as raised:
        orchestrator.generate_positions(**told)
    assert message in str(raised.value)
    assert not (tmp_path / "positions").exists()


@pytest.mark.parametrize("of", ["plate", "folder", "link"])
def test_nothing_is_written_into_the_plate(orchestrator, root, tmp_path, digest_of, of):
    before = digest_of(root)
    (tmp_path / "link").symlink_to(root / "TimePoint_1")
    into = {"plate": root, "folder": root / "results", "link": tmp_path / "link"}[of]
    with pytest.raises(RunError, match="nothing is written into a plate"):
        orchestrator.generate_positions(well="A01", input_dir=root, positions_dir=into)
    file, _ = orchestrator.generate_positions(well="A01", input_dir=root, positions_dir=tmp_path)
    with pytest.raises(RunError, match="nothing is written into a plate"):
        orchestrator.stitch_images(well="A01", input_dir=root, output_dir=into, positions_file=file)
    assert digest_of(root) == before


HEAD = "Metadata_Plate,Metadata_Well,Metadata_Site,y_px,x_px,confidence\n"


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (["truth,B02,1,0,0,0", "truth,C03,1,0,0,0"], "has no positions of A01; it has B02, C03."),
        ([f"truth,A01,{site},0,0,0" for site in (1, 2, 4, 5)], "has no position of site 3, 6 of A01"),
        (["other,A01,1,0,0,0"], "has positions of other, not of truth: make them with generate_positions."),
    ],
)
def test_positions_that_do_not_fit_are_told(orchestrator, root, tmp_path, rows, message):
    file = tmp_path / "positions.csv"
    file.write_text(HEAD + "\n".join(rows))
    with pytest.raises(PlateError) as raised:
        orchestrator.stitch_images(well="A01", input_dir=root, output_dir=tmp_path / "out", positions_file=file)
    assert message in str(raised.value)
    assert not (tmp_path / "out").exists()


def test_images_that_do_not_fit_are_told(orchestrator, tmp_path):
    folder = processed(orchestrator, tmp_path / "images", sites=(1, 2), channel=1)
    file, _ = orchestrator.generate_positions(well="B02", input_dir=folder, positions_dir=tmp_path)
    second = folder / "truth_B02_s2_w1.TIF"
    stitch = {"well": "B02", "input_dir": folder, "output_dir": tmp_path / "made", "positions_file": file}
    tifffile.imwrite(second, np.zeros((30, 40), np.uint16))
    with pytest.raises(PlateError, match=r"s2_w1.TIF has \(30, 40\) pixels, .*s1_w1.TIF \(60, 80\): images of one"):
        orchestrator.stitch_images(**stitch)
    second.write_bytes(b"")
    with pytest.raises(ReadError, match=r"s2_w1.TIF is empty"):
        orchestrator.stitch_images(**stitch)
    second.rename(folder / "truth_B02_s1_w1.tif")
    with pytest.raises(PlateError, match=r"has two images of one plane, truth_B02_s1_w1.TIF and truth_B02_s1_w1.tif"):
        orchestrator.stitch_images(**stitch)
    assert not list((tmp_path / "made").glob("*"))


def test_an_unknown_pixel_size_or_position_is_told(orchestrator, root, tmp_path, installed):
    """Images of another shape than the plate's: nobody says how large their pixels are."""
    folder = tmp_path / "small"
    folder.mkdir()
    for site in (1, 2):
        tifffile.imwrite(folder / f"truth_B02_s{site}_w1.TIF", np.zeros((30, 40), np.uint16))
    ask = {"well": "B02", "input_dir": folder, "positions_dir": tmp_path}
    with pytest.raises(PlateError, match=r"the pixel size .* is not known: give pixel_size_um="):
        orchestrator.generate_positions(**ask)
    _, table = orchestrator.generate_positions(**ask, pixel_size_um=2 * TRUTH.pixel_size_um)
    assert table["x_px"].tolist() == pytest.approx([0.0, TRUTH.step_px[1] / 2])
    tifffile.imwrite(folder / "truth_B02_s7_w1.TIF", np.zeros((30, 40), np.uint16))
    with pytest.raises(PlateError, match=r"the stage position of site 7 of B02 is not known"):
        orchestrator.generate_positions(**ask, pixel_size_um=1.0)


def test_a_folder_that_cannot_be_made_is_told(orchestrator, root, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="cannot be made"):
        orchestrator.generate_positions(well="A01", input_dir=root, positions_dir=tmp_path / "file" / "positions")


def test_one_site_alone_needs_no_position(installed, samples, tmp_path):
    root = samples / "9987_Plate_3420"
    made = PipelineOrchestrator(root, plugins=installed, output=tmp_path / "out")
    made.initialize()
    file, table = made.generate_positions(well="B02", input_dir=root, positions_dir=tmp_path)
    assert (table["y_px"].tolist(), table["x_px"].tolist()) == ([0.0], [0.0])
    (mosaic,) = made.stitch_images(well="B02", input_dir=root, output_dir=tmp_path, positions_file=file)
    np.testing.assert_array_equal(tifffile.imread(mosaic), tifffile.imread(root / "TimePoint_1" / "9987_B02.TIF"))


def test_clearing_the_output_removes_the_workspace_and_no_original(orchestrator, root, digest_of):
    before = digest_of(root)
    workspace = orchestrator.workspace_path
    orchestrator.clear()
    assert not workspace.exists()
    assert digest_of(root) == before
    assert open_plate(orchestrator.workspace_path).wells == ("A01", "B02")
