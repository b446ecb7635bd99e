"""Images that a pipeline gives to its steps by the path of a file: read once, before the compiler is asked.

The compiler itself reads nothing: the same arguments give the same plan.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from hcs_core.compiler.operations import Images, image_names
from hcs_core.errors import HcsError, one_line
from hcs_core.pipeline.pipeline import Pipeline
from hcs_core.pipeline.step import given_image
from hcs_core.plate.reader import Readers
from hcs_core.plugins.manager import PluginManager
from hcs_core.plugins.parameter import GivenImage

_NUMPY = ".npy"
_READER = "tiff"


def read_images(pipelines: Iterable[Pipeline], plugins: PluginManager) -> dict[str, Images]:
    """Return what the image files that pipelines name hold, by the pipeline and their names in it.

    A text says why one cannot be read. Relative paths count from the pipeline file's folder, else from the working
    directory. `.npy` is numpy's format; all else is read as TIFF.
    """
    readers = Readers(plugins.readers)
    found: dict[str, Images] = {}
    for pipeline in pipelines:
        folder = pipeline.folder or Path()
        names = [name for step in pipeline.steps if step.enabled for name in image_names(step, plugins)]
        found[pipeline.name] = {name: _read(folder / name, name, readers) for name in dict.fromkeys(names)}
    return found


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
