"""A microscope that writes .npy files, as a plugin of these tests."""

import json
import sys
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest

from hcs_core import MicroscopeSpec, PluginManager, hookimpl

WRITER = "npy_layout_of_tests:NpyWriter"


class NpyWriter:
    """Writes `A01_s1_c1_z1_t1.npy`, and the fields' positions as JSON."""

    def write(self, folder, description, image):
        root = folder / description.name
        root.mkdir()
        for well in description.wells:
            for site in description.site_grid:
                for channel in description.channels:
                    for z in description.z_indexes:
                        for t in description.timepoints:
                            name = f"{well}_s{site}_c{channel.number}_z{z}_t{t}.npy"
                            np.save(root / name, image(well, site, channel.number, z, t))
        positions = {f"{well} {site}": [at.y_um, at.x_um] for (well, site), at in description.positions.items()}
        (root / "positions.json").write_text(json.dumps(positions), encoding="utf-8")
        return root


def _manager(monkeypatch, *specs):
    module = ModuleType("npy_layout_of_tests")
    module.NpyWriter = NpyWriter
    monkeypatch.setitem(sys.modules, module.__name__, module)
    manager = PluginManager()
    manager.register(
        SimpleNamespace(hcs_api=1, hcs_microscopes=hookimpl(lambda: specs)),
        name="layouts_of_tests",
    )
    return manager


def _spec(name, layout_writer=WRITER):
    return MicroscopeSpec(name=name, target=WRITER, markers=("*.npy",), layout_writer=layout_writer)


@pytest.fixture
def plugins(monkeypatch):
    """A manager with the microscopes `npy`, which has a layout writer, and `mute`, which has none."""
    return _manager(monkeypatch, _spec("npy"), _spec("mute", layout_writer=""))


@pytest.fixture
def imagexpress(monkeypatch):
    """A manager in which `imagexpress` is the writer of .npy files."""
    return _manager(monkeypatch, _spec("imagexpress"))
