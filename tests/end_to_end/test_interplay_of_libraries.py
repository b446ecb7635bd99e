"""Array libraries together: drawn pipelines in numpy, torch and jax leave what the same steps leave in numpy alone.

How far a store may be from numpy's is counted along its steps: what each operation states, and how far it takes apart
what came to it. What runs it (threads, processes, backends that hold what waits) must not change a byte.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import array_api_compat
import attrs
import numpy as np
import pytest
import zarr
from hypothesis import HealthCheck, Phase, given, settings, strategies as st

from hcs_core import GlobalPipelineConfig, Pipeline, PipelineOrchestrator, Step, VFSConfig, step_function
from hcs_core.testing import require_library
from hcs_synthetic import Fault, SyntheticPlate, make_plate as write_plate

WELLS = ("A01", "B03", "C02", "D04")
CHANNELS = ("DAPI", "GFP")
FACTS = {
    "name": "plate", "wells": WELLS, "grid": (1, 3), "image_shape": (36, 44), "z_count": 2, "timepoint_count": 2,
    "cells_per_field": 3.0, "overlap": 0.25, "pixel_size_um": 0.5,
}  # fmt: skip
FAULTS = (
    Fault(kind="missing", wells="A01", sites=1),
    Fault(kind="missing", wells="B03", sites=2, channels=1, z_indexes=2, timepoints=1),
    Fault(kind="truncated", wells="B03", sites=3, channels=2, z_indexes=1, timepoints=2),
)
LIBRARIES = ("numpy", "torch", "jax")


@pytest.fixture(scope="module", autouse=True)
def libraries():
    require_library("torch")
    require_library("jax")


# --- Functions of one's own, the same in each library -------------------------------------------------------------


def own(memory):
    """Functions in a memory type whose results are whole numbers wherever they got such, and so the same in all."""
    space = array_api_compat.array_namespace

    def floats(image):
        return space(image).astype(image, space(image).float32)

    @step_function(memory=memory, version="1")
    def lift(image, *, by: int = 7):
        return floats(image) + by

    @step_function(memory=memory, axes="zyx", version="1")
    def mirror(stack):
        xp = space(stack)
        return xp.maximum(floats(stack), xp.flip(floats(stack), axis=0))

    @step_function(memory=memory, axes="cyx", missing="mask", version="1")
    def share(channels, *, present):
        xp, values = space(channels), floats(channels)
        top = xp.max(xp.stack([values[int(place)] for place in np.flatnonzero(present)]), axis=0)
        return xp.stack([xp.maximum(values[place], xp.floor(top / 2)) for place in range(values.shape[0])])

    @step_function(memory=memory, out_dtype="float32", version="1")
    def quarter(image):
        return floats(image) * 0.25

    @step_function(memory=memory, makes={"shade": "image", "most": "table"}, version="1")
    def observe(image):
        xp = space(image)
        return image, xp.floor(floats(image) / 2), {"value": [int(xp.max(image))]}

    @step_function(memory=memory, takes={"shade": "image"}, version="1")
    def less(image, *, shade):
        return floats(image) - space(image).floor(shade / 4)

    @step_function(memory=memory, takes={"most": "table"}, version="1")
    def more(image, *, most):
        return floats(image) + max(most["value"].tolist()) // 64

    made = (lift, mirror, share, quarter, observe, less, more)
    return {function.__name__: function for function in made}


OWN = {memory: own(memory) for memory in LIBRARIES}


# --- What is drawn ------------------------------------------------------------------------------------------------


@attrs.frozen
class Piece:
    """A step, in each memory type: `kind` is an operation or a function of one's own."""

    name: str
    kind: str
    memory: str
    parameters: dict[str, object] = attrs.field(factory=dict)
    only: tuple[str, str] | None = None
    other: Piece | None = None
    save: bool = True

    def call(self, memory):
        return (OWN[memory].get(self.kind, self.kind), self.parameters)

    def step(self, *, numpy, **more):
        memory = "numpy" if numpy else self.memory
        options = {"name": self.name, "save": numpy or self.save, **more}
        if self.other is not None:
            # An operation of a branch has the step's memory, a function its own.
            names = {
                CHANNELS[0]: self.call(memory),
                CHANNELS[1]: self.other.call("numpy" if numpy else self.other.memory),
            }
            return Step(names, **options)
        if self.kind not in OWN["numpy"] and self.kind != "stitch":
            options["memory"] = memory
        if self.only is None:
            return Step(*self.call(memory)[:1], **self.parameters, **options)
        return Step({self.only[1]: self.call(memory)}, group_by=self.only[0], **options)


PLANE_WISE = {
    "lift": {"by": 9}, "gaussian_blur": {"sigma": 1.3}, "white_tophat": {"radius": 3},
    "unsharp_mask": {"amount": 0.5}, "rescale_intensity": {"low": 100.0, "high": 20000.0},
    "percentile_normalize": {"low": 3.0, "high": 95.0},
}  # fmt: skip
ONLY = {"channel": CHANNELS, "site": ("1", "2"), "well": WELLS[2:], "timepoint": ("1", "2"), "z_index": ("1", "2")}


@st.composite
def pieces(draw, number, state, policy):
    """A step that fits to what was done before it, and to planes that are absent."""
    kinds = [*PLANE_WISE, "lift"] + ["observe"] * 2 * ("observe" not in state)
    # A profile is estimated of at least 16 planes of a channel.
    kinds += ["flat_field"] * 2 * state.isdisjoint({"flat", "stitch"})
    kinds += ["less", "more"] * 2 * ("fits" in state)
    kinds += ["mirror", "max_projection", "mean_projection", "median_projection", "best_focus_projection"] * (
        "flat" not in state
    )
    kinds += ["share", "branch"] * ("one" not in state)
    # It refuses a stack that lacks a channel, and tells which at once.
    kinds += ["composite"] * ("one" not in state and (policy != "fill" or "flat" in state))
    kinds += ["bin", "crop", "stitch", "stitch"] * ("framed" not in state)
    kinds += ["quarter"] * ("float" not in state)
    kind = draw(st.sampled_from(kinds))
    memory = draw(st.sampled_from(LIBRARIES))
    name, save = f"{kind}{number}", draw(st.booleans())
    if kind == "branch":
        other = Piece("", "lift", draw(st.sampled_from(LIBRARIES)), {"by": 30})
        return Piece(name, "lift", memory, {"by": 20}, other=other, save=save)
    parameters = dict(PLANE_WISE.get(kind, {}))
    if kind == "percentile_normalize":
        parameters["limits"] = draw(st.sampled_from(["plane", "well", "plate"]))
    parameters |= {"crop": {"y": 3, "x": 5, "height": 20, "width": 31}, "bin": {"factor": 2}}.get(kind, {})
    only = None
    if kind in PLANE_WISE and draw(st.integers(0, 2)) == 0:
        gone = {"one": "channel", "flat": "z_index", "framed": "site"}
        component = draw(st.sampled_from(sorted(set(ONLY) - {gone.get(each) for each in state})))
        only = component, draw(st.sampled_from(ONLY[component]))
    return Piece(name, kind, memory, parameters, only, save=save)


AFTER = {
    "max_projection": {"flat"}, "mean_projection": {"flat"}, "median_projection": {"flat"},
    "best_focus_projection": {"flat"}, "composite": {"one"}, "bin": {"framed"}, "crop": {"framed"},
    "stitch": {"framed", "stitch"}, "quarter": {"float"}, "observe": {"observe", "fits"},
}  # fmt: skip
MOVES = {"flat", "one", "framed"}


@st.composite
def programs(draw, policy):
    """Pieces in one row, and where a second pipeline begins and what it takes."""
    found, state = [Piece("begin", "lift", draw(st.sampled_from(LIBRARIES)), {"by": 3})], set()
    for number in range(draw(st.integers(2, 6))):
        piece = draw(pieces(number, state, policy))
        added = AFTER.get(piece.kind, set())
        state |= added
        # What was observed belongs to planes that are not there any more.
        state -= {"fits"} if added & MOVES else set()
        found.append(piece)
    second = draw(st.none() | st.integers(1, len(found) - 1)) if len(found) > 2 else None
    return tuple(found), second


def pipelines(program, *, numpy):
    found, second = program
    if second is None:
        return [Pipeline("one", [piece.step(numpy=numpy) for piece in found])]
    first = Pipeline("one", [piece.step(numpy=numpy) for piece in found[:second]])
    rest = [
        piece.step(numpy=numpy, **({"input": "one"} if not place else {}))
        for place, piece in enumerate(found[second:])
    ]
    return [first, Pipeline("two", rest)]


# --- How far from numpy's a store may be --------------------------------------------------------------------------


def images(store):
    """The full images of a store, by well and name."""
    return {
        path.parent.parent.relative_to(store).as_posix(): np.asarray(zarr.open_array(path.parent, mode="r")[:])
        for path in sorted(store.glob("?/??/*/0/zarr.json"))
    }


GAINS = {
    "white_tophat": (2.0, 0.0, 1e-6), "unsharp_mask": (2.0, 1.5, 1.5e-4), "gaussian_blur": (1.0, 1.0, 1e-4),
    "rescale_intensity": (65535 / 19900, 1.0, 1e-5), "mean_projection": (1.0, 1.0, 1e-5), "bin": (1.0, 1.0, 1e-5),
    "median_projection": (1.0, 0.0, 1e-6), "composite": (1.0, 1.0, 1e-5), "flat_field": (8.0, 1.0, 1e-5),
    "quarter": (0.25, 0.0, 0.0), "less": (2.0, 0.0, 0.0), "more": (2.0, 0.0, 0.0), "stitch": (1.0, 0.0, 0.0),
}  # fmt: skip
"""By how much an operation may take apart what was apart, and its own levels and relative tolerance."""


def apart(piece, before, came, made):
    """How far numpy's may be after a piece, if what it got may be `came` apart; `None` where nobody can say."""
    own, floats = GAINS.get(piece.kind), made[next(iter(made))].dtype.kind == "f"
    if piece.kind == "best_focus_projection":
        return None if came else 0.0
    if piece.kind == "percentile_normalize":
        # At least as steep as its steepest plane; what is made of several planes is between theirs, or a little over.
        steep = [
            np.ptp(np.percentile(plane, [3, 95]))
            for image in before.values()
            for plane in image.reshape(-1, *image.shape[-2:])
            if plane.any()
        ]
        if came and (not steep or min(steep) < 20 * came):
            return None
        top = 1.0 if floats else 65535.0
        own = 2 * top / min(steep) if came else 1.0, 1.0, 1e-5
    gain, levels, relative = own or (1.0, 0.0, 0.0)
    largest = max(float(np.max(image)) for image in made.values())
    whole = 1.0 if came and not floats else 0.0
    return gain * came + (relative * max(1.0, largest) if floats else levels + whole)


def check_near(reference, output, program):
    """Each store is as near to numpy's as its steps say."""
    found, second = program
    came, before, ever = 0.0, {}, [0.0]
    for number, piece in enumerate(found):
        made = images(reference / f"{piece.name}.zarr")
        came = None if came is None else apart(piece, before, came, made)
        before = made
        ever.append(came)
        if piece.save:
            check_store(reference, output, f"{piece.name}.zarr", came)
        if number in {len(found) - 1, (second or 0) - 1}:
            # Beside a mosaic, the tiles as they came to it are kept.
            last = number == len(found) - 1
            check_store(reference, output, "images.zarr" if last else "one.zarr", None if None in ever else max(ever))


def check_store(reference, output, name, allowed):
    wanted, made = images(reference / name), images(output / name)
    assert made.keys() == wanted.keys() != set(), name
    for at, image in wanted.items():
        assert (made[at].dtype, made[at].shape) == (image.dtype, image.shape), (name, at)
        if allowed is not None:
            most = float(np.abs(made[at].astype(float) - image.astype(float)).max())
            assert most <= allowed, f"{name} {at}: {most} apart, and {allowed} are allowed"


TOLD_APART = {"run.json", "plan.json", "pipeline.yaml", "wells.csv"}


def files_of(output):
    """What a run has made, by the names of the files."""
    return {
        path.relative_to(output).as_posix(): path.read_bytes()
        for path in output.rglob("*")
        if path.is_file() and ".hcs" not in path.parts and path.suffix != ".png" and path.name not in TOLD_APART
    }


# --- Running ------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def plates(tmp_path_factory):
    folder = tmp_path_factory.mktemp("libraries")
    whole = write_plate(folder / "whole", SyntheticPlate(**FACTS))
    damaged = write_plate(folder / "damaged", SyntheticPlate(**FACTS, faults=FAULTS))
    return lambda policy: whole if policy == "error" else damaged


def run(plate, output, rows, policy="error", held="memory", **how):
    config = GlobalPipelineConfig(
        **{"num_workers": 1, **how}, missing=policy, vfs=VFSConfig(intermediate_backend=held)
    )
    result = PipelineOrchestrator(plate, global_config=config, output=output).run(rows)
    assert not result.failed, [record.fault.trace or record.fault.error for record in result.failed]
    return result


WAYS = [("disk", {"num_workers": 2, "use_threading": True}), ("zarr", {})]


@st.composite
def cases(draw):
    policy = draw(st.sampled_from(["error", "skip-site", "skip-well", "fill"]))
    return draw(programs(policy)), policy, draw(st.sampled_from(WAYS))


# Most of the time goes into compiling for jax, each shape anew: more examples are for a look of one's own.
@settings(
    max_examples=2, deadline=None, suppress_health_check=list(HealthCheck), phases=[Phase.reuse, Phase.generate]
)
@given(case=cases())
def test_steps_of_all_libraries_leave_what_numpy_leaves(plates, case):
    program, policy, way = case
    with tempfile.TemporaryDirectory() as place:
        folder, plate = Path(place), plates(policy)
        run(plate, folder / "numpy", pipelines(program, numpy=True), policy)
        run(plate, folder / "mixed", pipelines(program, numpy=False), policy)
        check_near(folder / "numpy", folder / "mixed", program)
        held, how = way
        run(plate, folder / "other", pipelines(program, numpy=False), policy, held, **how)
        assert files_of(folder / "other") == files_of(folder / "mixed")


EVERYTHING = (
    (
        Piece("begin", "lift", "torch", {"by": 3}),
        Piece("flat", "flat_field", "torch"),
        Piece("observe", "observe", "jax", save=False),
        Piece("one", "lift", "torch", {"by": 9}, only=("well", "B03"), save=False),
        Piece("less", "less", "torch", save=False),
        Piece("share", "share", "jax"),
        Piece(
            "normalize", "percentile_normalize", "torch", {"low": 3.0, "high": 95.0, "limits": "plate"}, save=False
        ),
        Piece("stitch", "stitch", "numpy", save=False),
        Piece("blur", "gaussian_blur", "jax", {"sigma": 1.3}),
    ),
    5,
)


def test_worker_processes_leave_what_the_calling_process_leaves(plates, tmp_path):
    run(plates("fill"), tmp_path / "here", pipelines(EVERYTHING, numpy=False), "fill")
    how = {"num_workers": 2, "use_threading": False}
    run(plates("fill"), tmp_path / "processes", pipelines(EVERYTHING, numpy=False), "fill", "disk", **how)
    assert files_of(tmp_path / "processes") == files_of(tmp_path / "here")
