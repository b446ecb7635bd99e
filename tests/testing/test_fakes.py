"""The fakes work for real: a plate of tiny files is opened, planned, run and read back."""

import numpy as np
import pytest

import hcs_memory.plugin
import hcs_numpy.plugin
from hcs_core import (
    GlobalPipelineConfig,
    Pipeline,
    PipelineOrchestrator,
    PluginManager,
    ReadError,
    Step,
    VFSConfig,
    open_plate,
)
from hcs_core.arrays.conversion import Converter
from hcs_core.testing import FakeArray, FakeReader, fake_pixels, fakes, write_fake_plane, write_fake_plate


@pytest.fixture
def manager():
    made = PluginManager(strict=True)
    for module in (fakes, hcs_memory.plugin, hcs_numpy.plugin):
        made.register(module)
    return made


def test_every_target_of_the_fakes_is_there(manager):
    assert manager.check(fakes.__name__) == ()


def test_a_plate_is_what_it_was_written_as(tmp_path, manager):
    root = write_fake_plate(tmp_path, wells=("B02", "A11"), z_indexes=(0, 1, 2), timepoints=(1, 3), dtype="float32")
    plate = open_plate(root, plugins=manager)
    assert plate.wells == ("A11", "B02")
    assert plate.sites("A11") == (1, 2)
    assert [channel.name for channel in plate.channels] == ["DAPI", "GFP"]
    assert (plate.z_indexes, plate.timepoints) == ((1, 2), (1, 3))
    assert (plate.image_shape, plate.dtype, plate.pixel_size_um) == ((24, 32), "float32", 0.5)
    assert plate.state_counts()["present"] == 2 * 2 * 2 * 3 * 2
    assert plate.differences == ()


def test_pixels_follow_from_the_name_the_selector_and_nothing_else(tmp_path):
    path = tmp_path / "one.fake"
    write_fake_plane(path, shape=(3, 5), dtype="uint8", planes=2)
    first, second = (FakeReader().read(str(path), selector) for selector in (0, 1))
    assert (first.shape, first.dtype) == ((3, 5), np.dtype("uint8"))
    assert not np.array_equal(first, second)
    np.testing.assert_array_equal(second, fake_pixels("one.fake", 1, shape=(3, 5), dtype="uint8"))
    # A ramp: each pixel is 7 more than the one before, modulo the prime below 256.
    assert set(np.diff(first.ravel().astype(int)) % 251) == {7}


def test_a_reader_is_told_to_fail_by_its_file(tmp_path):
    path = tmp_path / "one.fake"
    path.write_bytes(b"")
    with pytest.raises(ReadError, match=f"^{path} is no fake plane: write it with write_fake_plane"):
        FakeReader().read(str(path), 0)


def test_conversions_are_counted(manager):
    converter = Converter(manager)
    image = np.arange(6)
    there = converter.convert(image, "numpy", "fake", "int64")
    assert isinstance(there, FakeArray)
    assert converter.convert(there, "fake", "numpy", "int64") is image
    assert converter.memory_type("fake").conversions == {"from_host": 1, "to_host": 1}


def run(root, manager, tmp_path):
    config = GlobalPipelineConfig(vfs=VFSConfig(materialization_backend="fake"), use_threading=True)
    orchestrator = PipelineOrchestrator(root, global_config=config, plugins=manager, output=tmp_path / "out")
    return orchestrator.run([Pipeline("projections", [Step("max_projection")])])


def test_a_pipeline_runs_on_fakes_alone(tmp_path, manager):
    root = write_fake_plate(tmp_path, sites=(1,), z_indexes=(1, 2))
    result = run(root, manager, tmp_path)
    assert result.status == "ok"
    names = [f"B03_s1_c2_z{z}_t1.fake" for z in (1, 2)]
    (kept,) = (tmp_path / "out").rglob("B03/1/0_1_0.npy")
    np.testing.assert_array_equal(np.load(kept), np.maximum(*map(fake_pixels, names)))


def test_a_damaged_plane_fails_its_well(tmp_path, manager):
    root = write_fake_plate(tmp_path, sites=(1,), z_indexes=(1, 2))
    (root / "B03_s1_c2_z2_t1.fake").write_bytes(b"fake 24")
    result = run(root, manager, tmp_path)
    assert result.status == "partial"
    assert "B03_s1_c2_z2_t1.fake is no fake plane" in str(result.wells["B03"].fault)
