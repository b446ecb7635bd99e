"""Planes that go on beyond their borders as mirrors do."""

import numpy as np
import pytest
from array_api_compat import array_namespace

from hcs_operations.portable.borders import mirrored_places, with_neighbours


@pytest.mark.parametrize("length", [1, 2, 3, 7])
@pytest.mark.parametrize("reach", [0, 1, 5, 40])
def test_a_line_is_mirrored_as_often_as_it_takes(length, reach):
    # numpy's "reflect" mirrors about the centre of the outermost pixels.
    wanted = np.pad(np.arange(length), reach, mode="reflect")
    np.testing.assert_array_equal(mirrored_places(np.arange(-reach, length + reach), length), wanted)


@pytest.mark.parametrize("library", ["numpy", "array-api-strict", "torch"], indirect=True)
@pytest.mark.parametrize("shape", [(1, 1), (1, 4), (3, 2), (2, 3, 4)])
def test_a_pixel_all_around_each_plane(library, shape):
    planes = np.arange(np.prod(shape), dtype=np.float32).reshape(shape)
    wanted = np.pad(planes, [(0, 0)] * (len(shape) - 2) + [(1, 1)] * 2, mode="reflect")
    array = library.array(planes)
    np.testing.assert_array_equal(library.numpy(with_neighbours(array, array_namespace(array))), wanted)
