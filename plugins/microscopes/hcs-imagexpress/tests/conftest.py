"""Plates of empty files, and the folder of real samples."""

import hashlib
import os
import uuid
from pathlib import Path

import numpy as np
import pytest

from hcs_core import Channel, PlateDescription, SitePosition


def htd(
    *,
    wells=("B02", "B03"),
    sites=((True,),),
    waves=("DAPI", "FITC"),
    collect=None,
    z_steps=0,
    projection=False,
    timepoints=1,
    end=True,
    leave_out=(),
    **lines,
):
    """Return the bytes of an HTD file of a 96-well plate; `lines` replaces the value of a key."""
    values = {
        "Description": '"a plate"',
        "PlateType": "2",
        "TimePoints": str(timepoints),
        "ZSeries": str(z_steps > 0).upper(),
        "ZSteps": str(z_steps),
        "ZProjection": str(projection).upper(),
        "XWells": "12",
        "YWells": "8",
    }
    for row in range(8):
        cells = (f"{'ABCDEFGH'[row]}{column:02d}" in wells for column in range(1, 13))
        values[f"WellsSelection{row + 1}"] = ", ".join(str(cell).upper() for cell in cells)
    values["Sites"] = "FALSE" if sites is None else "TRUE"
    if sites is not None:
        values["XSites"], values["YSites"] = str(len(sites[0])), str(len(sites))
        for row, cells in enumerate(sites, start=1):
            values[f"SiteSelection{row}"] = ", ".join(str(cell).upper() for cell in cells)
    values["Waves"] = str(len(waves) > 1).upper()
    values["NWavelengths"] = str(len(waves))
    for wave, name in enumerate(waves, start=1):
        values[f"WaveName{wave}"] = f'"{name}"'
    for wave in range(1, len(waves) + 1):
        values[f"WaveCollect{wave}"] = str(int(collect is None or wave in collect))
    values |= lines
    text = ['"HTSInfoFile", Version 1.0', *(f'"{k}", {v}' for k, v in values.items() if k not in leave_out)]
    text += ['"EndFile"'] if end else []
    return "".join(f"{line}\r\n" for line in text).encode("latin-1")


@pytest.fixture
def make_plate(tmp_path):
    """Make a plate `P` of empty files by their paths, with this HTD (`None`: none)."""

    def make(*paths, plan=b"", name="P.HTD", folder="plate"):
        root = tmp_path / folder
        root.mkdir()
        if plan is not None:
            (root / name).write_bytes(plan or htd())
        for path in paths:
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).touch()
        return root

    return make


@pytest.fixture
def list_in_order(monkeypatch):
    """Let os.scandir give names sorted, forwards or backwards."""
    scandir = os.scandir

    class Ordered:
        def __init__(self, path, backwards):
            with scandir(path) as entries:
                self.entries = sorted(entries, key=lambda entry: entry.name, reverse=backwards)

        def __enter__(self):
            return iter(self.entries)

        def __exit__(self, *_error):
            return None

    return lambda backwards: monkeypatch.setattr(os, "scandir", lambda path: Ordered(path, backwards))


@pytest.fixture
def make_htd():
    return htd


@pytest.fixture(scope="session")
def samples():
    for folder in Path(__file__).resolve().parents:
        found = folder / "shared" / "data" / "imagexpress"
        if found.is_dir():
            return found
    pytest.skip("shared/ is not here")


@pytest.fixture
def fingerprint():
    """Return a digest of everything below a folder: names, kinds, times, rights and contents."""

    def digest(root):
        summary = hashlib.sha256()
        for path in sorted(root.rglob("*")):
            status = path.lstat()
            summary.update(f"{path.relative_to(root)} {status.st_mode} {status.st_mtime_ns}".encode())
            summary.update(str(path.readlink()).encode() if path.is_symlink() else b"")
            summary.update(path.read_bytes() if path.is_file() else b"")
        return summary.hexdigest()

    return digest


SHAPE = (24, 32)


@pytest.fixture
def describe():
    """Make a description: two wells, a 2 x 2 grid of sites, two channels, three z-steps and two timepoints."""

    def make(**values):
        chosen = {
            "name": "plate_A01 µ",
            "plate_format": (8, 12),
            "wells": ("B02", "C11"),
            "channels": (
                Channel(number=1, name="DAPI", wavelength_nm=452.0),
                Channel(number=2, name='Cy5 <"1" & 2>'),
            ),
            "site_grid": {1: (0, 0), 2: (0, 1), 3: (1, 0), 4: (1, 1)},
            "z_indexes": (1, 2, 3),
            "timepoints": (1, 2),
            "pixel_size_um": 0.325,
            "z_step_um": 2.5,
            "time_step_s": 600.0,
            "image_shape": SHAPE,
            "dtype": "uint16",
        } | values
        positions = {
            (well, site): SitePosition(y_um=row * 7.02 - 1 / 3, x_um=column * -9.36 + 1 / 7)
            for well in chosen["wells"]
            for site, (row, column) in chosen["site_grid"].items()
        }
        return PlateDescription(**({"positions": positions} | chosen))

    return make


@pytest.fixture
def image():
    """Give every plane other pixels, which say which plane it is."""

    def pixels(well, site, channel, z_index, timepoint):
        plane = np.zeros(SHAPE, np.uint16)
        plane[0, :6] = [ord(well[0]), int(well[1:]), site, channel, z_index, timepoint]
        plane[1:] = np.arange(SHAPE[1])
        return plane

    return pixels


def database_guid(path):
    """Return the GUID of a name in the database, another one for each path."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, path)).upper()


@pytest.fixture
def make_database(tmp_path):
    """Make a copy of the database of empty files.

    `2023-02-21/1334/P_B02_w1.tif` gets a GUID before its extension; the paths come back as they are on disk.
    """

    def make(*paths, folder="plate"):
        root = tmp_path / folder
        written = {}
        for path in paths:
            stem, dot, extension = path.rpartition(".")
            written[path] = f"{stem}{database_guid(path)}{dot}{extension}"
            (root / written[path]).parent.mkdir(parents=True, exist_ok=True)
            (root / written[path]).touch()
        return root, written

    return make
