"""How kernels come under their contract: which test is about which, and how one is called."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
import pytest

from hcs_core.arrays.kernel_arguments import arguments
from hcs_core.arrays.memory_type import MemoryType
from hcs_core.arrays.table import Table
from hcs_core.errors import one_line
from hcs_core.plugins.artifact import ArtifactKind
from hcs_core.plugins.signature import CONTEXT, PRESENT, MissingPolicy
from hcs_core.plugins.specs import KernelSpec, MemoryTypeSpec
from hcs_core.plugins.tolerance import Tolerance
from hcs_core.runtime.well.made_artifacts import checked, taken_apart
from hcs_core.testing.contracts.kernel_images import images, out_shape
from hcs_core.testing.contracts.targets import imported, made


class KernelCalls:
    """See `KernelContract` for the attributes."""

    kernels: ClassVar[Sequence[KernelSpec]]
    memory_types: ClassVar[Sequence[MemoryTypeSpec]] = ()
    arguments: ClassVar[Mapping[str, Mapping[str, Any]]] = {}
    references: ClassVar[Mapping[str, Callable[..., npt.NDArray[Any]]]] = {}
    tolerances: ClassVar[Mapping[str, Tolerance]] = {}
    artifacts: ClassVar[Mapping[str, Mapping[str, Any]]] = {}
    context: ClassVar[Any] = None

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        """Run each test for each kernel that it is about, and for each dtype that it takes where it asks for one.

        What a test calls its kernel says which it is about: `kernel` is any, `stacking` one that stacks z or t,
        `masking` one that masks absent planes, `estimating` one with parameters that are estimated, `on_numpy` one on
        numpy's own arrays, `referenced` one that has a reference, `imaging` one that returns an image, `making` one
        that makes artifacts, `taking` one that takes some.
        """
        for name, is_about in self._kinds().items():
            if name not in metafunc.fixturenames:
                continue
            kernels = [kernel for kernel in self.kernels if is_about(kernel)]
            names = [name, "dtype"] if "dtype" in metafunc.fixturenames else [name]
            cases = [
                pytest.param(*values, id="-".join([kernel.name, *values[1:]]))
                for kernel in kernels
                for values in ([(kernel, dtype) for dtype in kernel.signature.dtypes] if names[1:] else [(kernel,)])
            ]
            none = pytest.mark.skip(reason=f"none of these kernels is {name}: see KernelContract")
            metafunc.parametrize(names, cases or [pytest.param(*[None] * len(names), marks=none)])

    def _kinds(self) -> dict[str, Callable[[KernelSpec], bool]]:
        return {
            "kernel": lambda _kernel: True,
            "stacking": lambda kernel: bool({"z", "t"} & set(kernel.signature.axes)),
            "masking": lambda kernel: kernel.signature.missing == MissingPolicy.MASK,
            "estimating": lambda kernel: bool(kernel.signature.estimates),
            "on_numpy": lambda kernel: self._memory(kernel) is None,
            "referenced": lambda kernel: kernel.operation in self.references,
            "imaging": lambda kernel: not kernel.signature.passes_on,
            "making": lambda kernel: bool(kernel.signature.makes),
            "taking": lambda kernel: bool(kernel.signature.takes),
        }

    def _results(self, kernel: KernelSpec, dtype: str) -> Iterator[tuple[str, npt.NDArray[Any], npt.NDArray[Any]]]:
        """Yield every image in words and in pixels, with what the kernel makes of it."""
        for what, picture in images(kernel.signature, dtype):
            if self._out_shape(kernel, picture) is None:
                continue
            try:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    result = self._run(kernel, picture)
            # What it raises is told by the rule that it takes every image.
            except Exception as error:  # noqa: BLE001
                pytest.skip(f"on {what} it raises {one_line(error)}: see test_it_takes_every_image_of_its_dtypes")
            yield what, picture, result

    def _run(self, kernel: KernelSpec, picture: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Return the image that a kernel makes, as numpy's."""
        return self._host(kernel, self._image(kernel, self._raw(kernel, picture)))

    def _raw(self, kernel: KernelSpec, picture: npt.NDArray[Any], **more: Any) -> Any:
        """Return what a kernel returns: image and artifacts."""
        return self._call(kernel, self._given(kernel, picture), picture.shape, **more)

    def _image(self, kernel: KernelSpec, result: Any) -> Any:
        """Return the image of what a kernel returned."""
        return self._apart(kernel, result)[0]

    def _apart(self, kernel: KernelSpec, result: Any) -> tuple[Any, tuple[Any, ...]]:
        try:
            return taken_apart(kernel.signature, result)
        except ValueError as error:
            pytest.skip(f"{error}: see test_it_makes_what_its_signature_says")

    def _outcome(self, kernel: KernelSpec, result: Any) -> list[npt.NDArray[Any]]:
        """Return all that a kernel returned as numpy's arrays: the image, columns of tables, JSON as a text."""
        image, values = self._apart(kernel, result)
        found = [] if kernel.signature.passes_on else [self._host(kernel, image).copy()]
        for says, value in zip(kernel.signature.makes, values, strict=True):
            try:
                kept = checked(says, value, lambda array: self._host(kernel, array))
            except ValueError as error:
                pytest.skip(f"{error}: see test_it_makes_what_its_signature_says")
            table = isinstance(kept, Table)
            found += [np.asarray(kept.names), *kept.columns.values()] if table else [np.asarray(kept)]
        return found

    def _outcome_shape(self, kernel: KernelSpec, picture: npt.NDArray[Any]) -> tuple[int, ...]:
        """Return the shape of the image that a kernel makes; without one, `()`."""
        result = self._raw(kernel, picture)
        return () if kernel.signature.passes_on else self._host(kernel, self._image(kernel, result)).shape

    def _plain(self, kernel: KernelSpec, artifact: Any) -> Any:
        """Return an artifact that a kernel takes as what can be compared."""
        if isinstance(artifact, Table):
            return [(name, column.tolist()) for name, column in artifact.columns.items()]
        return artifact if isinstance(artifact, dict | list) else self._host(kernel, artifact).copy()

    def _call(self, kernel: KernelSpec, given: Any, shape: tuple[int, ...], **more: Any) -> Any:
        return imported(kernel.target)(given, **(self._keywords(kernel, tuple(shape)) | more))

    def _keywords(self, kernel: KernelSpec, shape: tuple[int, ...]) -> dict[str, Any]:
        values = arguments(kernel.signature, self.arguments.get(kernel.operation, {}), (shape[-2], shape[-1]))
        if kernel.signature.missing == MissingPolicy.MASK:
            values[PRESENT] = np.ones(shape[:-2], np.bool_)
        if kernel.signature.context:
            values[CONTEXT] = self.context
        return values | self._taken(kernel, shape)

    def _taken(self, kernel: KernelSpec, shape: tuple[int, ...]) -> dict[str, Any]:
        """Return what a kernel takes by name: what `artifacts` gives, or an empty one, or a dark plane."""
        given = self.artifacts.get(kernel.operation, {})
        empty = {ArtifactKind.TABLE: Table({}), ArtifactKind.JSON: {}}
        return {
            taken.keyword: given[taken.keyword]
            if taken.keyword in given
            else self._given(kernel, np.zeros(shape[-2:], np.uint16))
            if taken.kind == ArtifactKind.IMAGE
            else empty[taken.kind]
            for taken in kernel.signature.takes
        }

    def _out_shape(self, kernel: KernelSpec, picture: npt.NDArray[Any]) -> tuple[int, ...] | None:
        return out_shape(kernel.signature, picture.shape, self._keywords(kernel, picture.shape))

    def _memory(self, kernel: KernelSpec) -> MemoryType | None:
        """Return the kernel's memory type, or `None` for numpy's own arrays."""
        for spec in self.memory_types:
            if spec.name == kernel.memory_type and spec.library != "numpy":
                memory: MemoryType = made(spec)
                return memory
        return None

    def _given(self, kernel: KernelSpec, picture: npt.NDArray[Any]) -> Any:
        memory = self._memory(kernel)
        return memory.from_host(picture) if memory else picture

    def _host(self, kernel: KernelSpec, array: Any) -> npt.NDArray[Any]:
        memory = self._memory(kernel)
        return memory.to_host(array) if memory else np.asarray(array)
