"""The shapes of wells: what those that are alike share, so that a plan names it once."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import attrs

from hcs_core.compiler.canvas import Canvas
from hcs_core.compiler.image_plan import ImagePlan


@attrs.frozen(kw_only=True)
class WellShape:
    """What wells that are alike share: their sites, and for each the position of its gaps in `Plan.gaps`.

    `canvases` are those of their mosaics, one for each of `Plan.tile_frames`.
    """

    sites: tuple[int, ...]
    gaps: tuple[int, ...]
    canvases: tuple[Canvas, ...] = ()

    def lacking(self, gaps: Mapping[int, int]) -> WellShape:
        """Return the shape in which some sites have other gaps, by their positions in `Plan.gaps`."""
        pairs = zip(self.sites, self.gaps, strict=True)
        return attrs.evolve(self, gaps=tuple(gaps.get(site, gap) for site, gap in pairs))

    def without(self, sites: Collection[int]) -> WellShape:
        """Return the shape less some sites."""
        kept = [(site, gap) for site, gap in zip(self.sites, self.gaps, strict=True) if site not in sites]
        return attrs.evolve(self, sites=tuple(site for site, _ in kept), gaps=tuple(gap for _, gap in kept))

    def frame(self, image: ImagePlan) -> tuple[int, int]:
        """Return the (y, x) of an image in these wells: a mosaic's is that of its canvas."""
        if image.canvas is None:
            return image.shape
        canvas = self.canvases[image.canvas]
        factor = image.scale // canvas.scale
        height, width = canvas.shape
        return height // factor, width // factor
