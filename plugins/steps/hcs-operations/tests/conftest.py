"""The array libraries that what is portable runs in."""

import functools
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import array_api_strict
import attrs
import numpy as np
import pytest
from array_api_compat import array_namespace

from hcs_core import Tolerance
from hcs_core.testing import require_library
from hcs_core.testing.contracts.kernel_images import SHAPES

STRICTEST = array_api_strict.ArrayAPIStrictFlags(
    api_version="2024.12", boolean_indexing=False, data_dependent_shapes=False, enabled_extensions=()
)
"""Nothing that a library may leave out."""


@attrs.frozen(kw_only=True)
class Library:
    """An array library: how its arrays are made of numpy's and become them, and how a function is called in it.

    `wider` are the dtypes in which it holds images of others, as its memory type does. It gets only some shapes of
    images where each has to be compiled.
    """

    name: str
    make: Callable[[Any], Any]
    wider: Mapping[str, str] = {}
    traced: Callable[[Callable[..., Any]], Callable[..., Any]] | None = None
    shapes: tuple[tuple[int, int], ...] = SHAPES

    def held(self, dtype: str) -> str:
        return self.wider.get(dtype, dtype)

    def dtype(self, dtype: str) -> Any:
        return getattr(array_namespace(self.make(np.zeros(1, np.float32))), self.held(dtype))

    def array(self, values: Any) -> Any:
        """Return an array as this library holds an image of its dtype."""
        array = np.array(values, order="C")
        return self.make(array.astype(self.held(array.dtype.name)))

    def numpy(self, array: Any) -> Any:
        assert array_namespace(array) is array_namespace(self.make(np.zeros(1, np.float32)))
        return np.asarray(array).copy()

    def bound(self, kernel: Callable[..., Any], dtype: str, parameters: Mapping[str, Any]) -> Callable[[Any], Any]:
        """Return a portable kernel that takes numpy's images of a dtype, and returns them as they are held."""
        function = functools.partial(kernel, dtype=dtype, **parameters)
        traced = self.traced(function) if self.traced else function
        return lambda image: self.numpy(traced(self.array(image)))

    def call(self, kernel: Callable[..., Any], image: Any, **parameters: Any) -> Any:
        """Return what a portable kernel makes of numpy's image, as it is held."""
        return self.bound(kernel, image.dtype.name, parameters)(image)

    def excess(
        self, portable: Callable[..., Any], image: Any, expected: Any, tolerance: Tolerance, **given: Any
    ) -> float:
        """Return by how much a portable kernel is off by more than it may be; 0 or less where all is well.

        What it returns has to be held as its library holds images of the dtype that is expected.
        """
        found = self.call(portable, image, **given)
        assert (found.shape, found.dtype.name) == (expected.shape, self.held(expected.dtype.name))
        return tolerance.at(given).excess(found, expected, image)


def _torch() -> Library:
    torch = require_library("torch")
    wider = {"uint16": "int32", "uint32": "int64"}
    return Library(name="torch", make=torch.from_numpy, wider=wider)


def _jax(*, traced: bool) -> Library:
    jax = require_library("jax")
    shapes = SHAPES[:1] if traced else SHAPES[:2]
    return Library(name="jax", make=jax.numpy.asarray, traced=jax.jit if traced else None, shapes=shapes)


LIBRARIES: Mapping[str, Callable[[], Library]] = {
    "numpy": lambda: Library(name="numpy", make=np.asarray),
    "array-api-strict": lambda: Library(name="array-api-strict", make=array_api_strict.asarray),
    "torch": _torch,
    "jax": lambda: _jax(traced=False),
    "jax-jit": lambda: _jax(traced=True),
}


@pytest.fixture(params=LIBRARIES)
def library(request: pytest.FixtureRequest) -> Iterator[Library]:
    """Each array library in turn; array-api-strict as strict as it can be."""
    with STRICTEST:
        yield LIBRARIES[request.param]()


@pytest.fixture(params=[name for name in LIBRARIES if name != "jax-jit"])
def eager_library(request: pytest.FixtureRequest) -> Iterator[Library]:
    """Each array library in turn, for what cannot be traced."""
    with STRICTEST:
        yield LIBRARIES[request.param]()


@pytest.fixture
def libraries() -> Iterator[Callable[[str], Library]]:
    """The array libraries by name, for tests with many examples; array-api-strict as strict as it can be."""
    with STRICTEST:
        yield lambda name: LIBRARIES[name]()
