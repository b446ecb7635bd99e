"""`KernelContract`: what every kernel has to pass."""

from __future__ import annotations

import inspect
import pickle
import warnings

import numpy as np
import pytest

from hcs_core.errors import one_line
from hcs_core.plugins.signature import CONTEXT, DTYPE, PRESENT, MissingPolicy
from hcs_core.plugins.specs import KernelSpec
from hcs_core.runtime.well.made_artifacts import checked, taken_apart
from hcs_core.testing.contracts.kernel_calls import KernelCalls
from hcs_core.testing.contracts.kernel_estimates import KernelEstimates
from hcs_core.testing.contracts.kernel_images import (
    DEPTH,
    SHAPES,
    filled,
    image,
    images,
)
from hcs_core.testing.contracts.kernel_libraries import KernelLibraries
from hcs_core.testing.contracts.kernel_purity import KernelPurity


def _told(kernel: KernelSpec) -> set[str]:
    """Return the keywords by which the runtime tells a kernel something."""
    signature = kernel.signature
    told = {taken.keyword for taken in signature.takes}
    told |= {PRESENT} if signature.missing == MissingPolicy.MASK else set()
    told |= {DTYPE} if kernel.takes_dtype else set()
    return told | ({CONTEXT} if signature.context else set())


class KernelContract(KernelEstimates, KernelLibraries, KernelPurity, KernelCalls):
    """What every kernel has to pass: it returns what its signature says, touches nothing, depends on nothing else.

    Each test runs for each of `kernels`, those about pixels for each dtype of the signature.

    Attributes
    ----------
    kernels
        What the plugin declares.
    memory_types
        The memory types that the plugin declares; a kernel in one of them gets its arrays, any other numpy's. Where
        its library is absent a test is skipped, or fails where `HCS_REQUIRE_LIBRARIES` names it.
    arguments
        Parameters by operation, where not what the signature gives: its default, or the least that it allows. Several
        sets of them are tried in turn where pixels are looked at; other tests take the first.
    references
        By operation, a function of numpy arrays with the same keywords, to agree with: the plainest computation that
        there is.
    reference_kernels
        Kernels on numpy's arrays: of the operations that `references` has not, those to agree with.
    tolerances
        By operation, how far from its reference a kernel may be; by default what its signature says.
    shapes
        Rows and columns of the images; fewer of them where a library has to compile for each.
    artifacts
        By operation and keyword, what it takes by name; by default an empty table, no data, or a dark plane.
    context
        What a kernel that takes the keyword `context` gets.

    Examples
    --------
    ::

        class TestKernels(KernelContract):
            kernels = tuple(plugin.hcs_kernels())
            arguments = {"gaussian_blur": {"sigma": 2.0}}
            references = {"max_projection": lambda image: image.max(axis=0)}

    Of another memory type::

        class TestKernels(KernelContract):
            kernels = tuple(plugin.hcs_kernels())
            memory_types = tuple(plugin.hcs_memory_types())
            arguments = {"gaussian_blur": [{}, {"sigma": 10.0}]}
            reference_kernels = tuple(hcs_numpy.plugin.hcs_kernels())
    """

    # --- What it says of itself -----------------------------------------------------------------------------

    def test_its_keywords_are_the_signatures_parameters(self, kernel: KernelSpec) -> None:
        """`kernel(image, *, parameter=default)`, with the names, the order and the defaults of the signature."""
        written = inspect.signature(self._function(kernel))
        first, *keywords = written.parameters.values()
        empty = inspect.Parameter.empty
        told = _told(kernel)
        found = [
            (item.name, item.default is empty, None if item.default is empty else item.default)
            for item in keywords
            if item.kind is inspect.Parameter.KEYWORD_ONLY and item.name not in told
        ]
        expected = [(item.name, item.required, item.default) for item in kernel.signature.parameters]
        positional = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
        fits = first.kind in positional and len(found) + len(told) == len(keywords)
        assert fits and found == expected and told <= written.parameters.keys(), (  # noqa: PT018 - one rule
            f"a kernel takes the image, and after * {' and '.join(['its parameters', *sorted(told)])}: "
            f"{kernel.target} takes {written}, the signature says (name, required, default) {expected}."
        )

    def test_every_parameter_is_described(self, kernel: KernelSpec) -> None:
        """`hcs functions` says of each parameter what it is."""
        without = [item.name for item in kernel.signature.parameters if not item.description.strip()]
        assert not without, f"every parameter has a description: {kernel.name} has none of {', '.join(without)}."

    # --- What it returns ------------------------------------------------------------------------------------

    def test_it_takes_every_image_of_its_dtypes(self, kernel: KernelSpec, dtype: str) -> None:
        """Noise, the lowest and the highest values; odd sizes, a single row, column or pixel; without a warning."""
        cases = [
            (given, *each) for given in self._sets(kernel) for each in images(kernel.signature, dtype, self.shapes)
        ]
        for given, what, picture in cases:
            if self._out_shape(kernel, picture, given) is None:
                continue
            try:
                with warnings.catch_warnings():
                    warnings.simplefilter("error")
                    self._raw(kernel, picture, **self._values(kernel, picture.shape, given))
            # Whatever a kernel raises is what this is about.
            except Exception as error:  # noqa: BLE001
                pytest.fail(
                    f"a kernel takes every image of its dtypes, without a warning: on {what} {kernel.name} raises "
                    f"{one_line(error)}; handle it, or take the dtype out of the signature.",
                    pytrace=False,
                )

    def test_the_shape_is_the_signatures(self, imaging: KernelSpec, dtype: str) -> None:
        """Its `out` axes, cropped or binned as `frame` says."""
        for outcome in self._results(imaging, dtype):
            expected = self._out_shape(imaging, outcome.picture, outcome.given)
            assert outcome.result.shape == expected, (
                f"a kernel returns the shape that its signature says: on {outcome.what} {imaging.name} returns "
                f"{outcome.result.shape}, its axes {imaging.signature.axes} -> {imaging.signature.out} mean "
                f"{expected}."
            )

    def test_the_dtype_is_the_signatures(self, imaging: KernelSpec, dtype: str) -> None:
        """`out_dtype`, or the one that it got."""
        memory = self._memory(imaging)
        says = imaging.signature.out_dtype or dtype
        expected = memory.holds(says) if memory else says
        for outcome in self._results(imaging, dtype):
            assert outcome.result.dtype.name == expected, (
                f"a kernel returns the dtype that its signature says, as its memory type holds it: on {outcome.what} "
                f"{imaging.name} returns {outcome.result.dtype}, not {expected}; end with .astype, or say out_dtype."
            )

    def test_finite_pixels_stay_finite(self, imaging: KernelSpec, dtype: str) -> None:
        """No division by a plane without contrast, no logarithm of 0."""
        for outcome in self._results(imaging, dtype):
            assert outcome.result.dtype.kind != "f" or np.isfinite(outcome.result).all(), (
                f"a kernel makes no NaN or infinity of finite pixels: {imaging.name} does of {outcome.what}; say "
                "what a plane without contrast or light becomes."
            )

    def test_the_result_is_of_its_memory_type(self, imaging: KernelSpec, dtype: str) -> None:
        """The next kernel gets it as it is."""
        memory = self._memory(imaging)
        result = self._image(imaging, self._raw(imaging, image(imaging.signature, dtype)))
        assert memory.owns(result) if memory else type(result) is np.ndarray, (
            f"a kernel returns an array of its memory type: {imaging.name} returns {type(result).__qualname__}."
        )

    def test_it_makes_what_its_signature_says(self, making: KernelSpec, dtype: str) -> None:
        """After its image, or alone where `out` is empty: as many artifacts as `makes` says, each of its kind."""
        for what, picture in images(making.signature, dtype, self.shapes):
            if self._out_shape(making, picture) is None:
                continue
            try:
                _, values = taken_apart(making.signature, self._raw(making, picture))
                for made, value in zip(making.signature.makes, values, strict=True):
                    checked(made, value, lambda array: self._host(making, array))
            except ValueError as error:
                pytest.fail(
                    f"a kernel makes what its signature says: on {what} of {making.name}: {error}; return what "
                    "`makes` names, in its order, or change the signature.",
                    pytrace=False,
                )

    def test_it_takes_a_stack_of_one_plane(self, stacking: KernelSpec, dtype: str) -> None:
        """Absent planes are left out along z and t: one may be all that is there."""
        axes = stacking.signature.axes
        sizes = {"z": 1, "t": 1, "y": SHAPES[0][0], "x": SHAPES[0][1]}
        picture = filled(tuple(sizes.get(axis, DEPTH) for axis in axes), dtype, "random")
        expected = self._out_shape(stacking, picture)
        try:
            found = str(self._outcome_shape(stacking, picture))
        # Whatever a kernel raises is what this is about.
        except Exception as error:  # noqa: BLE001
            found = one_line(error)
        assert found == str(expected), (
            f"a kernel that stacks z or t takes a stack of one plane, as absent ones are left out: {stacking.name} "
            f"gives {found}, expected was the shape {expected}."
        )

    def test_it_agrees_with_its_reference(self, referenced: KernelSpec, dtype: str) -> None:
        """Within the tolerance that is stated for the operation."""
        for outcome in self._results(referenced, dtype):
            excess = self._excess(referenced, outcome, self._expected(referenced, outcome))
            assert excess <= 0, (
                f"kernels of one operation agree {self._tolerance(referenced)}: on {outcome.what} "
                f"{referenced.name} is {excess:g} further from its reference than that."
            )

    # --- What it does to others -----------------------------------------------------------------------------

    def test_the_image_is_left_as_it_was(self, kernel: KernelSpec, dtype: str) -> None:
        """Other steps read the same plane."""
        picture = image(kernel.signature, dtype)
        given = self._given(kernel, picture.copy())
        self._call(kernel, given, picture.shape, **self._dtype(kernel, dtype))
        assert np.array_equal(self._host(kernel, given), picture), (
            f"a kernel leaves its image as it was, since other steps read the same plane: {kernel.name} changes it; "
            "work on a copy, or with out= on an array of its own."
        )

    def test_it_takes_an_image_that_cannot_be_written_to(self, on_numpy: KernelSpec, dtype: str) -> None:
        """What is shared is read-only."""
        picture = image(on_numpy.signature, dtype)
        picture.flags.writeable = False
        try:
            self._raw(on_numpy, picture)
        # Whatever a kernel raises is what this is about.
        except Exception as error:  # noqa: BLE001
            pytest.fail(
                f"a kernel takes a read-only image: {on_numpy.name} raises {one_line(error)}; it must not write into "
                "its image, nor ask a library that wants to.",
                pytrace=False,
            )

    def test_what_it_takes_is_left_as_it_was(self, taking: KernelSpec, dtype: str) -> None:
        """Other steps take the same artifact, and it is written when the well is done."""
        picture = image(taking.signature, dtype)
        taken = self._taken(taking, picture.shape)
        before = pickle.dumps([self._plain(taking, value) for value in taken.values()])
        self._raw(taking, picture, **taken)
        assert pickle.dumps([self._plain(taking, value) for value in taken.values()]) == before, (
            f"a kernel leaves what it takes by name as it was: {taking.name} changes it; work on a copy."
        )

    def test_the_result_has_memory_of_its_own(self, imaging: KernelSpec, dtype: str) -> None:
        """A view would keep the plane in memory, and show what is done to it."""
        for content in ("random", "lowest"):
            picture = image(imaging.signature, dtype, content=content)
            given = self._given(imaging, picture)
            result = self._image(imaging, self._call(imaging, given, picture.shape, **self._dtype(imaging, dtype)))
            assert not np.shares_memory(self._host(imaging, result), self._host(imaging, given)), (
                f"a kernel returns an array of its own: on a plane of {content} pixels {imaging.name} returns its "
                "image or a view of it; return a copy."
            )
