"""The image that an operation makes of an image: its channels, axes, dtype, frame and pixel size."""

from __future__ import annotations

from collections.abc import Mapping

import attrs

from hcs_core.compiler.canvas import SNAP
from hcs_core.compiler.graph.operations import Resolved
from hcs_core.compiler.image_plan import PROJECTION_Z, ImageChannel, ImagePlan
from hcs_core.plugins.parameter import ParameterValue


def output_image(image: ImagePlan, resolved: Resolved, parameters: Mapping[str, ParameterValue]) -> ImagePlan:
    """Return the image that an operation makes of an image.

    Raises
    ------
    ValueError
        Nothing is left of its frame.
    """
    reduced = resolved.signature.reduced
    channels = image.channels
    if "c" in reduced:
        channels = (ImageChannel(name=resolved.signature.out_channel),)
    made = attrs.evolve(
        image,
        channels=channels,
        z_indexes=(PROJECTION_Z,) if "z" in reduced else image.z_indexes,
        timepoints=image.timepoints[:1] if "t" in reduced else image.timepoints,
        reduced="".join(axis for axis in "tz" if axis in reduced or axis in image.reduced),
        dtype=resolved.signature.out_dtype or image.dtype,
        z_step_um=None if "z" in reduced else image.z_step_um,
        time_step_s=None if "t" in reduced else image.time_step_s,
    )
    frame = resolved.signature.frame
    if frame is None:
        return made
    if image.is_mosaic and frame.crop:
        raise ValueError("a mosaic has another size in each well, and cannot be cropped: crop before `stitch`")
    # A canvas is never smaller than what it is a multiple of.
    change = frame.change((SNAP, SNAP) if image.is_mosaic else image.shape, parameters)
    y, x = (before + moved * image.scale for before, moved in zip(image.origin, change.origin, strict=True))
    return attrs.evolve(
        made,
        shape=image.shape if image.is_mosaic else change.shape,
        field_shape=None if image.is_mosaic else image.field_shape or image.shape,
        scale=image.scale * change.scale,
        origin=(y, x),
        pixel_size_um=None if image.pixel_size_um is None else image.pixel_size_um * change.scale,
    )
