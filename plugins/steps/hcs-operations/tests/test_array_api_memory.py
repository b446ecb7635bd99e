"""Rounding, clipping, stacking and counting, written once for all array libraries."""

import numpy as np
import pytest
from array_api_compat import array_namespace

from hcs_core import to_dtype
from hcs_operations.array_api_memory import ArrayApiMemory
from hcs_operations.portable.dtypes import limits, name_of, to_image

INTEGERS = ("uint8", "uint16", "int8", "int16", "int32", "uint32")
FLOATS = np.array([
    -5e9, -3e9, -40000.5, -129.5, -128.5, -1.5, -0.5, 0.0, 0.49, 0.5, 1.5, 2.5, 127.5, 254.5, 255.5, 32767.5, 65534.5,
    65535.5, 2147483520, 3e9, 4294967040, 5e9, 1e30, np.inf, -np.inf, np.nan,
])  # fmt: skip
WHOLE = np.array([-(2**31), -70000, -129, -128, -1, 0, 1, 127, 128, 255, 256, 32768, 65535, 65536, 2**31 - 1])
VALUES = {
    "float16": FLOATS[3:15].astype(np.float16),
    "float32": FLOATS.astype(np.float32),
    "float64": FLOATS,
    "int32": WHOLE.astype(np.int32),
    "uint8": np.arange(256).astype(np.uint8),
    "bool": np.array([True, False]),
}


def made(library, values):
    """Return an array, or skip where the library has none of its dtype."""
    if (library.name, values.dtype.name) in {("jax", "float64"), ("array-api-strict", "float16")}:
        pytest.skip(f"{library.name} computes in no {values.dtype} here")
    return library.array(values)


@pytest.mark.parametrize("source", VALUES)
@pytest.mark.parametrize("dtype", [*INTEGERS, "float32"])
def test_numbers_become_the_pixels_that_the_core_makes_of_them(eager_library, source, dtype):
    given = made(eager_library, VALUES[source])
    found = to_image(given, array_namespace(given), dtype, eager_library.dtype(dtype))
    assert name_of(found.dtype) == eager_library.held(dtype)
    np.testing.assert_array_equal(eager_library.numpy(found), to_dtype(VALUES[source], dtype))


def test_what_is_held_wider_is_clipped_at_the_images_limits(eager_library):
    given = made(eager_library, np.array([-5, 7, 70000], np.int32))
    found = to_image(given, array_namespace(given), "uint16", array_namespace(given).int32)
    assert eager_library.numpy(found).tolist() == [0, 7, 65535]


def test_limits_are_numpys():
    for name in (*INTEGERS, "int64", "uint64"):
        assert limits(name) == (np.iinfo(name).min, np.iinfo(name).max)
    assert limits("float32") is None
    assert limits("bool") is None


class Memory(ArrayApiMemory):
    """A memory type that holds as a library does."""

    def __init__(self, library):
        self.wider = dict(library.wider) | {"complex64": ""}

    def holds(self, dtype):
        return self.wider.get(dtype, dtype)


def test_an_image_is_cast_as_it_is_held(eager_library):
    memory = Memory(eager_library)
    given = made(eager_library, np.array([[-1.0, 2.5, 1e6]], np.float32))
    pixels = memory.cast(given, "uint16")
    assert name_of(pixels.dtype) == eager_library.held("uint16")
    assert eager_library.numpy(pixels).tolist() == [[0, 2, 65535]]
    assert memory.cast(given, "float32") is given
    own = made(eager_library, np.array([[3]], np.uint8))
    assert memory.cast(own, "uint8") is own


def test_planes_are_stacked_and_absent_ones_are_zeros(eager_library):
    plane = made(eager_library, np.array([[0, 2, 65535]], np.uint16))
    stack = Memory(eager_library).stack([None, plane, plane])
    assert stack.dtype == plane.dtype
    assert eager_library.numpy(stack).tolist() == [[[0, 0, 0]], [[0, 2, 65535]], [[0, 2, 65535]]]


def test_what_is_not_finite_is_counted(eager_library):
    memory = Memory(eager_library)
    assert memory.nonfinite(made(eager_library, np.array([[np.nan, 1.0, -np.inf, np.inf]], np.float32))) == 3
    assert memory.nonfinite(made(eager_library, np.array([[1, 2]], np.uint16))) == 0


def test_a_dtype_that_is_not_held_is_refused(eager_library):
    given = made(eager_library, np.zeros(2, np.float32))
    with pytest.raises(ValueError, match="Memory holds no image of dtype 'complex64'"):
        Memory(eager_library).cast(given, "complex64")
