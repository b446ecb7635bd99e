"""The kernels that are written once for all libraries, compiled.

Each is described where it is written; it takes several images at once, too. All parameters are compiled in.
"""

from __future__ import annotations

from hcs_jax.compiling import compiled
from hcs_jax.maxima import keeping_nan
from hcs_operations.portable import channels, filters, frames, intensity, morphology, projections

rescale_intensity = compiled(intensity.rescale_intensity, static=("low", "high", "out_low", "out_high", "dtype"))
gaussian_blur = compiled(filters.gaussian_blur, static=("sigma", "dtype"))
unsharp_mask = compiled(filters.unsharp_mask, static=("radius", "amount", "dtype"))
white_tophat = compiled(morphology.white_tophat, static=("radius", "dtype"))
crop = compiled(frames.crop, static=("y", "x", "height", "width", "dtype"))
bin_pixels = compiled(keeping_nan(frames.bin_pixels), static=("factor", "method", "dtype"))
max_projection = compiled(keeping_nan(projections.max_projection), static=("dtype",))
mean_projection = compiled(projections.mean_projection, static=("dtype",))
median_projection = compiled(projections.median_projection, static=("dtype",))
composite = compiled(channels.composite, static=("weights", "dtype"))
