"""The operations: what every distribution with kernels of them declares alike."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

import attrs

from hcs_core import KernelSpec, Signature
from hcs_operations import signatures


@attrs.frozen(kw_only=True)
class Operation:
    """One operation: its signature, and the target of the kernel that is written against the array API.

    The portable kernel takes the keyword `dtype` (see `KernelSpec.takes_dtype`), and several images at once along an
    axis in front (`KernelSpec.batches`). `traceable` says whether it decides nothing on the host that depends on
    pixels, so that a library such as jax can compile the whole of it.
    """

    name: str
    signature: Signature
    portable: str
    summary: str
    traceable: bool = True

    def kernel(self, memory_type: str, target: str = "", *, batches: bool = False) -> KernelSpec:
        """Return the kernel of the operation in a memory type: the portable one, or another target.

        Other targets take the keyword `dtype` too, but those of numpy, which holds every image in its own dtype;
        `batches` says whether they take several images at once.
        """
        return KernelSpec(
            operation=self.name,
            memory_type=memory_type,
            target=target or self.portable,
            signature=self.signature,
            takes_dtype=memory_type != "numpy" or not target,
            batches=batches or not target,
            summary=self.summary,
        )


OPERATIONS: Mapping[str, Operation] = {
    operation.name: operation
    for operation in (
        Operation(
            name="percentile_normalize",
            signature=signatures.PERCENTILE_NORMALIZE,
            portable="hcs_operations.portable.intensity:percentile_normalize",
            summary="stretch each plane between percentiles of its own, its well or the plate over its dtype's range",
        ),
        Operation(
            name="rescale_intensity",
            signature=signatures.RESCALE_INTENSITY,
            portable="hcs_operations.portable.intensity:rescale_intensity",
            summary="map a range of grey levels of each plane linearly onto another",
        ),
        Operation(
            name="flat_field",
            signature=signatures.FLAT_FIELD,
            portable="hcs_operations.portable.illumination:flat_field",
            summary="divide each plane by an illumination profile",
        ),
        Operation(
            name="gaussian_blur",
            signature=signatures.GAUSSIAN_BLUR,
            portable="hcs_operations.portable.filters:gaussian_blur",
            summary="blur each plane with a Gaussian",
        ),
        Operation(
            name="unsharp_mask",
            signature=signatures.UNSHARP_MASK,
            portable="hcs_operations.portable.filters:unsharp_mask",
            summary="sharpen each plane: add what a Gaussian would take away",
        ),
        Operation(
            name="white_tophat",
            signature=signatures.WHITE_TOPHAT,
            portable="hcs_operations.portable.morphology:white_tophat",
            summary="take away from each plane what is larger than a square",
        ),
        Operation(
            name="threshold_otsu",
            signature=signatures.THRESHOLD_OTSU,
            portable="hcs_operations.portable.thresholds:threshold_otsu",
            summary="set what is above each plane's threshold by Otsu to 255, the rest to 0",
            traceable=False,
        ),
        Operation(
            name="crop",
            signature=signatures.CROP,
            portable="hcs_operations.portable.frames:crop",
            summary="keep a rectangle of each plane",
        ),
        Operation(
            name="bin",
            signature=signatures.BIN,
            portable="hcs_operations.portable.frames:bin_pixels",
            summary="join squares of pixels into one",
        ),
        Operation(
            name="max_projection",
            signature=signatures.MAX_PROJECTION,
            portable="hcs_operations.portable.projections:max_projection",
            summary="keep the brightest value along z",
        ),
        Operation(
            name="mean_projection",
            signature=signatures.MEAN_PROJECTION,
            portable="hcs_operations.portable.projections:mean_projection",
            summary="take the mean along z",
        ),
        Operation(
            name="median_projection",
            signature=signatures.MEDIAN_PROJECTION,
            portable="hcs_operations.portable.projections:median_projection",
            summary="take the median along z",
        ),
        Operation(
            name="best_focus_projection",
            signature=signatures.BEST_FOCUS_PROJECTION,
            portable="hcs_operations.portable.focus:best_focus_projection",
            summary="keep the one plane along z that is in best focus",
            traceable=False,
        ),
        Operation(
            name="composite",
            signature=signatures.COMPOSITE,
            portable="hcs_operations.portable.channels:composite",
            summary="join the channels into one, their weighted mean",
        ),
    )
}
"""Every operation, by name, in the order in which they are usually applied."""


def kernels(
    memory_type: str, targets: Mapping[str, str], portable: Iterable[str] = (), *, batches: bool = False
) -> Iterator[KernelSpec]:
    """Yield the kernels of a memory type.

    Parameters
    ----------
    memory_type
        Its name.
    targets
        By operation, its own kernels.
    portable
        The operations of which it takes the portable kernel, where it has none of its own.
    batches
        Whether its own kernels take several images at once, as the portable ones do.

    Examples
    --------
    >>> from hcs_operations.operations import kernels
    >>> [spec.target for spec in kernels("jax", {"crop": "hcs_jax.frames:crop"}, portable=["crop", "bin"])]
    ['hcs_jax.frames:crop', 'hcs_operations.portable.frames:bin_pixels']
    """
    chosen = frozenset(portable)
    for name, operation in OPERATIONS.items():
        if name in targets or name in chosen:
            yield operation.kernel(memory_type, targets.get(name, ""), batches=batches)
