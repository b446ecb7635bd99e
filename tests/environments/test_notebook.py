"""A notebook that is run as people run it: functions that are defined in it are steps, in processes too."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap

import nbformat
import pytest

pytestmark = pytest.mark.environments

CELLS = (
    """
    from pathlib import Path
    import numpy as np
    from hcs_core import GlobalPipelineConfig, Pipeline, PipelineOrchestrator, Step, step_function
    """,
    """
    offset = 3

    @step_function()
    def brighter(image, *, factor: float = 2.0):
        return np.clip(image * factor + offset, 0, 65535).astype(image.dtype)
    """,
    """
    config = GlobalPipelineConfig(num_workers=2, use_threading=False)
    orchestrator = PipelineOrchestrator(Path("PLATE"), global_config=config, output=Path("OUT"))
    result = orchestrator.run([Pipeline("mine", [Step(brighter, factor=1.5), Step("max_projection")])])
    result.status
    """,
    """
    import tifffile, zarr
    found = zarr.open_array("OUT/images.zarr/A/01/0/0", mode="r")[0, 0, 0]
    planes = [tifffile.imread(f"PLATE/TimePoint_1/ZStep_{z}/plate_A01_w1.TIF") for z in (1, 2)]
    expected = np.clip(np.max(planes, axis=0) * 1.5 + 3, 0, 65535).astype(np.uint16)
    bool((found == expected).all())
    """,
    """
    # A cell is run again with another value: what was made of the old one is not taken for this.
    offset = 4

    @step_function()
    def brighter(image, *, factor: float = 2.0):
        return np.clip(image * factor + offset, 0, 65535).astype(image.dtype)

    again = PipelineOrchestrator(Path("PLATE"), global_config=config, output=Path("AGAIN"))
    again.run([Pipeline("mine", [Step(brighter, factor=1.5), Step("max_projection")])]).status
    """,
    """
    other = zarr.open_array("AGAIN/images.zarr/A/01/0/0", mode="r")[0, 0, 0]
    sorted({int(value) for value in (other.astype(int) - found).ravel()})
    """,
)
EXECUTE = """
import sys
import nbformat
from nbclient import NotebookClient
path = sys.argv[1]
notebook = nbformat.read(path, as_version=4)
NotebookClient(notebook, timeout=120, kernel_name="python3").execute()
nbformat.write(notebook, path)
"""


def test_a_notebook_runs_its_own_functions_in_processes(make_plate, tmp_path):
    plate = make_plate(wells=("A01", "B03"), grid=(1, 1), image_shape=(32, 40))
    notebook = nbformat.v4.new_notebook()
    for cell in CELLS:
        text = textwrap.dedent(cell).strip()
        for word, folder in (("PLATE", plate), ("OUT", tmp_path / "out"), ("AGAIN", tmp_path / "again")):
            text = text.replace(word, str(folder))
        notebook.cells.append(nbformat.v4.new_code_cell(text))
    path = tmp_path / "notebook.ipynb"
    nbformat.write(notebook, path)
    # What Jupyter writes for itself goes into a folder of the test.
    folders = {
        name: str(tmp_path / "jupyter") for name in ("IPYTHONDIR", "JUPYTER_CONFIG_DIR", "JUPYTER_RUNTIME_DIR")
    }
    done = subprocess.run(
        [sys.executable, "-c", EXECUTE, path],
        env={**os.environ, **folders},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    shown = [
        [output.get("data", {}).get("text/plain", output.get("text")) for output in cell.outputs]
        for cell in nbformat.read(path, as_version=4).cells
    ]
    # Nothing is printed but what the cells show.
    assert shown == [[], [], ["'ok'"], ["True"], ["'ok'"], ["[1]"]]
