"""What the rules for microscopes share: the handler, the plate, and its inventory."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import ClassVar

import pytest

from hcs_core.plate.inventory import Plate
from hcs_core.plate.microscope import MicroscopeHandler
from hcs_core.plate.plane_table import Plane, PlaneState
from hcs_core.plugins.specs import MicroscopeSpec
from hcs_core.testing.contracts.targets import made


class MicroscopeRules:
    """See `MicroscopeContract` for the attributes and fixtures."""

    microscope: ClassVar[MicroscopeSpec]

    def new_handler(self) -> MicroscopeHandler:
        """Return a handler that has seen nothing yet."""
        handler: MicroscopeHandler = made(self.microscope)
        return handler

    @pytest.fixture
    def plate_folder(self) -> Path:
        """The folder of a plate in the microscope's layout."""
        pytest.fail(
            "MicroscopeContract needs a fixture `plate_folder` that returns the folder of a small plate.",
            pytrace=False,
        )

    @pytest.fixture
    def copied(self, plate_folder: Path, tmp_path: Path) -> Path:
        """A copy of the plate's folder, under its own name, for the rules that change something."""
        copy = tmp_path / "copied_for_contract" / plate_folder.name
        shutil.copytree(plate_folder, copy, symlinks=True)
        return copy

    @pytest.fixture
    def handler(self) -> MicroscopeHandler:
        """A handler."""
        return self.new_handler()

    @pytest.fixture
    def inventory(self, handler: MicroscopeHandler, plate_folder: Path) -> Plate:
        """The inventory of the plate."""
        return handler.build_inventory(plate_folder)


def present(plate: Plate) -> list[Plane]:
    """Return the planes that are there."""
    return [plane for plane in plate.planes if plane.state == PlaneState.PRESENT]


def first_present(plate: Plate) -> Plane:
    """Return the first plane that is there, or skip where none is."""
    planes = present(plate)
    return planes[0] if planes else pytest.skip("no plane is present: see test_the_plate_has_planes")
