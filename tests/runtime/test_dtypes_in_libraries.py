"""Images of every dtype go through functions in every array library as they go through numpy's."""

from __future__ import annotations

import numpy as np
import pytest

import hcs_jax.plugin
import hcs_memory.plugin
import hcs_numpy.plugin
import hcs_torch.plugin
from hcs_core import (
    GlobalPipelineConfig,
    Pipeline,
    PipelineOrchestrator,
    PluginManager,
    Step,
    VFSConfig,
    step_function,
)
from hcs_core.testing import fakes, require_library, write_fake_plate

DTYPES = ("bool", "uint8", "uint16", "uint32", "int16", "int32", "int64", "float16", "float64")


def seen_after(folder, dtype, function, memory):
    """Return what a numpy function gets of the planes that a function in a memory type made."""

    @step_function(out_dtype=dtype)
    def spread(image):
        # Over the whole range of the dtype, the numbers below 0 too.
        if dtype == "bool":
            return image % 3 == 1
        if dtype.startswith("float"):
            return ((image.astype(np.float64) - 30_000) / 7).astype(dtype)
        limits = np.iinfo(dtype)
        return (image.astype(object) * int(limits.max - limits.min) // 65_535 + int(limits.min)).astype(dtype)

    seen = {}
    changed = step_function(memory=memory, dtypes=(dtype,))(function)

    @step_function(dtypes=(dtype,), context=True)
    def looked_at(image, *, context):
        seen.setdefault(context.well, []).append(image.copy())
        return image.copy()

    folder.mkdir()
    plate = write_fake_plate(folder, wells=("A01",), sites=(1, 2), channels=("DAPI",))
    plugins = PluginManager(strict=True)
    for module in (fakes, hcs_memory.plugin, hcs_numpy.plugin, hcs_torch.plugin, hcs_jax.plugin):
        plugins.register(module)
    config = GlobalPipelineConfig(vfs=VFSConfig(materialization_backend="fake"), use_threading=True, num_workers=1)
    result = PipelineOrchestrator(plate, global_config=config, plugins=plugins, output=folder / "out").run(
        [Pipeline("test", [Step(spread), Step(changed, name="change"), Step(looked_at)])]
    )
    assert result.status == "ok", [record.fault for record in result.failed]
    return np.stack(seen["A01"])


def upside_down(image):
    return image.flip(0) if hasattr(image, "flip") else image[::-1]


def a_third(image):
    """Floats, of everything: rounded and clipped, or as they are."""
    return image / 3


def nine_times(image):
    return image * 9


@pytest.mark.parametrize("library", ["torch", "jax"])
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("function", [upside_down, a_third])
def test_what_a_function_makes_of_an_image_is_what_numpys_makes(tmp_path, library, dtype, function):
    require_library(library)
    found = seen_after(tmp_path / "there", dtype, function, library)
    expected = seen_after(tmp_path / "numpy", dtype, function, "numpy")
    assert found.dtype == expected.dtype == dtype
    assert expected.any()
    # A third of a number of 64 bits is a float of 64 in numpy, and of 32 in torch by default.
    digits = 2e-3 if dtype == "float16" else 1e-6
    assert np.allclose(
        found.astype(float), expected.astype(float), rtol=digits, atol=0 if function is upside_down else 1
    )


def test_what_overflows_in_numpys_dtype_is_clipped_where_it_is_held_wider(tmp_path):
    """As a computation in floats is."""
    require_library("torch")
    found = seen_after(tmp_path / "there", "uint16", nine_times, "torch")
    floats = seen_after(tmp_path / "numpy", "uint16", lambda image: image * np.float64(9), "numpy")
    assert np.array_equal(found, floats)
