"""What importing and listing a plugin brings in, in an interpreter of its own."""

from __future__ import annotations

import functools
import json
import subprocess
import sys

HEAVY = ("cupy", "cv2", "dask", "imagecodecs", "jax", "numpy", "scipy", "skimage", "tifffile", "torch", "zarr")
"""Libraries that a list of all plugins must not wait for."""

_SCRIPT = """
import importlib, json, sys
sys.path[:] = json.loads(sys.argv[1])
from hcs_core import PluginError, PluginManager
plugin = importlib.import_module(sys.argv[2])
try:
    PluginManager().register(plugin)
except PluginError:
    pass
print(json.dumps(sorted({name.partition(".")[0] for name in sys.modules})))
"""


@functools.cache
def brought_in_by(module: str) -> frozenset[str] | None:
    """Return the top-level modules that are there once a plugin is imported and listed; `None`: it cannot be."""
    done = subprocess.run(  # noqa: S603 - our own interpreter and script
        [sys.executable, "-c", _SCRIPT, json.dumps(sys.path), module],
        capture_output=True,
        text=True,
        check=False,
    )
    return frozenset(json.loads(done.stdout.splitlines()[-1])) if done.returncode == 0 else None
