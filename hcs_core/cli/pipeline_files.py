"""Pipelines as the command line loads them: a file's own functions may lie beside it."""

from __future__ import annotations

import sys
from pathlib import Path

from hcs_core.pipeline.pipeline import Pipeline


def load_pipeline(path: Path) -> Pipeline:
    """Load a pipeline; `module:function` in it may name a module beside the file.

    As Python does for a script: its folder is looked through for modules, here after all others, so that no file
    there stands in place of an installed module. Workers look there too. This process is the command's own.

    Raises
    ------
    PipelineError
        The file cannot be read, or something in it is wrong.
    """
    folder = str(path.absolute().parent)
    if folder not in sys.path:
        sys.path.append(folder)
    return Pipeline.load(path)
