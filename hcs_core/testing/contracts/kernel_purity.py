"""What a kernel's result may depend on, its image and parameters alone: a part of `KernelContract`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from hcs_core.plugins.signature import PRESENT
from hcs_core.plugins.specs import KernelSpec
from hcs_core.testing.contracts.kernel_calls import KernelCalls
from hcs_core.testing.contracts.kernel_images import filled, image

_VIEWS: dict[str, Callable[[Any], Any]] = {
    "upside down": lambda array: array[..., ::-1, :],
    "every other pixel": lambda array: array[..., ::2, 1::3],
    "transposed": lambda array: np.swapaxes(array, -1, -2),
    "one row repeated": lambda array: np.broadcast_to(array[..., :1, :], array.shape),
    "cut out": lambda array: array[..., 3:11, 4:17],
}


def _same(found: Sequence[npt.NDArray[Any]], expected: Sequence[npt.NDArray[Any]]) -> bool:
    return len(found) == len(expected) and all(
        np.array_equal(one, other, equal_nan=one.dtype.kind == other.dtype.kind == "f")
        for one, other in zip(found, expected, strict=True)
    )


class KernelPurity(KernelCalls):
    """See `KernelContract`."""

    def test_the_same_image_gives_the_same_result(self, kernel: KernelSpec, dtype: str) -> None:
        """A rerun takes what is there: it has to be what would be made anew."""
        picture = image(kernel.signature, dtype)
        given = self._given(kernel, picture)
        first, second = (
            self._outcome(kernel, self._call(kernel, given, picture.shape, **self._dtype(kernel, dtype)))
            for _ in range(2)
        )
        assert _same(first, second), (
            f"a kernel gives the same each time: {kernel.name} gives something else the second time; seed what is "
            "random, and keep nothing between calls."
        )

    @pytest.mark.parametrize("view", _VIEWS)
    def test_a_view_gives_what_its_copy_gives(self, on_numpy: KernelSpec, dtype: str, view: str) -> None:
        """Arrays come with any strides: cropped, flipped, transposed, repeated."""
        picture = _VIEWS[view](image(on_numpy.signature, dtype))
        found, expected = (
            self._outcome(on_numpy, self._raw(on_numpy, array)) for array in (picture, np.array(picture, order="C"))
        )
        assert _same(found, expected), (
            f"a kernel gives the same whatever the strides: on a view ({view}) {on_numpy.name} gives something else "
            "than on its copy; begin with np.ascontiguousarray where a library needs it."
        )

    def test_threads_do_not_disturb_each_other(self, kernel: KernelSpec) -> None:
        """Wells are worked on in threads too."""
        dtype = kernel.signature.dtypes[0]
        shape = image(kernel.signature, dtype).shape
        pictures = [filled(shape, dtype, "random", seed) for seed in range(8)]
        expected = [self._outcome(kernel, self._raw(kernel, picture)) for picture in pictures]
        with ThreadPoolExecutor(len(pictures)) as pool:
            results = list(pool.map(lambda picture: self._raw(kernel, picture), pictures))
        found = [self._outcome(kernel, result) for result in results]
        differ = [i for i in range(len(pictures)) if not _same(found[i], expected[i])]
        assert not differ, (
            f"a kernel can run in several threads at once: {kernel.name} gives others then; use no buffer that "
            "calls share."
        )

    def test_absent_planes_do_not_count(self, masking: KernelSpec, dtype: str) -> None:
        """With `missing=mask`, whatever stands in for a plane that is not there leaves no trace."""
        picture = image(masking.signature, dtype)
        stack = picture.shape[:-2]
        for lost in np.ndindex(*stack):
            present = np.ones(stack, np.bool_)
            present[lost] = False
            dark, bright = picture.copy(), picture.copy()
            dark[lost] = filled(picture.shape[-2:], dtype, "lowest")
            bright[lost] = filled(picture.shape[-2:], dtype, "highest")
            found, other = (
                self._outcome(masking, self._raw(masking, spoiled, present=present)) for spoiled in (dark, bright)
            )
            assert _same(found, other), (
                f"a kernel that masks leaves out absent planes: the pixels of plane {lost}, which {PRESENT} says is "
                f"absent, change what {masking.name} returns."
            )
