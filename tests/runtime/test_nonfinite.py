"""NaN and infinities in images of floats: refused where nobody says what they mean, and looked for once."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

import hcs_memory.plugin
import hcs_numpy.plugin
from hcs_core import (
    Estimate,
    Estimated,
    GlobalPipelineConfig,
    KernelSpec,
    MemoryTypeSpec,
    Parameter,
    Pipeline,
    PipelineOrchestrator,
    PluginManager,
    ReaderSpec,
    Signature,
    Step,
    VFSConfig,
    hookimpl,
    step_function,
)
from hcs_core.testing import FakeDeviceMemory, FakeReader, fakes, write_fake_plate

SPOILED = "A02_s2_c1_z1_t1.fake"
FLOATS = Signature(axes="yx", out="yx", dtypes=("uint16", "float32"))


class SpoiledReader(FakeReader):
    """Three pixels of one plane of floats are none."""

    def read(self, location, selector, region=None):
        pixels = super().read(location, selector, region)
        if location.endswith(SPOILED) and pixels.dtype.kind == "f":
            pixels[0, :3] = np.nan, np.inf, -np.inf
        return pixels


@pytest.fixture
def plate(tmp_path):
    """Return a maker of a plate of two wells and two sites, and a manager that reads it and has some kernels."""

    def make(dtype="float32"):
        folder = tmp_path / f"{len(list(tmp_path.iterdir()))}"
        folder.mkdir()
        return write_fake_plate(
            folder, wells=("A01", "A02"), sites=(1, 2), channels=("DAPI",), z_indexes=(1,), dtype=dtype
        )

    return make


@pytest.fixture
def manager(target):
    class Cards(FakeDeviceMemory):
        there = ("cuda:0",)

    def doubled(image):
        return image + image

    def kept(image):
        return image + 0

    kernels = [
        KernelSpec(operation="double", memory_type="cards", target=target("doubled", doubled), signature=FLOATS),
        KernelSpec(
            operation="keep",
            memory_type="cards",
            target=target("kept", kept),
            signature=Signature(axes="yx", out="yx", nonfinite="takes"),
        ),
    ]
    made = PluginManager(strict=True)
    plugin = SimpleNamespace(
        hcs_api=1,
        hcs_microscopes=fakes.hcs_microscopes,
        hcs_storage_backends=fakes.hcs_storage_backends,
        hcs_readers=hookimpl(lambda: iter([ReaderSpec(name="fake", target=target("Reader", SpoiledReader))])),
        hcs_memory_types=hookimpl(
            lambda: iter([MemoryTypeSpec(name="cards", target=target("Cards", Cards), library="json")])
        ),
        hcs_kernels=hookimpl(lambda: iter(kernels)),
    )
    made.register(plugin, "made_up")
    for module in (hcs_memory.plugin, hcs_numpy.plugin):
        made.register(module)
    made.cards = Cards
    return made


@pytest.fixture
def run(plate, manager):
    def run_steps(*steps, dtype="float32"):
        config = GlobalPipelineConfig(
            vfs=VFSConfig(materialization_backend="fake"), use_threading=True, num_workers=1
        )
        root = plate(dtype)
        orchestrator = PipelineOrchestrator(root, global_config=config, plugins=manager, output=root.parent / "out")
        return orchestrator.run([Pipeline("test", steps)])

    return run_steps


@step_function(dtypes=("uint16", "float32"))
def halved(image):
    return image / 2


@step_function(nonfinite="takes", dtypes=("uint16", "float32"))
def cleaned(image):
    return np.nan_to_num(image, nan=0, posinf=0, neginf=0)


@step_function(nonfinite="takes", out_dtype="float32")
def logarithm(image):
    with np.errstate(divide="ignore"):
        return np.log(image.astype(np.float32) - image.min())


@step_function(out_dtype="uint16", dtypes=("float32",))
def whole(image):
    return np.clip(image, 0, 65_535)


def statuses(result):
    return {well: record.status for well, record in result.wells.items()}


@pytest.mark.parametrize("step", [Step(halved, name="half"), Step("double", name="half")])
def test_the_well_with_such_pixels_fails_and_says_where_and_how_many(run, step):
    result = run(step)
    assert statuses(result) == {"A01": "ok", "A02": "failed"}
    fault = result.wells["A02"].fault
    assert (fault.step, fault.site) == ("half", 2)
    assert fault.function in {"halved", "double"}
    assert "3 of 768 pixels of its float32 image are NaN or infinite, and it refuses such" in fault.error


def test_a_function_that_takes_them_gets_them(run):
    result = run(Step(cleaned), Step(halved))
    assert result.status == "ok", result.wells["A02"].fault


def test_integers_are_never_looked_at(run, manager):
    assert run(Step("double"), Step(halved), dtype="uint16").status == "ok"
    assert manager.cards.use.calls["nonfinite"] == 0


def test_an_image_is_looked_at_once_on_its_way(run, manager):
    """Four planes; a plugin's kernels make no NaN of what has none, whether they take them or not."""
    run(Step(cleaned), Step("double"), Step("double"), Step("keep"), Step("double"))
    assert manager.cards.use.calls["nonfinite"] == 4


def test_what_a_function_of_one_s_own_returns_is_looked_at_anew(run, manager):
    assert run(Step(logarithm), Step("double")).status == "failed"
    fault = run(Step(logarithm), Step("keep"), Step("double", name="late"), dtype="uint16").wells["A01"].fault
    assert (fault.step, fault.function) == ("late", "double")
    assert "1 of 768 pixels" in fault.error


def test_behind_a_kernel_that_takes_them_they_are_still_there(run):
    fault = run(Step("keep"), Step("double", name="late")).wells["A02"].fault
    assert (fault.step, fault.site) == ("late", 2)


def test_where_a_step_works_in_some_places_the_others_are_not_looked_at_by_it(run):
    """Site 2 passes the first step by, and is looked at by the next."""
    result = run(Step({"1": "double"}, group_by="site"), Step("double", name="late"))
    fault = result.wells["A02"].fault
    assert (fault.step, fault.site) == ("late", 2)


def test_what_becomes_an_integer_has_none(run, manager):
    assert run(Step(cleaned), Step(whole), Step("double")).status == "ok"
    assert manager.cards.use.calls["nonfinite"] == 0


def test_nothing_is_estimated_of_a_plane_that_has_some(run, manager, target):
    """A profile of the plate would be NaN everywhere, and every well with it."""

    def collect(plane):
        return plane.mean(keepdims=True)

    def reduce(collected, shape):
        return Estimated(value=np.full(shape, np.mean(collected), np.float32))

    def flat(image, *, profile=None):
        return image / profile

    signature = Signature(
        axes="yx",
        out="yx",
        parameters=(Parameter(name="profile", kind="image"),),
        estimates=(
            Estimate(
                parameter="profile",
                collect=target("collect", collect),
                reduce=target("reduce", reduce),
                scope="plate",
            ),
        ),
    )
    spec = KernelSpec(operation="flatten", memory_type="numpy", target=target("flat", flat), signature=signature)
    manager.register(SimpleNamespace(hcs_api=1, hcs_kernels=hookimpl(lambda: iter([spec]))), "flattening")
    result = run(Step("flatten", name="flat"))
    assert result.status != "ok"
    fault = result.wells["A02"].fault
    assert (fault.step, fault.site) == ("flat", 2)
    assert "3 of 768 pixels of its float32 image are NaN or infinite" in fault.error


@step_function(dtypes=("uint16",))
def divided(image):
    with np.errstate(divide="ignore", invalid="ignore"):
        return (image - image.min()).astype(np.float32) / (image != image.min()) * np.float32(1)


def test_what_is_computed_for_integers_has_to_be_a_number(run):
    """0 / 0 would be a black pixel like any other."""
    result = run(Step(divided, name="ratio"), dtype="uint16")
    assert set(statuses(result).values()) == {"failed"}
    fault = result.wells["A01"].fault
    assert (fault.step, fault.function) == ("ratio", "divided")
    assert "pixels that it returned are NaN or infinite, which no uint16 is" in fault.error


def test_a_batch_says_which_of_its_images_it_is():
    from hcs_core.compiler.order.presence import Block, PlaneKey
    from hcs_core.runtime.task import WellFaultError
    from hcs_core.runtime.well.nonfinite import refuse_nonfinite

    images = np.zeros((3, 4, 5), np.float32)
    images[2, 0, 0] = np.nan
    blocks = [Block(cells=((0, PlaneKey(site, 1, 1)),)) for site in (7, 8, 9)]
    node = SimpleNamespace(step="s", operation="f", input=SimpleNamespace(dtype="float32"))
    memory = FakeDeviceMemory()
    with pytest.raises(WellFaultError, match="site 9: 1 of 20 pixels"):
        refuse_nonfinite(node, memory, memory.from_host(images), blocks, 7)
    refuse_nonfinite(node, memory, memory.from_host(images[:2]), blocks[:2], 7)


@pytest.mark.parametrize("value", ["perhaps", None, ""])
def test_another_word_is_refused(value):
    with pytest.raises(ValueError, match="expected refuse or takes"):
        Signature(axes="yx", out="yx", nonfinite=value)
