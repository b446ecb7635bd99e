import json

import attrs
import numpy as np
import pytest

from hcs_core import MicroscopeHandler, PlateError, PluginError, PluginManager, UnknownNameError
from hcs_synthetic import SyntheticPlate, make_plate

PLATE = SyntheticPlate(
    name="small", wells=("A01", "AF48"), grid=(1, 2), image_shape=(40, 56), channels=("DAPI", "GFP"), z_count=2,
    timepoint_count=2, cells_per_field=4, stage_error_px=2.0,
)  # fmt: skip


def test_every_plane_is_written_through_the_layout_writer(tmp_path, plugins):
    root = make_plate(tmp_path / "new" / "folder", PLATE, "npy", plugins)
    assert root == tmp_path / "new" / "folder" / "small"
    assert len(list(root.glob("*.npy"))) == 2 * 2 * 2 * 2 * 2
    np.testing.assert_array_equal(np.load(root / "AF48_s2_c1_z2_t1.npy"), PLATE.image("AF48", 2, 1, 2, 1))


def test_the_metadata_carry_what_the_stage_reports(tmp_path, plugins):
    root = make_plate(tmp_path, PLATE, "npy", plugins)
    written = json.loads((root / "positions.json").read_text(encoding="utf-8"))
    nominal = {f"{well} {site}": [at.y_um, at.x_um] for (well, site), at in PLATE.nominal_positions.items()}
    true = {f"{well} {site}": [at.y_um, at.x_um] for (well, site), at in PLATE.positions.items()}
    assert written == nominal
    assert written != true


def test_the_description_says_all_of_the_plate():
    said = PLATE.description()
    assert [(channel.number, channel.name) for channel in said.channels] == [(1, "DAPI"), (2, "GFP")]
    assert (said.z_indexes, said.timepoints) == ((1, 2), (1, 2))
    assert (said.image_shape, said.dtype) == ((40, 56), "uint16")
    assert (said.pixel_size_um, said.z_step_um, said.time_step_s) == (0.65, 4.0, 600.0)
    assert said.site_grid == {1: (0, 0), 2: (0, 1)}
    assert set(said.positions) == {("A01", 1), ("A01", 2), ("AF48", 1), ("AF48", 2)}


def test_a_microscope_without_a_writer_names_those_that_have_one(tmp_path, plugins):
    with pytest.raises(PluginError, match=r"'mute' cannot write plates, only read them; those that can: .*\bnpy\b"):
        make_plate(tmp_path, PLATE, "mute", plugins)
    assert not list(tmp_path.iterdir())


def test_an_unknown_microscope_is_an_error(tmp_path, plugins):
    with pytest.raises(UnknownNameError, match="'npi'"):
        make_plate(tmp_path, PLATE, "npi", plugins)


def test_a_plate_that_cannot_be_written_to_its_end_is_not_there(tmp_path, plugins, monkeypatch):
    def interrupted(*_plane):
        raise KeyboardInterrupt

    monkeypatch.setattr(SyntheticPlate, "image", interrupted)
    with pytest.raises(KeyboardInterrupt):
        make_plate(tmp_path, PLATE, "npy", plugins)
    assert not list(tmp_path.iterdir())


def test_a_plate_is_never_written_over_another(tmp_path, plugins):
    (tmp_path / "small").mkdir()
    with pytest.raises(PlateError, match="small is there already"):
        make_plate(tmp_path, PLATE, "npy", plugins)


def _installed():
    plugins = PluginManager()
    plugins.discover()
    return plugins


def test_the_real_imagexpress_layout_reads_back(tmp_path):
    """What is installed writes a plate, its handler lists it, and its reader gives the same pixels."""
    plugins = _installed()
    if "imagexpress" not in plugins.microscopes or not plugins.microscopes.get("imagexpress").layout_writer:
        pytest.skip("hcs-imagexpress is not installed")
    plate = attrs.evolve(PLATE, timepoint_count=1, wells=("A01", "B03"))
    root = make_plate(tmp_path, plate)
    handler = plugins.microscopes.load("imagexpress")()
    assert isinstance(handler, MicroscopeHandler)
    assert handler.recognise(root)
    inventory = handler.build_inventory(root)
    assert inventory.wells == plate.wells
    present = [plane for plane in inventory.planes if plane.state == 0 and plane.kind == 0]
    assert len(present) == 2 * 2 * 2 * 2
    for plane in present:
        pixels = plugins.readers.load(plane.reader)().read(str(root / plane.uri), plane.selector)
        expected = plate.image(plane.well, plane.site, plane.channel, plane.z_index, plane.timepoint)
        np.testing.assert_array_equal(pixels, expected)
