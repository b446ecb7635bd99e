"""Running the command line in this process, and reading what it left with zarr alone."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import attrs
import numpy as np
import numpy.typing as npt
import pytest
import zarr

from hcs_core.cli.application import run


@attrs.frozen
class Ran:
    """What a command line came to."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        """The JSON document on stdout."""
        return json.loads(self.out)


@pytest.fixture
def hcs(capfd: pytest.CaptureFixture[str]) -> Callable[..., Ran]:
    """Run `hcs` with arguments; return its exit code and what it printed."""

    def call(*arguments: object) -> Ran:
        capfd.readouterr()
        with pytest.raises(SystemExit) as left:
            run([str(argument) for argument in arguments])
        out, err = capfd.readouterr()
        code = left.value.code
        return Ran(code if isinstance(code, int) else 1, out, err)

    return call


@pytest.fixture
def write_pipeline(tmp_path: Path) -> Callable[..., Path]:
    """Write a pipeline file from the text of its steps."""

    def write(steps: str = "", name: str = "pipeline", head: str = "") -> Path:
        path = tmp_path / f"{name}.yaml"
        path.write_text(f"hcs: 1\nname: {name}\n{head}steps:\n{steps}", encoding="utf-8")
        return path

    return write


def image(store: Path, well: str, site: int, level: int = 0) -> npt.NDArray[Any]:
    """Read an image of a plate as (t, c, z, y, x)."""
    array = zarr.open_array(store / well[0] / well[1:] / str(site - 1) / str(level), mode="r")
    return np.asarray(array[:])


def attributes(store: Path, path: str = "") -> dict[str, Any]:
    """Read the OME metadata of a group."""
    return json.loads((store / path / "zarr.json").read_text())["attributes"]["ome"]


@pytest.fixture
def read_image() -> Callable[..., npt.NDArray[Any]]:
    """Read an image of a plate as (t, c, z, y, x)."""
    return image


@pytest.fixture
def read_attributes() -> Callable[..., dict[str, Any]]:
    """Read the OME metadata of a group."""
    return attributes
