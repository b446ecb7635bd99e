"""What the rules for microscopes share: the handler, the plate, and its inventory."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import ClassVar

import pytest

from hcs_core.plate.inventory import Plane, PlaneState, Plate
from hcs_core.plate.microscope import MicroscopeHandler
from hcs_core.plugins.specs import MicroscopeSpec
from hcs_core.testing.contracts.targets import made


class MicroscopeRules:
    """See `MicroscopeContract` for the attributes and fixtures."""

    microscope: ClassVar[MicroscopeSpec]

    @pytest.fixture
    def plate_folder(self) -> Path:
        """The folder of a plate in the microscope's layout."""
        pytest.fail(
            "MicroscopeContract needs a fixture `plate_folder` that returns the folder of a small plate.",
            pytrace=False,
        )

    @pytest.fixture
    def root(self, plate_folder: Path, tmp_path: Path) -> Path:
        """A copy of the plate's folder, under its own name."""
        copy = tmp_path / "copied_for_contract" / plate_folder.name
        shutil.copytree(plate_folder, copy, symlinks=True)
        return copy

    @pytest.fixture
    def handler(self) -> MicroscopeHandler:
        """A handler."""
        handler: MicroscopeHandler = made(self.microscope)
        return handler

    @pytest.fixture
    def inventory(self, handler: MicroscopeHandler, root: Path) -> Plate:
        """The inventory of the copy."""
        return handler.build_inventory(root)


def present(plate: Plate) -> list[Plane]:
    """Return the planes that are there."""
    return [plane for plane in plate.planes if plane.state == PlaneState.PRESENT]
