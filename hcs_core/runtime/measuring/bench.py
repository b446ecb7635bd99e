"""What is measured in a process that is like a worker: the start of a library, conversions, kernels."""

from __future__ import annotations

import math
import time
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import numpy as np
import numpy.typing as npt

from hcs_core.arrays.device_names import is_of
from hcs_core.arrays.kernel_arguments import arguments
from hcs_core.arrays.memory_type import CPU, HOST, HasDevices, HasQueue, MemoryType, devices_there
from hcs_core.compiler.choice.costs import MEGA, KernelCost, LibraryCost, RouteCost
from hcs_core.plugins.libraries import library_version, usable
from hcs_core.plugins.manager import PluginManager
from hcs_core.plugins.signature import DTYPE, PRESENT, MissingPolicy
from hcs_core.plugins.specs import ConverterSpec, KernelSpec
from hcs_core.runtime.measuring.stopwatch import MOST_RUNS, clock_of, seconds_of

SHAPE = (1080, 1080)
"""Rows and columns of the planes that are measured: those of a camera that is binned, or of half the side."""

DEPTH = 3
"""The planes along each axis of a stack that are measured."""


class Bench:
    """Measures one memory type of a manager; makes it, which starts its library."""

    def __init__(self, plugins: PluginManager, memory_type: str) -> None:
        self._plugins = plugins
        self._name = memory_type
        started = time.perf_counter(), time.process_time()
        self._memory: MemoryType = plugins.memory_types.make(memory_type)
        self.devices = devices_there(self._memory)
        if self.devices:
            # Some libraries start on their first array only.
            self._finish(self._memory.from_host(np.zeros((1, 1), np.float32), self.devices[0]))
        on_card, on_cpu = time.perf_counter() - started[0], time.process_time() - started[1]
        self._start_seconds = on_cpu if self.devices == (CPU,) else on_card

    def library(self) -> LibraryCost:
        """Return how long its library took to start."""
        library = self._plugins.memory_types.get(self._name).library
        return LibraryCost(
            memory_type=self._name,
            library=library,
            version=library_version(library),
            start_seconds=0.0 if self._name == HOST else self._start_seconds,
            devices=self.devices,
        )

    def routes(self, device: str, dtype: str) -> tuple[RouteCost, ...]:
        """Return what it takes to get a plane from the host to a device and back, and by the direct routes to it."""
        if self._name == HOST or not self._memory.holds(dtype):
            return ()
        plane, clock = _plane(SHAPE, dtype), clock_of(device)
        there = seconds_of(lambda array: self._finish(self._memory.from_host(array, device)), lambda: plane, clock)
        back = seconds_of(
            lambda array: self._memory.to_host(array, dtype),
            lambda: self._finish(self._memory.from_host(plane, device)),
            clock,
        )
        ways = {(HOST, self._name): there, (self._name, HOST): back}
        for spec in self._plugins.converters:
            if spec.destination == self._name and usable(self._plugins.memory_types, spec.source):
                ways |= self._direct(spec, plane, device)
        return tuple(
            RouteCost(
                source=source,
                destination=destination,
                device=device,
                dtype=dtype,
                seconds_per_megabyte=spent / (plane.nbytes / MEGA),
            )
            for (source, destination), spent in ways.items()
        )

    def _direct(self, spec: ConverterSpec, plane: npt.NDArray[Any], device: str) -> dict[tuple[str, str], float]:
        """Return the seconds that a declared route takes on a device; nothing where it is not for that device."""
        source: MemoryType = self._plugins.memory_types.make(spec.source)
        dtype = plane.dtype.name
        if device not in devices_there(source) or not is_of(device, spec.devices) or not source.holds(dtype):
            return {}
        convert = self._plugins.converters.load(spec.name)
        spent = seconds_of(
            lambda array: self._finish(self._memory.cast(convert(array), dtype)),
            lambda: _finished(source, source.from_host(plane, device)),
            clock_of(device),
        )
        return {(spec.source, spec.destination): spent}

    def kernel(self, kernel: str, device: str, dtype: str) -> KernelCost | None:
        """Return what a kernel takes; `None` where its signature does not say how to call it, or not in the dtype."""
        spec = self._plugins.kernels.get(kernel)
        signature = spec.signature
        if dtype not in signature.dtypes or signature.takes or signature.context or not self._memory.holds(dtype):
            return None
        shape = (*(DEPTH for _ in signature.axes[:-2]), *SHAPE)
        # Another image each time, as in a run: the same one again would come out of the processor's cache.
        images = iter([self._image(shape, dtype, device, seed) for seed in range(MOST_RUNS + 1)])
        function, keywords = self._plugins.kernels.load(kernel), self._keywords(spec, device, dtype)
        with self._scope(device, dtype):
            spent = seconds_of(
                lambda array: self._finish(function(array, **keywords)), lambda: next(images), clock_of(device)
            )
        return KernelCost(
            kernel=kernel,
            version=spec.version,
            device=device,
            dtype=dtype,
            seconds_per_megapixel=spent / (math.prod(shape) / MEGA),
        )

    def _image(self, shape: tuple[int, ...], dtype: str, device: str, seed: int) -> Any:
        return self._finish(self._memory.from_host(_plane(shape, dtype, seed), device))

    def _keywords(self, spec: KernelSpec, device: str, dtype: str) -> dict[str, Any]:
        """Return what a kernel is told in a run: its defaults, images in its own memory type."""
        images = {item.name for item in spec.signature.parameters if item.kind == "image"}
        told = {
            name: self._memory.from_host(value, device) if name in images else value
            for name, value in arguments(spec.signature, {}, SHAPE).items()
        }
        if spec.signature.missing == MissingPolicy.MASK:
            told[PRESENT] = np.ones([DEPTH for _ in spec.signature.axes[:-2]], np.bool_)
        return told | ({DTYPE: dtype} if spec.takes_dtype else {})

    def _scope(self, device: str, dtype: str) -> AbstractContextManager[None]:
        return self._memory.scope(device, dtype) if isinstance(self._memory, HasDevices) else nullcontext()

    def _finish(self, result: Any) -> Any:
        return _finished(self._memory, result)


def _finished(memory: MemoryType, result: Any) -> Any:
    """Return what a function returned, when it is there: the image, or where it makes artifacts the first part.

    Who does not say how to wait is waited for on the way to the host, which then counts.
    """
    array = result[0] if isinstance(result, tuple) else result
    if isinstance(memory, HasQueue):
        memory.wait(array)
    else:
        memory.to_host(array)
    return result


def _plane(shape: tuple[int, ...], dtype: str, seed: int = 0) -> npt.NDArray[Any]:
    """Return noise as dark as most of a micrograph is."""
    brightest = 200 if np.dtype(dtype).itemsize == 1 else 4000
    return np.random.default_rng(seed).integers(brightest // 40, brightest, shape, np.uint16).astype(dtype)
