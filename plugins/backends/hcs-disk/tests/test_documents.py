"""What the README shows works."""

import re
from pathlib import Path

import attrs
import numpy as np
import pytest
import tifffile

from hcs_core import MOSAIC, FinishedWell, PlaneAddress
from hcs_core.pipeline.config_file import load_config
from hcs_disk.backend import DiskBackend

README = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")


@pytest.fixture
def examples():
    return re.findall(r"```python\n(.*?)```", README, re.DOTALL)


def test_keeping_results(tmp_path, make_layout, examples):
    layout = make_layout(shape=(1, 2, 3, 70, 90))
    names = {
        "FinishedWell": FinishedWell,
        "PlaneAddress": PlaneAddress,
        "folder": tmp_path,
        "layout": layout,
        "plane": np.ones((70, 90), np.uint16),
    }
    exec(examples[0], names)  # noqa: S102 - our own text
    assert names["store"].finished_wells() == ("A01",)
    assert (tmp_path / "images" / "index.json").is_file()


def test_the_files_that_are_shown_are_called_so(write_store, make_layout, tmp_path):
    written = write_store(make_layout(shape=(1, 2, 3, 20, 30)), wells=("B02",))
    shown, mosaic = re.findall(r"B02_\S+\.tif", README)
    assert (written.store.root / "B02" / shown).is_file()
    image = written.store.layout.image
    layout = attrs.evolve(written.store.layout, name="mosaics", image=None, mosaic=image)
    store = DiskBackend().open(tmp_path, layout)
    store.declare({"B02": ()}, mosaics={"B02": (20, 30)})
    plane = np.zeros((20, 30), image.dtype)
    store.open_well("B02", (20, 30)).write(PlaneAddress(site=MOSAIC, t=0, c=1, z=2), plane)
    store.finish_well(FinishedWell(well="B02", sites=(), mosaic=(20, 30)))
    assert (tmp_path / "mosaics" / "B02" / mosaic).is_file()


def test_the_configuration(tmp_path):
    (block,) = re.findall(r"```yaml\n(.*?)```", README, re.DOTALL)
    (tmp_path / "config.yaml").write_text(block)
    config = load_config(tmp_path / "config.yaml")
    assert (config.vfs.materialization_backend, config.zarr.compressor) == ("disk", "none")


def test_writing_an_image(tmp_path, monkeypatch, examples):
    monkeypatch.chdir(tmp_path)
    exec(examples[2], {})  # noqa: S102 - our own text
    assert tifffile.imread("mosaic.tif").shape == (100, 200)


def test_reading(tmp_path, monkeypatch, capsys, examples):
    tifffile.imwrite(tmp_path / "plane.tif", np.ones((100, 80), "uint16"))
    monkeypatch.chdir(tmp_path)
    names = {}
    exec(examples[1], names)  # noqa: S102 - our own text
    assert names["corner"].shape == (64, 64)
    assert "shape=(100, 80)" in capsys.readouterr().out
