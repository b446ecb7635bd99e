"""Writing a synthetic plate in a microscope's layout."""

from __future__ import annotations

import tempfile
from pathlib import Path

from hcs_core import LayoutWriter, MicroscopeHandler, PlateError, PluginError, PluginManager
from hcs_synthetic.plate import SyntheticPlate
from hcs_synthetic.spoiling import spoil


def make_plate(
    folder: Path | str,
    plate: SyntheticPlate,
    microscope: str = "imagexpress",
    plugins: PluginManager | None = None,
) -> Path:
    """Write a plate into a folder as a microscope would, with its faults, and return the plate's own folder.

    The plate's folder appears whole or not at all.

    Parameters
    ----------
    folder
        Where the plate's folder is made; it is made itself where it is not there.
    plate
        What is written.
    microscope
        The name of a microscope whose plugin can write its layout.
    plugins
        Where microscopes are looked up; what is installed, if left out.

    Raises
    ------
    hcs_core.UnknownNameError
        No microscope has that name.
    hcs_core.PluginError
        The microscope has no layout writer, or its writer cannot be imported.
    hcs_core.PlateError
        The plate's folder is there already, or the layout cannot hold the plate or one of its faults.
    """
    if plugins is None:
        plugins = PluginManager()
        plugins.discover()
    spec = plugins.microscopes.get(microscope)
    if not spec.layout_writer:
        able = (
            ", ".join(other.name for other in plugins.microscopes if other.layout_writer) or "none of the installed"
        )
        raise PluginError(
            f"the microscope {microscope!r} cannot write plates, only read them; those that can: {able}."
        )
    folder = Path(folder)
    if (folder / plate.name).exists():
        raise PlateError(f"{folder / plate.name} is there already: remove it, or give another folder or plate name.")
    writer: LayoutWriter = plugins.microscopes.load_target(microscope, spec.layout_writer)()
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder, prefix=".") as bench:
        root = writer.write(Path(bench), plate.description(), plate.image)
        if plate.faults:
            handler: MicroscopeHandler = plugins.microscopes.load(microscope)()
            spoil(root, plate, handler, writer)
        return root.rename(folder / root.name)
