"""Steps and outputs: the images that a step leaves, and those of them that are kept."""

from __future__ import annotations

import attrs

from hcs_core.compiler.image_plan import ImagePlan
from hcs_core.compiler.node_plan import Port
from hcs_core.storage.layout import ImageLayout, StoreLayout
from hcs_core.storage.size import StoreSize


@attrs.frozen(kw_only=True)
class StepPlan:
    """One step: its nodes, and the images that it leaves: channels that differ have an image of their own.

    `pipeline` is the one that it is of; where a run has several, `name` is `pipeline/step`, here and wherever a plan
    names a step. `reads` is the name of what it takes: `start`, or a step.
    """

    name: str
    nodes: tuple[int, ...]
    images: tuple[ImagePlan, ...]
    pipeline: str = attrs.field(default="", repr=False)
    reads: str = attrs.field(default="", repr=False)


@attrs.frozen(kw_only=True)
class OutputPlan:
    """An image of a step that is kept: which, in which store and backend.

    `wells` are those of the plate for which it is made, `None` for all; `pipeline` is the one that it is of. `layout`
    and `size`, what it takes at most for all wells of the run, come with the stores pass. The images of sites and the
    mosaics of their wells are two of these, and share a store and its layout.
    """

    step: str
    store: str
    image: ImagePlan
    ports: tuple[Port, ...]
    wells: tuple[str, ...] | None = None
    pipeline: str = attrs.field(default="", repr=False)
    backend: str = ""
    layout: StoreLayout | None = None
    size: StoreSize | None = attrs.field(default=None, repr=False)

    @property
    def image_layout(self) -> ImageLayout | None:
        """Return how the image lies in its store; without rows and columns, where it is a mosaic."""
        if self.layout is None:
            return None
        return self.layout.mosaic if self.image.is_mosaic else self.layout.image
