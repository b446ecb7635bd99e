"""How kernels come under their contract: which test is about which, and how one is called."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any, ClassVar

import attrs
import numpy as np
import numpy.typing as npt
import pytest

from hcs_core.arrays.kernel_arguments import arguments
from hcs_core.arrays.memory_type import CPU, HOST, HasDevices, MemoryType
from hcs_core.arrays.table import Table
from hcs_core.errors import one_line
from hcs_core.plugins.artifact import ArtifactKind
from hcs_core.plugins.signature import CONTEXT, DTYPE, PRESENT, MissingPolicy
from hcs_core.plugins.specs import KernelSpec, MemoryTypeSpec
from hcs_core.plugins.tolerance import Tolerance
from hcs_core.runtime.well.made_artifacts import checked, taken_apart
from hcs_core.testing.contracts.kernel_images import SHAPES, images, out_shape
from hcs_core.testing.contracts.targets import imported, made
from hcs_core.testing.libraries import require_library


@attrs.frozen(kw_only=True, eq=False)
class Outcome:
    """What a kernel made of an image: `given` are its parameters' values, `what` the image in words.

    `result` is numpy's, in the dtype in which the kernel's memory type holds it.
    """

    what: str
    picture: npt.NDArray[Any]
    given: Mapping[str, Any]
    result: npt.NDArray[Any]


class KernelCalls:
    """See `KernelContract` for the attributes."""

    kernels: ClassVar[Sequence[KernelSpec]]
    memory_types: ClassVar[Sequence[MemoryTypeSpec]] = ()
    arguments: ClassVar[Mapping[str, Mapping[str, Any] | Sequence[Mapping[str, Any]]]] = {}
    references: ClassVar[Mapping[str, Callable[..., npt.NDArray[Any]]]] = {}
    reference_kernels: ClassVar[Sequence[KernelSpec]] = ()
    tolerances: ClassVar[Mapping[str, Tolerance]] = {}
    artifacts: ClassVar[Mapping[str, Mapping[str, Any]]] = {}
    context: ClassVar[Any] = None
    shapes: ClassVar[Sequence[tuple[int, int]]] = SHAPES

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        """Run each test for each kernel that it is about, and for each dtype that it takes where it asks for one.

        What a test calls its kernel says which it is about: `kernel` is any, `stacking` one that stacks z or t,
        `masking` one that masks absent planes, `estimating` one with parameters that are estimated, `on_numpy` one on
        numpy's own arrays, `elsewhere` one on others, `batching` one that takes several images at once, `referenced`
        one that has a reference, `imaging` one that returns an image, `making` one
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
            "on_numpy": lambda kernel: self._memory_spec(kernel) is None,
            "elsewhere": lambda kernel: self._memory_spec(kernel) is not None,
            "batching": lambda kernel: kernel.batches,
            "referenced": lambda kernel: self._reference(kernel) is not None,
            "imaging": lambda kernel: not kernel.signature.passes_on,
            "making": lambda kernel: bool(kernel.signature.makes),
            "taking": lambda kernel: bool(kernel.signature.takes),
        }

    def _results(self, kernel: KernelSpec, dtype: str, device: str = "") -> Iterator[Outcome]:
        """Yield what the kernel makes of every image with every set of its parameters."""
        for given in self._sets(kernel):
            for what, picture in images(kernel.signature, dtype, self.shapes):
                if self._out_shape(kernel, picture, given) is None:
                    continue
                try:
                    with warnings.catch_warnings():
                        warnings.simplefilter("ignore")
                        raw = self._raw(kernel, picture, device, **self._values(kernel, picture.shape, given, device))
                        result = self._host(kernel, self._image(kernel, raw))
                # What it raises is told by the rule that it takes every image.
                except Exception as error:  # noqa: BLE001
                    pytest.skip(f"on {what} it raises {one_line(error)}: see test_it_takes_every_image_of_its_dtypes")
                told = f"{what} with {dict(given)}" if given else what
                yield Outcome(what=told, picture=picture, given=given, result=result)

    def _sets(self, kernel: KernelSpec) -> Sequence[Mapping[str, Any]]:
        """Return the sets of parameters that `arguments` has for an operation, at least one."""
        given = self.arguments.get(kernel.operation, {})
        return [given] if isinstance(given, Mapping) else [*given] or [{}]

    def _values(
        self, kernel: KernelSpec, shape: tuple[int, ...], given: Mapping[str, Any], device: str = ""
    ) -> dict[str, Any]:
        """Return a value for every parameter of a kernel, arrays as its memory type has them on a device."""
        height, width = shape[-2:]
        values = arguments(kernel.signature, given, (height, width))
        return {
            name: self._given(kernel, value, device) if isinstance(value, np.ndarray) else value
            for name, value in values.items()
        }

    def _run(self, kernel: KernelSpec, picture: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Return the image that a kernel makes, as numpy's."""
        return self._host(kernel, self._image(kernel, self._raw(kernel, picture)))

    def _raw(self, kernel: KernelSpec, picture: npt.NDArray[Any], device: str = "", /, **more: Any) -> Any:
        """Return what a kernel returns: image and artifacts."""
        more = self._dtype(kernel, picture.dtype.name) | more
        return self._call(kernel, self._given(kernel, picture, device), picture.shape, **more)

    def _dtype(self, kernel: KernelSpec, dtype: str) -> dict[str, Any]:
        """Return the keyword by which a kernel is told the dtype of its image, if it asks for it."""
        return {DTYPE: dtype} if kernel.takes_dtype else {}

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

    def _call(self, kernel: KernelSpec, given: Any, shape: tuple[int, ...], /, **more: Any) -> Any:
        memory = self._memory(kernel)
        keywords = self._keywords(kernel, tuple(shape)) | more
        scope: AbstractContextManager[None] = nullcontext()
        if memory is not None and isinstance(memory, HasDevices):
            scope = memory.scope(memory.device_of(given), more.get(DTYPE, ""))
        with scope:
            return self._function(kernel)(given, **keywords)

    def _function(self, kernel: KernelSpec) -> Callable[..., Any]:
        """Return what a kernel's target is; where its library is absent, the test is skipped."""
        self._memory(kernel)
        function: Callable[..., Any] = imported(kernel.target)
        return function

    def _keywords(self, kernel: KernelSpec, shape: tuple[int, ...]) -> dict[str, Any]:
        """Return all that a kernel is told beside its image but for its dtype, with its first set of parameters."""
        values = self._values(kernel, shape, self._sets(kernel)[0])
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

    def _out_shape(
        self, kernel: KernelSpec, picture: npt.NDArray[Any], given: Mapping[str, Any] | None = None
    ) -> tuple[int, ...] | None:
        """Return the shape that a kernel's result has to have; `None` where nothing is left of the image."""
        height, width = picture.shape[-2:]
        first = self._sets(kernel)[0] if given is None else given
        return out_shape(kernel.signature, picture.shape, arguments(kernel.signature, first, (height, width)))

    def _reference(self, kernel: KernelSpec) -> Callable[..., npt.NDArray[Any]] | None:
        """Return what a kernel has to agree with."""
        if kernel.operation in self.references:
            return self.references[kernel.operation]
        for spec in self.reference_kernels:
            if spec.operation == kernel.operation and spec.name != kernel.name:
                reference: Callable[..., npt.NDArray[Any]] = imported(spec.target)
                return reference
        return None

    def _expected(self, kernel: KernelSpec, outcome: Outcome) -> npt.NDArray[Any]:
        """Return what the reference makes of an image, with the same parameters, as numpy's arrays."""
        reference = self._reference(kernel)
        assert reference is not None
        shape = outcome.picture.shape
        told = arguments(kernel.signature, outcome.given, (shape[-2], shape[-1]))
        others = {name: value for name, value in self._keywords(kernel, shape).items() if name not in told}
        plain = {
            name: self._host(kernel, value) if self._is_own(kernel, value) else value
            for name, value in others.items()
        }
        return np.asarray(reference(outcome.picture, **told, **plain))

    def _excess(self, kernel: KernelSpec, outcome: Outcome, expected: npt.NDArray[Any]) -> float:
        """Return by how much a result is further from what is expected than the operation allows."""
        shape = outcome.picture.shape
        values = arguments(kernel.signature, outcome.given, (shape[-2], shape[-1]))
        return self._tolerance(kernel).at(values).excess(outcome.result, expected, outcome.picture)

    def _tolerance(self, kernel: KernelSpec) -> Tolerance:
        return self.tolerances.get(kernel.operation, kernel.signature.tolerance)

    # --- Its memory type ------------------------------------------------------------------------------------

    def _memory_spec(self, kernel: KernelSpec) -> MemoryTypeSpec | None:
        """Return the memory type that a kernel works in, or `None` for numpy's own arrays."""
        named = (spec for spec in self.memory_types if spec.name == kernel.memory_type != HOST)
        return next(named, None)

    def _memory(self, kernel: KernelSpec) -> MemoryType | None:
        """Return the kernel's memory type, or `None` for numpy's own arrays.

        The test is skipped where its library is absent, or finds no device.
        """
        spec = self._memory_spec(kernel)
        if spec is None:
            return None
        require_library(spec.library)
        memory: MemoryType = made(spec)
        if isinstance(memory, HasDevices) and not memory.devices():
            pytest.skip(f"{spec.library} finds no device on this machine")
        return memory

    def _given(self, kernel: KernelSpec, picture: npt.NDArray[Any], device: str = "") -> Any:
        """Return an image in a kernel's memory type: on the CPU where it has that and no device is named."""
        memory = self._memory(kernel)
        if memory is None:
            return picture
        if isinstance(memory, HasDevices) and not device:
            there = memory.devices()
            device = CPU if CPU in there else there[0]
        return memory.from_host(picture, device or CPU)

    def _is_own(self, kernel: KernelSpec, value: Any) -> bool:
        memory = self._memory(kernel)
        return memory is not None and memory.owns(value)

    def _host(self, kernel: KernelSpec, array: Any) -> npt.NDArray[Any]:
        memory = self._memory(kernel)
        return memory.to_host(array) if memory else np.asarray(array)
