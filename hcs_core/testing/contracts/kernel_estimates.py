"""What the estimates of an operation have to be: a part of `KernelContract`."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from hcs_core.plugins.estimate import Estimate, Estimated
from hcs_core.plugins.specs import KernelSpec
from hcs_core.testing.contracts.kernel_calls import KernelCalls
from hcs_core.testing.contracts.kernel_images import filled
from hcs_core.testing.contracts.targets import imported

SHAPE = (24, 36)
"""Of the planes that are collected: larger than a kernel's least, as an estimate is of many pixels."""


class KernelEstimates(KernelCalls):
    """See `KernelContract`; each test runs for the kernels whose signature has `estimates`."""

    def test_its_estimates_take_the_parameters_that_are_not_estimated(self, estimating: KernelSpec) -> None:
        """`collect(plane, *, ...)`, `merge(one, other)` and `reduce(collected, shape, *, ...)`."""
        for estimate in estimating.signature.estimates:
            told = dict.fromkeys(self._told(estimating))
            calls: list[tuple[str, tuple[Any, ...], dict[str, Any]]] = [
                (estimate.collect, (None,), told),
                (estimate.reduce, ((), SHAPE), told),
            ]
            calls += [(estimate.merge, (None, None), {})] if estimate.merge else []
            for target, positional, keywords in calls:
                try:
                    inspect.signature(imported(target)).bind(*positional, **keywords)
                    wrong = ""
                except TypeError as error:
                    wrong = str(error)
                assert not wrong, (
                    f"an estimate's functions take what comes first by position and, as keywords, every parameter "
                    f"that is not estimated ({', '.join(told) or 'none'}); merge takes two arrays: {target} does not "
                    f"({wrong})."
                )

    def test_a_plane_gives_a_small_array(self, estimating: KernelSpec, dtype: str) -> None:
        """A numpy array of no more than `collected_bytes`, whatever the plane's size."""
        for estimate in estimating.signature.estimates:
            for shape in (SHAPE, (1, 1), (600, 500)):
                found = self._collected(estimating, estimate, filled(shape, dtype, "random"))
                assert isinstance(found, np.ndarray), (
                    f"collect returns a numpy array: {estimate.collect} returns {type(found).__name__}."
                )
                assert found.nbytes <= estimate.collected_bytes, (
                    f"what is collected holds no more than collected_bytes, by which memory is planned: "
                    f"{estimate.collect} returns {found.nbytes:,} bytes of a plane of {shape}, and says "
                    f"{estimate.collected_bytes:,}."
                )

    def test_collecting_leaves_the_plane_as_it_was(self, estimating: KernelSpec, dtype: str) -> None:
        """The plane goes on through the pipeline."""
        for estimate in estimating.signature.estimates:
            plane = filled(SHAPE, dtype, "random")
            self._collected(estimating, estimate, plane)
            assert np.array_equal(plane, filled(SHAPE, dtype, "random")), (
                f"collect leaves its plane as it was: {estimate.collect} changes it; work on a copy."
            )

    def test_merging_gives_the_same_in_any_order(self, estimating: KernelSpec, dtype: str) -> None:
        """Wells are done in any order, and what they give is put together as it comes."""
        for estimate in estimating.signature.estimates:
            if not estimate.merge:
                continue
            merge = imported(estimate.merge)
            one, two, three = self._collected_planes(estimating, estimate, dtype)[:3]
            first, second = merge(merge(one, two), three), merge(three, merge(two, one))
            assert np.array_equal(first, second), (
                f"merge gives the same in any order, to the last bit: {estimate.merge} does not; merge whole "
                "numbers, or leave merge out and let reduce do it."
            )
            assert first.nbytes <= estimate.collected_bytes, (
                f"what is merged holds no more than collected_bytes: {estimate.merge} returns {first.nbytes:,} bytes."
            )

    def test_what_is_estimated_fits_its_parameter(self, estimating: KernelSpec, dtype: str) -> None:
        """`Estimated`, with a value of its kind that the kernel takes."""
        for estimate, found in self._estimated(estimating, dtype):
            assert isinstance(found, Estimated), (
                f"reduce returns hcs_core.Estimated: {estimate.reduce} returns {type(found).__name__}."
            )
            item = estimating.signature.parameter(estimate.parameter)
            value = np.asarray(found.value)
            is_image = item is not None and item.kind == "image"
            assert value.shape == SHAPE if is_image else value.ndim == 1, (
                f"an image that is estimated has the plane's shape, numbers are in a row: {estimate.reduce} returns "
                f"the shape {value.shape} for planes of {SHAPE}."
            )
            assert np.isfinite(value).all(), f"what is estimated is finite: {estimate.reduce} returns {value}."
            given = value.astype(np.float32) if is_image else tuple(map(float, value))
            told = {estimate.parameter: given}
            result = self._image(estimating, self._raw(estimating, filled(SHAPE, dtype, "random"), **told))
            assert result.shape[-2:] == SHAPE, f"{estimating.name} returns {result.shape} with what was estimated."

    def test_the_same_planes_give_the_same_estimate(self, estimating: KernelSpec, dtype: str) -> None:
        """A rerun compares what it estimates with what is there."""
        for (estimate, first), (_, second) in zip(
            self._estimated(estimating, dtype), self._estimated(estimating, dtype), strict=True
        ):
            assert np.array_equal(np.asarray(first.value), np.asarray(second.value)), (
                f"the same planes give the same estimate: {estimate.reduce} gives another the second time."
            )

    def _told(self, kernel: KernelSpec) -> dict[str, Any]:
        estimated = {estimate.parameter for estimate in kernel.signature.estimates}
        return {name: value for name, value in self._keywords(kernel, SHAPE).items() if name not in estimated}

    def _collected(self, kernel: KernelSpec, estimate: Estimate, plane: npt.NDArray[Any]) -> Any:
        try:
            return imported(estimate.collect)(plane, **self._told(kernel))
        except TypeError as error:
            rule = "test_its_estimates_take_the_parameters_that_are_not_estimated"
            pytest.skip(f"{estimate.collect} raises {error}: see {rule}")

    def _collected_planes(self, kernel: KernelSpec, estimate: Estimate, dtype: str) -> list[Any]:
        count = max(3, estimate.fewest)
        planes = (filled(SHAPE, dtype, "random", seed) for seed in range(count))
        return [self._collected(kernel, estimate, plane) for plane in planes]

    def _estimated(self, kernel: KernelSpec, dtype: str) -> Iterator[tuple[Estimate, Any]]:
        for estimate in kernel.signature.estimates:
            collected = self._collected_planes(kernel, estimate, dtype)
            if estimate.merge:
                merged = collected[0]
                for array in collected[1:]:
                    merged = imported(estimate.merge)(merged, array)
                collected = [merged]
            yield estimate, imported(estimate.reduce)(tuple(collected), SHAPE, **self._told(kernel))
