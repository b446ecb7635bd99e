"""Functions of one's own in any memory type: converted as seldom as can be, cast as numpy's are, told where wrong."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

import hcs_memory.plugin
from hcs_core import (
    GlobalPipelineConfig,
    MemoryTypeSpec,
    Pipeline,
    PipelineOrchestrator,
    PluginManager,
    Step,
    VFSConfig,
    hookimpl,
    step_function,
)
from hcs_core.testing import FakeDeviceMemory, fake_pixels, fakes, require_library, write_fake_plate

PLANES = [f"A01_s{site}_c{channel}_z1_t1.fake" for site in (1, 2) for channel in (1, 2)]
SHAPE = (24, 32)


class One(FakeDeviceMemory):
    """Holds uint16 in a wider dtype, as torch does."""

    there = ("cpu",)
    widened = {"uint16": "int32"}  # noqa: RUF012 - of this class


class Two(FakeDeviceMemory):
    there = ("cpu",)


@pytest.fixture
def manager(target):
    """A strict manager with the fakes, and the memory types `one` and `two`."""
    types = [
        MemoryTypeSpec(name=name, target=target(name, cls), library="json")
        for name, cls in (("one", One), ("two", Two))
    ]
    made = PluginManager(strict=True)
    for module in (fakes, hcs_memory.plugin):
        made.register(module)
    made.register(SimpleNamespace(hcs_api=1, hcs_memory_types=hookimpl(lambda: iter(types))), "made_up")
    One.reset()
    Two.reset()
    return made


@pytest.fixture
def run(tmp_path, manager):
    """Return what runs steps on four planes, and returns the result and the planes by their file's name."""

    def run_steps(*steps, dtype="uint16", plugins=None):
        root = write_fake_plate(tmp_path, wells=("A01",), sites=(1, 2), z_indexes=(1,), dtype=dtype)
        config = GlobalPipelineConfig(
            vfs=VFSConfig(materialization_backend="fake"), use_threading=True, num_workers=1
        )
        orchestrator = PipelineOrchestrator(
            root, global_config=config, plugins=plugins or manager, output=tmp_path / "out"
        )
        result = orchestrator.run([Pipeline("test", steps)])
        made = {
            f"A01_s{path.parent.name}_c{int(path.stem.split('_')[1]) + 1}_z1_t1.fake": np.load(path)
            for path in (tmp_path / "out").rglob("A01/*/*.npy")
        }
        return result, made

    return run_steps


# --- Without another library ------------------------------------------------------------------------------------


@step_function(memory="one")
def in_one(image):
    return image + 1


@step_function(memory="two")
def in_two(image):
    return image * 2


@step_function()
def in_numpy(image):
    return image // 3


def check(made, expected, dtype="uint16"):
    assert sorted(made) == sorted(PLANES)
    for name, found in made.items():
        np.testing.assert_array_equal(found, expected(fake_pixels(name, shape=SHAPE, dtype=dtype)), strict=True)


def test_a_chain_of_libraries_is_converted_where_it_changes(run):
    result, made = run(Step(in_numpy), Step(in_one), Step(in_two), Step(in_numpy))
    assert result.wells["A01"].conversions == {"numpy->one": 4, "one->two": 4, "two->numpy": 4}
    check(made, lambda plane: (plane // 3 + 1) * 2 // 3)


def test_a_chain_in_one_library_is_converted_twice_a_plane(run):
    result, made = run(*[Step(in_one)] * 5)
    assert result.wells["A01"].conversions == {"numpy->one": 4, "one->numpy": 4}
    assert One.use.transfers == {"host->cpu": 4, "cpu->host": 4}
    check(made, lambda plane: np.minimum(plane.astype(np.int64) + 5, 65_535).astype(np.uint16))


@step_function(memory="one")
def halves_less_a_thousand(image):
    return image.map(lambda values: values / 2 - 1000.25)


@step_function(memory="one")
def far_above(image):
    return image * 3


@pytest.mark.parametrize("step", [halves_less_a_thousand, far_above])
def test_what_comes_in_floats_or_leaves_its_limits_is_cast(run, step):
    def expected(plane):
        exact = plane.astype(np.float64)
        exact = exact / 2 - 1000.25 if step is halves_less_a_thousand else exact * 3
        return np.clip(np.rint(exact), 0, 65_535).astype(np.uint16)

    result, made = run(Step(step), Step(in_one))
    assert result.status == "ok"
    check(made, lambda plane: np.minimum(expected(plane).astype(np.int64) + 1, 65_535).astype(np.uint16))


@step_function(memory="one")
def returns_numpy(image):
    return np.zeros(image.shape, np.uint16)


@step_function(memory="one")
def returns_the_other(image):
    return Two().from_host(np.zeros(image.shape, np.uint16))


@step_function()
def returns_one(image):
    return One().from_host(image)


@step_function(memory="one")
def returns_two_things(image):
    return image, image


@step_function(memory="one")
def returns_a_row(image):
    return image[0]


@step_function(memory="one")
def returns_truth(image):
    return image.map(lambda values: values > 5)


@step_function(memory="one")
def returns_other_integers(image):
    return image.map(lambda values: values.astype(np.int64))


@pytest.mark.parametrize(
    ("function", "words"),
    [
        (returns_numpy, "it returned a numpy array; its signature (yx -> yx) means a one array: convert it before"),
        (returns_the_other, "it returned a two array; its signature (yx -> yx) means a one array"),
        (returns_one, "it returned a one array; its signature (yx -> yx) means a numpy array"),
        (returns_two_things, "it returned a tuple of 2; its signature (yx -> yx) means one array"),
        (returns_a_row, "it returned the shape (32,); its signature (yx -> yx) means (24, 32)"),
        (returns_truth, "it returned bool; its signature means uint16, which one holds as int32"),
        (returns_other_integers, "it returned int64; its signature means uint16, which one holds as int32"),
    ],
)
def test_what_a_function_may_not_return_is_told(run, function, words):
    result, _ = run(Step(function, name="wrong"))
    fault = result.wells["A01"].fault
    assert (fault.step, fault.function, fault.site) == ("wrong", function.__name__, 1)
    assert words in fault.error


# --- With the real libraries ------------------------------------------------------------------------------------


@pytest.fixture
def real(manager):
    """A manager with the real memory types too."""
    for name in ("torch", "jax"):
        require_library(name)
    import hcs_jax.plugin
    import hcs_torch.plugin

    manager.register(hcs_torch.plugin)
    manager.register(hcs_jax.plugin)
    return manager


@step_function(memory="torch")
def in_torch(image):
    import torch

    assert isinstance(image, torch.Tensor)
    return image * 0.5


@step_function(memory="jax")
def in_jax(image):
    import jax
    import jax.numpy as jnp

    assert isinstance(image, jax.Array)
    return jnp.maximum(image, 1000)


def test_numpy_torch_jax_and_numpy_again_are_three_conversions_a_plane(run, real):
    result, made = run(Step(in_numpy), Step(in_torch), Step(in_jax), Step(in_numpy), plugins=real)
    assert result.wells["A01"].conversions == {"numpy->torch": 4, "torch->jax": 4, "jax->numpy": 4}
    check(made, lambda plane: np.maximum(np.rint(plane // 3 / 2), 1000).astype(np.uint16) // 3)


@step_function(memory="torch")
def one_more(image):
    return image + 1


def test_five_steps_of_torch_are_two_conversions_a_plane(run, real):
    result, made = run(*[Step(one_more)] * 5, plugins=real)
    assert result.wells["A01"].conversions == {"numpy->torch": 4, "torch->numpy": 4}
    check(made, lambda plane: np.minimum(plane.astype(np.int64) + 5, 65_535).astype(np.uint16))


@step_function(memory="torch")
def torch_returns_numpy(image):
    return image.numpy()


@step_function(memory="jax")
def jax_returns_torch(image):
    import torch

    return torch.zeros(image.shape)


@pytest.mark.parametrize(
    ("function", "words"),
    [
        (torch_returns_numpy, "it returned a numpy array; its signature (yx -> yx) means a torch array"),
        (jax_returns_torch, "it returned a torch array; its signature (yx -> yx) means a jax array"),
    ],
)
def test_both_libraries_are_named_where_they_are_mixed(run, real, function, words):
    result, _ = run(Step(function, name="wrong"), plugins=real)
    fault = result.wells["A01"].fault
    assert (fault.step, fault.function, fault.site) == ("wrong", function.__name__, 1)
    assert words in fault.error
