"""What kernels of other array libraries than numpy keep to: a part of `KernelContract`."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import attrs
import numpy as np
import numpy.typing as npt
import pytest

from hcs_core.arrays.memory_type import CPU, HasDevices
from hcs_core.plugins.signature import TAKES
from hcs_core.plugins.specs import KernelSpec
from hcs_core.testing.contracts.kernel_calls import KernelCalls, Outcome
from hcs_core.testing.contracts.kernel_images import CONTENTS, filled, image

_PART = (..., slice(3, 11), slice(4, 17))
"""A part of an image, of whole pixels in the middle of it."""


FLOAT = "float32"

_LARGE = (97, 131)
"""Large enough that libraries use several threads or the widest registers."""


def _of_both(line: npt.NDArray[Any]) -> None:
    line[::89], line[5::91] = np.inf, -np.inf


def _of_nan(line: npt.NDArray[Any]) -> None:
    line[::97] = np.nan


def _of_all(line: npt.NDArray[Any]) -> None:
    line[:] = np.nan


_SPOILED = {"NaN": _of_nan, "infinities": _of_both, "nothing but NaN": _of_all}


def _or_error(call: Callable[[], npt.NDArray[Any]]) -> npt.NDArray[Any] | Exception:
    try:
        return call()
    # What the one raises the other has to raise as well.
    except Exception as error:  # noqa: BLE001
        return error


class KernelLibraries(KernelCalls):
    """See `KernelContract`."""

    def test_what_is_held_wider_stays_within_its_own_limits(self, imaging: KernelSpec, dtype: str) -> None:
        """An image of uint16 that is held in int32 has no pixel of 70,000."""
        expected = np.dtype(imaging.signature.out_dtype or dtype)
        for outcome in self._results(imaging, dtype):
            if expected.kind not in "iu" or outcome.result.dtype.kind not in "iu" or not outcome.result.size:
                continue
            limits = np.iinfo(expected)
            lowest, highest = int(outcome.result.min()), int(outcome.result.max())
            assert limits.min <= lowest <= highest <= limits.max, (
                f"a kernel returns pixels of its image's dtype, however that is held: on {outcome.what} "
                f"{imaging.name} returns numbers from {lowest} to {highest} for {expected}; take the keyword "
                "`dtype`, and clip at its limits."
            )

    def test_nan_and_infinities_become_what_they_do_in_its_reference(self, referenced: KernelSpec) -> None:
        """Of an operation that takes them, also in planes that a library cuts up for speed.

        Its reference is a kernel: a plain computation of `references` need not know what the operation says of them.
        """
        signature = referenced.signature
        if referenced.operation in self.references or signature.nonfinite != TAKES or FLOAT not in signature.dtypes:
            pytest.skip(f"{referenced.name} takes no NaN, or has no kernel to agree with")
        for what, spoiled in _SPOILED.items():
            picture = image(signature, FLOAT, _LARGE)
            spoiled(picture.reshape(-1))
            outcome = Outcome(what=what, picture=picture, given=self._sets(referenced)[0], result=picture)
            with np.errstate(all="ignore"):
                expected = _or_error(partial(self._expected, referenced, outcome))
                found = _or_error(partial(self._run, referenced, picture))
            if isinstance(expected, np.ndarray) and isinstance(found, np.ndarray):
                agrees = found.shape == expected.shape
                agrees = agrees and self._excess(referenced, attrs.evolve(outcome, result=found), expected) <= 0
            else:
                # Some refuse a plane that is none at all: then all do.
                agrees = type(found) is type(expected)
            assert agrees, (
                f"kernels of one operation agree on NaN and infinities: on {what} {referenced.name} gives others "
                "than its reference; look for them with isnan where the library's own functions leave some out."
            )

    def test_several_images_at_once_give_what_each_gives(self, batching: KernelSpec, dtype: str) -> None:
        """A kernel with `batches=True` takes one more axis in front."""
        pictures = [image(batching.signature, dtype, content=content) for content in CONTENTS]
        pictures += [filled(pictures[0].shape, dtype, "random", seed) for seed in (1, 2)]
        stack = np.stack(pictures)
        given = self._given(batching, stack)
        result = self._call(batching, given, pictures[0].shape, **self._dtype(batching, dtype))
        together = self._host(batching, self._image(batching, result))
        assert len(together) == len(pictures), (
            f"several images at once give as many results: {batching.name} returns {together.shape} for "
            f"{stack.shape}."
        )
        for found, picture in zip(together, pictures, strict=True):
            alone = self._run(batching, picture)
            outcome = Outcome(what="", picture=picture, given=self._sets(batching)[0], result=found)
            # A library may round otherwise in an array of another shape.
            assert found.shape == alone.shape and self._excess(batching, outcome, alone) <= 0, (  # noqa: PT018
                f"several images at once give what each gives alone: {batching.name} gives something else; let no "
                "image see another."
            )

    def test_a_part_of_an_array_gives_what_its_copy_gives(self, elsewhere: KernelSpec, dtype: str) -> None:
        """Arrays come cut out of others, with any strides that the library has."""
        picture = image(elsewhere.signature, dtype)
        given = self._given(elsewhere, picture)
        cut = np.ascontiguousarray(picture[_PART])
        if not hasattr(given, "__getitem__") or self._out_shape(elsewhere, cut) is None:
            pytest.skip("of an array of this library no part can be taken, or nothing of it would be left")
        called = self._call(elsewhere, given[_PART], cut.shape, **self._dtype(elsewhere, dtype))
        found, expected = (self._outcome(elsewhere, result) for result in (called, self._raw(elsewhere, cut)))
        first = self._sets(elsewhere)[0]
        # A library may round otherwise where it reads otherwise.
        same = (
            self._excess(elsewhere, Outcome(what="", picture=cut, given=first, result=found[0]), expected[0]) <= 0
            if not elsewhere.signature.passes_on
            else all(map(np.array_equal, found, expected))
        )
        assert same, (
            f"a kernel gives the same whatever the strides: on a part of an array {elsewhere.name} gives something "
            "else than on its copy; make it contiguous where a library needs that."
        )

    def test_it_gives_the_same_on_a_device(self, elsewhere: KernelSpec, dtype: str) -> None:
        """Where the machine has one beside the CPU: what the CPU's kernel gives, or numpy's, and on that device."""
        memory = self._memory(elsewhere)
        if memory is None or not isinstance(memory, HasDevices) or set(memory.devices()) == {CPU}:
            pytest.skip(f"{elsewhere.memory_type} has no device but the CPU here")
        devices = [name for name in memory.devices() if name != CPU]
        if elsewhere.signature.passes_on:
            pytest.skip(f"{elsewhere.name} returns no image")
        for outcome in self._results(elsewhere, dtype, devices[0]):
            expected = (
                self._expected(elsewhere, outcome)
                if self._reference(elsewhere)
                else self._run(elsewhere, outcome.picture)
            )
            excess = self._excess(elsewhere, outcome, expected)
            assert excess <= 0, (
                f"a kernel gives the same on every device, {self._tolerance(elsewhere)}: on {devices[0]}, of "
                f"{outcome.what}, {elsewhere.name} is {excess:g} further off than that."
            )
        picture = image(elsewhere.signature, dtype)
        there = memory.device_of(self._image(elsewhere, self._raw(elsewhere, picture, devices[0])))
        assert there == devices[0], (
            f"a kernel leaves its image on its device: {elsewhere.name} returns one on {there} for one on "
            f"{devices[0]}."
        )
