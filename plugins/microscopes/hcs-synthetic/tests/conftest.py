"""Microscopes that write .npy files, as a plugin of these tests."""

import json
import re
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest

from hcs_core import (
    Channel,
    Header,
    MicroscopeSpec,
    ParsedName,
    PlaneFacts,
    PlaneState,
    PlaneTable,
    Plate,
    PlateError,
    PluginManager,
    ReadError,
    ReaderSpec,
    hookimpl,
    plate_format,
)

MODULE = "npy_layouts_of_tests"
NAME = re.compile(
    r"(?P<well>[A-Z]+[0-9]+)_s(?P<site>\d+)_c(?P<channel>\d+)_z(?P<z_index>\d+)_t(?P<timepoint>\d+)\.npy"
)


class NpyWriter:
    """Writes `A01_s1_c1_z1_t1.npy`, the names of all that it has written, and the fields' positions as JSON."""

    def write(self, folder, description, image):
        root = folder / description.name
        root.mkdir()
        names = []
        for well in description.wells:
            for site in description.site_grid:
                for channel in description.channels:
                    for z in description.z_indexes:
                        for t in description.timepoints:
                            names.append(f"{well}_s{site}_c{channel.number}_z{z}_t{t}.npy")
                            np.save(root / names[-1], image(well, site, channel.number, z, t))
        positions = {f"{well} {site}": [at.y_um, at.x_um] for (well, site), at in description.positions.items()}
        (root / "positions.json").write_text(json.dumps(positions), encoding="utf-8")
        (root / "index.json").write_text(json.dumps(names), encoding="utf-8")
        return root


class NpyParser:
    """One name for each plane, and no other."""

    def parse_filename(self, path):
        match = NAME.fullmatch(Path(path).name)
        if match is None:
            return None
        numbers = {word: int(text) for word, text in match.groupdict().items() if word != "well"}
        return ParsedName(well=match["well"], **numbers)

    def construct_filename(self, _name):
        raise PlateError("nobody asks")


class NpyHandler:
    """Reads what `NpyWriter` wrote: what the index names and the folder lacks is `MISSING`."""

    parser = NpyParser()

    def recognise(self, root):
        return "it holds an index.json" if (root / "index.json").is_file() else None

    def build_inventory(self, root):
        names = json.loads((root / "index.json").read_text(encoding="utf-8"))
        return self.plate(root, names, [self.parser.parse_filename(name) for name in names])

    def plate(self, root, uris, planes):
        wells = tuple(dict.fromkeys(plane.well for plane in planes))
        table = PlaneTable.build(
            wells=wells,
            well=[wells.index(plane.well) for plane in planes],
            **{word: [getattr(at, word) for at in planes] for word in ("site", "channel", "z_index", "timepoint")},
            uri=uris,
            state=[PlaneState.PRESENT if (root / uri).exists() else PlaneState.MISSING for uri in uris],
            reader="npy",
        )
        channels = tuple(Channel(number=number, name="") for number in sorted({plane.channel for plane in planes}))
        return Plate(
            name=root.name, root=root, microscope="npy", plate_format=plate_format(wells), channels=channels,
            planes=table,
        )  # fmt: skip

    def parse_header(self, _text):
        return PlaneFacts()


class OneFileHandler(NpyHandler):
    """Says that all planes of the plate lie in one file."""

    def build_inventory(self, root):
        names = json.loads((root / "index.json").read_text(encoding="utf-8"))
        return self.plate(root, names[:1] * len(names), [self.parser.parse_filename(name) for name in names])


class BlindHandler(NpyHandler):
    """Sees one plane only."""

    def build_inventory(self, root):
        return self.plate(root, ["C03.npy"], [ParsedName(well="C03", site=1, channel=1, z_index=1, timepoint=1)])


class NpyReader:
    """Reads .npy files."""

    def header(self, location, selector):
        pixels = self.read(location, selector)
        return Header(shape=pixels.shape, dtype=pixels.dtype.name)

    def read(self, location, _selector, _region=None):
        try:
            return np.load(location)
        except (ValueError, EOFError) as error:
            raise ReadError(f"{location} cannot be read ({error}).") from error


def _spec(name, handler="NpyHandler", layout_writer=f"{MODULE}:NpyWriter"):
    return MicroscopeSpec(
        name=name, target=f"{MODULE}:{handler}", markers=("index.json",), layout_writer=layout_writer
    )


def _manager(monkeypatch, *specs):
    module = ModuleType(MODULE)
    for target in (NpyWriter, NpyHandler, OneFileHandler, BlindHandler, NpyReader):
        setattr(module, target.__name__, target)
    monkeypatch.setitem(sys.modules, module.__name__, module)
    manager = PluginManager()
    readers = (ReaderSpec(name="npy", target=f"{MODULE}:NpyReader"),)
    manager.register(
        SimpleNamespace(hcs_api=1, hcs_microscopes=hookimpl(lambda: specs), hcs_readers=hookimpl(lambda: readers)),
        name="layouts_of_tests",
    )
    return manager


@pytest.fixture
def plugins(monkeypatch):
    """A manager with microscopes that write .npy files, and `mute`, which has no layout writer.

    `npy` has an index of its planes; `one_file` says that all planes are in one file; `blind` finds none of them.
    """
    return _manager(
        monkeypatch,
        _spec("npy"),
        _spec("mute", layout_writer=""),
        _spec("one_file", "OneFileHandler"),
        _spec("blind", "BlindHandler"),
    )


@pytest.fixture
def imagexpress(monkeypatch):
    """A manager in which `imagexpress` is the writer of .npy files."""
    return _manager(monkeypatch, _spec("imagexpress"))


@pytest.fixture(scope="session")
def installed():
    """What is installed, with the microscope `imagexpress` and a reader of TIFF files."""
    manager = PluginManager()
    manager.discover()
    for registry, name in ((manager.microscopes, "imagexpress"), (manager.readers, "tiff")):
        if name not in registry:
            pytest.skip(f"no plugin with {name!r} is installed: hcs-engine[standard] has it")
    return manager
