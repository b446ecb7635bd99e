"""What a user's function gets of a memory type whose arrays can be written to."""

from types import SimpleNamespace

import numpy as np

from hcs_core.arrays.host_memory import HostMemory
from hcs_core.runtime.well.lent_arrays import LentArrays


class Marked(HostMemory):
    """Tells of writes by the bytes."""

    def mark(self, array):
        return array.tobytes()


def lent(memory, image, *, function=print, **keywords):
    return LentArrays(SimpleNamespace(function=function, memory_type="other"), memory, image, keywords)


def test_of_one_that_cannot_tell_of_writes_it_gets_copies():
    image, light = np.arange(6.0).reshape(2, 3), np.ones((2, 3))
    given = lent(HostMemory(), image, light=light, gain=2)
    assert np.array_equal(given.image, image)
    given.image[...] = 0
    given.keywords["light"][...] = 0
    assert (image.sum(), light.sum(), given.keywords["gain"]) == (15.0, 6.0, 2)
    assert list(given.written()) == []


def test_of_one_that_can_it_gets_the_arrays_and_what_it_wrote_into_is_told_by_name():
    image, light = np.arange(6.0).reshape(2, 3), np.ones((2, 3))
    given = lent(Marked(), image, light=light, gain=2)
    assert given.image is image
    assert list(given.written()) == []
    given.keywords["light"][0, 0] = 0
    assert list(given.written()) == ["light"]
    given.image[1] = 0
    assert list(given.written()) == ["", "light"]


def test_kernels_of_plugins_get_the_arrays():
    image = np.zeros((2, 3))
    assert lent(HostMemory(), image, function=None).image is image
