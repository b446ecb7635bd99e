"""Kernels that each break one rule of `KernelContract`."""

import threading
import time
import warnings
from types import MappingProxyType

import numpy as np

from hcs_core import (
    Estimate,
    Estimated,
    Frame,
    KernelSpec,
    Made,
    MemoryTypeSpec,
    MissingPolicy,
    Parameter,
    Signature,
    Table,
    Taken,
)
from hcs_core.plugins.signature import DTYPES
from hcs_core.testing import FakeArray, FakeDeviceMemory, FakeMemoryType, KernelContract, Tolerance

PLANE = Signature(axes="yx", out="yx", dtypes=("uint16", "float32"))
FLOATS = Signature(axes="yx", out="yx", dtypes=("float32",), nonfinite="takes")
STACK = Signature(axes="zyx", out="yx", dtypes=("uint16",))
CHANNELS = Signature(axes="cyx", out="yx", out_channel="x", missing=MissingPolicy.MASK, dtypes=("uint8",))


def under_contract(breaks, signature=PLANE, memory_type="numpy", *, takes_dtype=False, batches=False, **attributes):
    """Put a kernel under the contract, in a class that says which rule it breaks."""

    def declare(kernel):
        spec = KernelSpec(
            operation="made_up",
            memory_type=memory_type,
            target=f"{__name__}:{kernel.__name__}",
            signature=signature,
            takes_dtype=takes_dtype,
            batches=batches,
            summary="made up",
        )
        name = f"Test_{kernel.__name__}"
        globals()[name] = type(name, (KernelContract,), {"kernels": (spec,), "breaks": breaks, **attributes})
        return kernel

    return declare


# --- Nothing is broken ------------------------------------------------------------------------------------------


@under_contract(None, references={"made_up": np.copy})
def copies(image):
    return image.copy()


@under_contract(None, Signature(axes="yx", out="yx", dtypes=DTYPES))
def takes_every_dtype(image):
    return image.copy()


@under_contract(None, STACK, references={"made_up": lambda image: image.max(axis=0)})
def projects(image):
    return image.max(axis=0)


@under_contract(None, CHANNELS)
def leaves_out_what_is_absent(image, *, present):
    return image[present].max(axis=0)


PARAMETERS = (
    Parameter(name="profile", kind="image", description="divides the plane"),
    Parameter(name="power", kind="int", required=True, minimum=2, description="a whole number"),
    Parameter(name="way", kind="str", choices=("one", "other"), required=True, description="one of two"),
    Parameter(name="limits", kind="floats", default=(1.0, 2.0), description="numbers"),
    Parameter(name="gain", kind="float", required=True, above=0.0, maximum=3.0, description="a number"),
    Parameter(name="strict", kind="bool", required=True, description="yes or no"),
)


@under_contract(None, Signature(axes="yx", out="yx", out_dtype="float32", parameters=PARAMETERS, dtypes=("uint8",)))
def takes_parameters(image, *, profile=None, power, way, limits=(1.0, 2.0), gain, strict):
    assert power == 2
    assert way == "one"
    assert limits == (1.0, 2.0)
    assert 0 < gain <= 3
    assert strict is False
    return (image / profile).astype("float32")


BIN = Parameter(name="factor", kind="int", default=2, minimum=1, description="pixels that become one")


@under_contract(
    None, Signature(axes="yx", out="yx", frame=Frame(bin="factor"), parameters=(BIN,), dtypes=("uint16",))
)
def bins(image, *, factor=2):
    height, width = (side // factor * factor for side in image.shape)
    return image[:height:factor, :width:factor].copy()


@under_contract(
    None,
    PLANE,
    memory_type="fake",
    memory_types=(
        MemoryTypeSpec(name="fake", target="hcs_core.testing.fakes.memory_type:FakeMemoryType", library="hcs_core"),
    ),
)
def works_in_another_memory_type(image):
    return FakeArray(image.values.copy())


SPOTS = Made(name="spots", kind="table")
FACTS = Made(name="facts", kind="json")
MASK = Made(name="mask", kind="image")
TAKES = (
    Taken(keyword="spots", kind="table"),
    Taken(keyword="facts", kind="json"),
    Taken(keyword="mask", kind="image"),
)
MEASURES = Signature(axes="yx", out="", makes=(SPOTS,), dtypes=("uint16",))


@under_contract(None, Signature(axes="yx", out="", makes=(SPOTS, FACTS), dtypes=("uint16",)))
def measures(image):
    y, x = np.nonzero(image == image.max())
    return {"y": y, "x": x}, {"mean": image.mean()}


@under_contract(None, Signature(axes="zyx", out="yx", makes=(MASK,), dtypes=("uint16",)))
def projects_and_makes_a_mask(image):
    return image.max(axis=0), image.max(axis=0) > 0


@under_contract(None, Signature(axes="yx", out="yx", takes=TAKES, context=True, dtypes=("uint16",)))
def takes_what_others_make(image, *, spots, facts, mask, context):
    assert len(spots) == 0
    assert (facts, context) == ({}, None)
    return np.where(mask > 0, image, 0).astype(image.dtype)


@under_contract(
    None,
    Signature(axes="yx", out="", takes=TAKES[:1], makes=(FACTS,), dtypes=("uint16",)),
    artifacts={"made_up": {"spots": Table({"y": [3, 4]})}},
)
def takes_what_the_test_gives(image, *, spots):
    return {"first": spots["y"][0]}


# --- One rule is broken -----------------------------------------------------------------------------------------

GAIN = Parameter(name="gain", kind="float", default=1.0, description="a number")


@under_contract("test_its_keywords_are_the_signatures_parameters", Signature(axes="yx", out="yx", parameters=(GAIN,)))
def has_another_default(image, *, gain=2.0):
    return image.copy()


@under_contract("test_its_keywords_are_the_signatures_parameters", PLANE)
def has_a_keyword_of_its_own(image, *, more=1):
    return image.copy()


@under_contract(
    "test_every_parameter_is_described",
    Signature(axes="yx", out="yx", parameters=(Parameter(name="gain", kind="float", default=1.0),)),
)
def says_nothing_of_a_parameter(image, *, gain=1.0):
    return image.copy()


@under_contract("test_it_takes_every_image_of_its_dtypes")
def stumbles_over_a_single_pixel(image):
    if image.size == 1:
        raise ZeroDivisionError("no neighbours")
    return image.copy()


@under_contract("test_it_takes_every_image_of_its_dtypes")
def warns_of_a_single_row(image):
    if len(image) == 1:
        warnings.warn("one row", RuntimeWarning, stacklevel=2)
    return image.copy()


@under_contract("test_the_shape_is_the_signatures")
def loses_a_row(image):
    return image[1:].copy()


@under_contract("test_the_dtype_is_the_signatures")
def returns_float64(image):
    return image.astype("float64")


@under_contract("test_finite_pixels_stay_finite", Signature(axes="yx", out="yx", dtypes=("float32",)))
def divides_by_darkness(image):
    with np.errstate(all="ignore"):
        return image / image.max()


class Wrapped(np.ndarray):
    """An array of another class."""


@under_contract("test_the_result_is_of_its_memory_type")
def returns_another_class(image):
    return image.copy().view(Wrapped)


@under_contract("test_it_takes_a_stack_of_one_plane", STACK)
def wants_two_planes(image):
    if len(image) < 2:
        raise ValueError("one plane is no stack")
    return image.max(axis=0)


@under_contract("test_it_makes_what_its_signature_says", Signature(axes="yx", out="yx", makes=(SPOTS,)))
def forgets_its_table(image):
    return image.copy()


@under_contract("test_it_makes_what_its_signature_says", MEASURES)
def makes_columns_that_differ_in_length(image):
    return {"y": [1, 2], "x": [1]}


@under_contract(
    "test_what_it_takes_is_left_as_it_was",
    Signature(axes="yx", out="yx", takes=(Taken(keyword="mask", kind="image"),), dtypes=("uint16",)),
)
def writes_into_what_it_takes(image, *, mask):
    mask += 1
    return image.copy()


@under_contract("test_its_keywords_are_the_signatures_parameters", Signature(axes="yx", out="yx", takes=TAKES[:1]))
def does_not_take_what_it_says(image, **others):
    return image.copy()


@under_contract("test_the_image_is_left_as_it_was")
def clears_its_image(image):
    if image.flags.writeable:
        image[...] = 0
    return np.zeros_like(image)


@under_contract("test_it_takes_an_image_that_cannot_be_written_to")
def wants_to_write(image):
    if image.flags.c_contiguous and not image.flags.writeable:
        raise ValueError("buffer source array is read-only")
    return image.copy()


@under_contract("test_the_result_has_memory_of_its_own")
def returns_its_image(image):
    return image


@under_contract("test_the_result_has_memory_of_its_own")
def returns_its_image_where_there_is_nothing_to_do(image):
    return image.copy() if image.any() else image


LAST = {}


def wait_for_another(came):
    """Wait until another thread has come in between, once: however slow the machine, two of them meet."""
    patience = time.monotonic() + 5
    while threading.current_thread() is not threading.main_thread() and "met" not in LAST:
        if came():
            LAST["met"] = True
        if time.monotonic() > patience:
            break
        time.sleep(0.0005)


@under_contract("test_the_same_image_gives_the_same_result")
def remembers(image):
    again = LAST.get("image") is image and threading.current_thread() is threading.main_thread()
    LAST["image"] = image
    return image + image.dtype.type(again)


@under_contract("test_the_same_image_gives_the_same_result", MEASURES)
def measures_how_often_it_was_called(image):
    again = LAST.get("measured") is image and threading.current_thread() is threading.main_thread()
    LAST["measured"] = image
    return {"calls": [int(again)]}


@under_contract("test_a_view_gives_what_its_copy_gives")
def reads_memory_in_its_own_order(image):
    return image.copy() if image.flags.c_contiguous else image + image.dtype.type(1)


@under_contract("test_threads_do_not_disturb_each_other")
def shares_a_buffer(image):
    LAST["shared"] = image
    wait_for_another(lambda: LAST["shared"] is not image)
    return LAST["shared"].copy()


@under_contract("test_absent_planes_do_not_count", CHANNELS)
def counts_what_is_absent(image, *, present):
    return image.max(axis=0)


@under_contract(
    "test_it_agrees_with_its_reference",
    references={"made_up": lambda image: image + image.dtype.type(2)},
    tolerances={"made_up": Tolerance(levels=1)},
)
def is_two_levels_off(image):
    return image.copy()


@under_contract(
    "test_nan_and_infinities_become_what_they_do_in_its_reference",
    FLOATS,
    reference_kernels=(
        KernelSpec(operation="made_up", memory_type="plain", target=f"{__name__}:copies", signature=FLOATS),
    ),
)
def takes_nan_for_dark(image):
    return np.nan_to_num(image, posinf=np.inf, neginf=-np.inf)


# --- Estimates --------------------------------------------------------------------------------------------------

OFFSET = Parameter(name="offset", kind="floats", description="what is taken away; none: the darkest pixel")
SCALE = Parameter(name="scale", kind="float", default=1.0, description="a number")


def estimating(collect="darkest", merge="smaller", reduce="darkest_of_all", size=8):
    """Return a signature whose offset is estimated."""
    estimate = Estimate(
        parameter="offset",
        collect=f"{__name__}:{collect}",
        merge=merge and f"{__name__}:{merge}",
        reduce=f"{__name__}:{reduce}",
        collected_bytes=size,
    )
    parameters = (OFFSET, SCALE)
    return Signature(axes="yx", out="yx", parameters=parameters, dtypes=("uint16",), estimates=(estimate,))


def darkest(plane, *, scale):
    return np.array([plane.min()], np.int64)


def smaller(one, other):
    return np.minimum(one, other)


def darkest_of_all(collected, shape, *, scale):
    return Estimated(value=(float(min(array.min() for array in collected)),), notes={"scale": scale})


def _without_offset(image, *, offset=None, scale=1.0):
    away = 0 if offset is None else int(offset[0])
    return np.clip(image.astype("int64") - away, 0, 65535).astype("uint16")


def _estimates(name, breaks, **functions):
    def kernel(image, *, offset=None, scale=1.0):
        return _without_offset(image, offset=offset, scale=scale)

    kernel.__name__ = name
    globals()[name] = kernel
    under_contract(breaks, estimating(**functions))(kernel)


def without_keywords(plane):
    return np.array([plane.min()], np.int64)


def whole_plane(plane, *, scale):
    return plane.astype(np.int64)


def cleared(plane, *, scale):
    found = darkest(plane, scale=scale)
    plane[...] = 0
    return found


def later(one, other):
    return one - other


def wrong_kind(collected, shape, *, scale):
    return Estimated(value=np.zeros(shape))


COUNT = []


def another_each_time(collected, shape, *, scale):
    COUNT.append(scale)
    return Estimated(value=(float(len(COUNT) % 1000),))


_estimates("estimates_well", None)
_estimates("estimates_without_merging", None, merge="")
_estimates(
    "leaves_keywords_out",
    "test_its_estimates_take_the_parameters_that_are_not_estimated",
    collect="without_keywords",
)
_estimates("collects_whole_planes", "test_a_plane_gives_a_small_array", collect="whole_plane", merge="")
_estimates("clears_what_it_collects", "test_collecting_leaves_the_plane_as_it_was", collect="cleared")
_estimates("merges_in_one_order", "test_merging_gives_the_same_in_any_order", merge="later")
_estimates("estimates_another_kind", "test_what_is_estimated_fits_its_parameter", reduce="wrong_kind")
_estimates("estimates_by_chance", "test_the_same_planes_give_the_same_estimate", reduce="another_each_time")


# --- Other array libraries --------------------------------------------------------------------------------------


class Wide(FakeDeviceMemory):
    """Devices on which uint16 is held in int32, as in torch."""

    widened = MappingProxyType({"uint16": "int32"})


class NoDevices(FakeDeviceMemory):
    """A library that is there and finds no device."""

    there = ()


class PartOfAnArray(FakeArray):
    """An array of which a part can be taken, which shares its memory."""

    def __getitem__(self, place):
        return PartOfAnArray(self.values[place])


class Parts(FakeMemoryType):
    """A memory type with such arrays."""

    def from_host(self, array, device="cpu"):
        return PartOfAnArray(array)


def library(name, library="hcs_core"):
    return (MemoryTypeSpec(name="other", target=f"{__name__}:{name}", library=library),)


def clipped(image, dtype, function):
    limits = (0, 65535) if dtype == "uint16" else (None, None)
    return image.map(lambda values: np.clip(function(values), *limits))


BRIGHTER = Signature(
    axes="yx",
    out="yx",
    parameters=(GAIN,),
    dtypes=("uint16", "float32"),
    tolerance=Tolerance(levels=3, grows_with="gain"),
)


def brighter(image, *, gain=1.0):
    return np.clip(image.astype("float64") + 100 * gain, 0, 65535).astype(image.dtype)


NUMPYS = (KernelSpec(operation="made_up", memory_type="numpy", target=f"{__name__}:brighter", signature=BRIGHTER),)
GAINS = {"made_up": [{}, {"gain": 2.0}]}


@under_contract(
    None,
    BRIGHTER,
    "other",
    memory_types=library("Wide"),
    takes_dtype=True,
    batches=True,
    reference_kernels=NUMPYS,
    arguments=GAINS,
)
def works_on_devices(image, *, gain=1.0, dtype=""):
    return clipped(image, dtype, lambda values: values + values.dtype.type(100 * gain + (dtype == "uint16") * 6))


@under_contract(None, memory_type="other", memory_types=library("Wide", "a_library_that_is_not_there"))
def works_in_a_library_that_is_absent(image):
    raise AssertionError("its tests are skipped")


@under_contract(None, memory_type="other", memory_types=library("NoDevices"))
def works_on_a_device_that_is_absent(image):
    raise AssertionError("its tests are skipped")


@under_contract(None, memory_type="other", memory_types=library("Parts"))
def works_on_a_part(image):
    return PartOfAnArray(image.values.copy())


@under_contract(
    "test_it_agrees_with_its_reference",
    BRIGHTER,
    "other",
    memory_types=library("Parts"),
    reference_kernels=NUMPYS,
    arguments=GAINS,
)
def is_off_with_its_second_parameters(image, *, gain=1.0):
    off = 0 if gain == 1 else 10
    return PartOfAnArray(np.clip(brighter(image.values, gain=gain) + image.values.dtype.type(off), 0, 65535))


@under_contract(
    "test_what_is_held_wider_stays_within_its_own_limits", memory_type="other", memory_types=library("Wide")
)
def leaves_the_limits_of_its_dtype(image):
    return image.map(lambda values: values + values.dtype.type(40000))


@under_contract("test_several_images_at_once_give_what_each_gives", batches=True)
def sees_other_images(image):
    return image - image.min()


@under_contract(
    "test_a_part_of_an_array_gives_what_its_copy_gives", memory_type="other", memory_types=library("Parts")
)
def reads_memory_of_others(image):
    values = image.values
    return PartOfAnArray(values.copy() if values.flags.c_contiguous else values + values.dtype.type(1))


@under_contract("test_it_gives_the_same_on_a_device", memory_type="other", memory_types=library("Wide"))
def computes_otherwise_on_a_device(image):
    off = image.device != "cpu"
    return image.map(lambda values: np.minimum(values, 65000) - values.dtype.type(off) * (values > 0))
