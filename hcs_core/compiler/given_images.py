"""Images that a pipeline gives to its steps by the path of a file: read once, before the compiler is asked.

The compiler itself reads nothing: the same arguments give the same plan.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from hcs_core.compiler.given_positions import read_given_positions
from hcs_core.compiler.graph.operations import Images, image_names
from hcs_core.compiler.graph.stitching import stitching_call
from hcs_core.errors import HcsError, one_line
from hcs_core.pipeline.pipeline import Pipeline
from hcs_core.pipeline.step import Step, given_image
from hcs_core.plate.reader import Readers
from hcs_core.plugins.manager import PluginManager
from hcs_core.plugins.parameter import GivenImage, ParameterValue
from hcs_core.plugins.stitching_signatures import POSITIONS_FILE

_NUMPY = ".npy"
_READER = "tiff"


def read_images(pipelines: Iterable[Pipeline], plugins: PluginManager) -> dict[str, Images]:
    """Return what the files that pipelines name hold, by the pipeline and their names in it.

    A text says why one cannot be read. Relative paths count from the pipeline file's folder, else from the working
    directory. Of images, `.npy` is numpy's format, and all else is read as TIFF; positions are a CSV file.
    """
    readers = Readers(plugins.readers)
    found: dict[str, Images] = {}
    for pipeline in pipelines:
        folder = pipeline.folder or Path()
        steps = [step for step in pipeline.steps if step.enabled]
        names = [name for step in steps for name in image_names(step, plugins)]
        tables = [value for step in steps for name, value in _stitching_parameters(step) if name == POSITIONS_FILE]
        found[pipeline.name] = {
            **{name: _read(folder / name, name, readers) for name in dict.fromkeys(names)},
            **{name: read_given_positions(folder / name, name) for name in tables if isinstance(name, str)},
        }
    return found


def _stitching_parameters(step: Step) -> tuple[tuple[str, ParameterValue], ...]:
    call = stitching_call(step)
    return () if call is None else call.parameters


def _read(path: Path, name: str, readers: Readers) -> GivenImage | str:
    if not path.is_file():
        return f"{path} is not there."
    try:
        pixels: npt.NDArray[Any] = (
            np.load(path, allow_pickle=False) if path.suffix == _NUMPY else readers[_READER].read(str(path), 0)
        )
        return given_image(pixels, source=name)
    except HcsError as error:
        return str(error)
    except (OSError, ValueError) as error:
        return f"{path} cannot be read ({one_line(error)})."
