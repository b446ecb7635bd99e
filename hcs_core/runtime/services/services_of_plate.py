"""The services of a plate: made by the orchestrator for itself, and anew from a recipe in each worker."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

from hcs_core.arrays.table import Table
from hcs_core.plate.detection import Detected, detect
from hcs_core.plate.found_images import images_below
from hcs_core.plate.inventory import Plate
from hcs_core.plate.opening import inventory, with_positions
from hcs_core.plate.plate_microscope import PlateMicroscope
from hcs_core.plate.reader import Readers
from hcs_core.plate.wells import canonical_well
from hcs_core.plate.workspace import make_workspace, workspace_place
from hcs_core.plugins.manager import PluginManager
from hcs_core.plugins.stitcher_choice import chosen_stitcher
from hcs_core.runtime.output_folder import WORKSPACES, check_outside, prepare_output
from hcs_core.runtime.services.mosaics import write_mosaics
from hcs_core.runtime.services.plate_services import ServicesRecipe
from hcs_core.runtime.services.positions import write_positions
from hcs_core.runtime.services.well_images import WellImages, known_pixel_size, shape_of
from hcs_core.runtime.stitcher import Stitcher, new_stitcher
from hcs_core.runtime.task import RunJob


class ServicesOfPlate:
    """`PlateServices` from a recipe: plugins, handler and inventory are made when they are first needed.

    It travels as its recipe. Threads may share one.

    Parameters
    ----------
    recipe
        What to make it from.
    plugins, detected, plate
        What is known already, so that it is not made again.
    """

    def __init__(
        self,
        recipe: ServicesRecipe,
        *,
        plugins: PluginManager | None = None,
        detected: Detected | None = None,
        plate: Plate | None = None,
    ) -> None:
        self._recipe = recipe
        self._plugins = plugins
        self._detected = detected
        self._plate = plate
        self._making = threading.RLock()

    def __reduce__(self) -> tuple[type[ServicesOfPlate], tuple[ServicesRecipe]]:
        """Leave all but the recipe behind."""
        return ServicesOfPlate, (self._recipe,)

    # --- What is made once -----------------------------------------------------------------------------------

    @property
    def _own_plugins(self) -> PluginManager:
        with self._making:
            if self._plugins is None:
                self._plugins = PluginManager.from_recipe(self._recipe.plugins)
            return self._plugins

    @property
    def _found(self) -> Detected:
        with self._making:
            if self._detected is None:
                self._detected = detect(self._recipe.plate_root, self._own_plugins, self._recipe.microscope)
            return self._detected

    @property
    def plate(self) -> Plate:
        """The plate's inventory."""
        with self._making:
            if self._plate is None:
                self._plate = inventory(self._recipe.plate_root, self._found, Readers(self._own_plugins.readers))
            return self._plate

    # --- The services ----------------------------------------------------------------------------------------

    @property
    def workspace_path(self) -> Path:
        """See `PlateServices.workspace_path`."""
        check_outside(self._recipe.output, self._recipe.plate_root)
        prepare_output(self._recipe.output)
        return make_workspace(self.plate, self._recipe.output / WORKSPACES)

    @property
    def microscope_handler(self) -> PlateMicroscope:
        """See `PlateServices.microscope_handler`."""
        found = self._found
        return PlateMicroscope(
            name=found.name, handler=found.handler, plate=lambda: self.plate, workspace=self._workspace_place
        )

    def get_stitcher(self, name: str | None = None) -> Stitcher:
        """See `PlateServices.get_stitcher`."""
        return new_stitcher(self._own_plugins, name)

    def generate_positions(
        self,
        *,
        well: str,
        input_dir: str | Path,
        positions_dir: str | Path,
        channel: str | int | None = None,
        stitcher: str | None = None,
        pixel_size_um: float | None = None,
        **parameters: Any,
    ) -> tuple[Path, Table]:
        """See `PlateServices.generate_positions`."""
        source = self._source(well, Path(input_dir), stitcher, pixel_size_um)
        return write_positions(source, Path(positions_dir), channel, parameters)

    def stitch_images(
        self,
        *,
        well: str,
        input_dir: str | Path,
        output_dir: str | Path,
        positions_file: str | Path,
        stitcher: str | None = None,
        pixel_size_um: float | None = None,
        **parameters: Any,
    ) -> tuple[Path, ...]:
        """See `PlateServices.stitch_images`."""
        source = self._source(well, Path(input_dir), stitcher, pixel_size_um)
        return write_mosaics(source, Path(output_dir), Path(positions_file), parameters)

    def _workspace_place(self) -> Path:
        return workspace_place(self.plate, self._recipe.output / WORKSPACES)

    def _source(self, well: str, folder: Path, stitcher: str | None, pixel_size_um: float | None) -> WellImages:
        """Return the images of a well below a folder, with what is known of them."""
        plugins, found, name = self._own_plugins, self._found, canonical_well(well)
        spec = chosen_stitcher(plugins.stitchers, stitcher)
        # Readers are used by one thread at a time: each call has its own.
        readers = Readers(plugins.readers)
        images = images_below(folder, self.plate, found.handler.parser, self._workspace_place(), name)
        shape = shape_of(images[0], readers)
        return WellImages(
            plate=with_positions(self.plate, found, readers, (name,)),
            well=name,
            folder=folder,
            output=self._recipe.output,
            images=images,
            readers=readers,
            plugins=plugins,
            spec=spec,
            shape=shape,
            pixel_size_um=known_pixel_size(self.plate, shape, pixel_size_um),
        )


def services_of(job: RunJob, plugins: PluginManager) -> ServicesOfPlate:
    """Return the services of the plate of a job, for a worker with these plugins."""
    recipe = ServicesRecipe(
        plate_root=job.plate_root, microscope=job.plan.microscope, plugins=job.plugins, output=job.output
    )
    return ServicesOfPlate(recipe, plugins=plugins)
