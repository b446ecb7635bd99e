"""How much a plan works on: the pixels of a node, and the bytes that go from node to node, for the whole plate.

The wells of the plate count, whatever the well filter: a run of three wells and the run of all that goes on from it
have to be computed by the same kernels.
"""

from __future__ import annotations

import math

import attrs
import numpy as np

from hcs_core.compiler.choice.costs import MEGA
from hcs_core.compiler.image_plan import ImagePlan
from hcs_core.compiler.node_plan import PLATE, NodePlan, Port
from hcs_core.compiler.plan import Plan
from hcs_core.plate.inventory import Plate


@attrs.frozen(kw_only=True)
class Volumes:
    """What the nodes of a plan work on, in all wells and sites of a plate."""

    plan: Plan
    wells: int
    sites: int

    @classmethod
    def of(cls, plan: Plan, plate: Plate) -> Volumes:
        """Return the volumes of a plan for a plate."""
        planes = plate.planes
        if not len(planes.site):
            return cls(plan=plan, wells=len(plate.wells), sites=0)
        most = int(planes.site.max()) + 1
        places = planes.well.astype(np.int64) * most + planes.site
        return cls(plan=plan, wells=len(plate.wells), sites=np.unique(places).size)

    def megapixels(self, node: NodePlan) -> float:
        """Return what a node gets."""
        return node.input.planes * self._images(node.input) * self._pixels(node.input) * self._part(node) / MEGA

    def megabytes(self, port: Port) -> float:
        """Return what a channel is, of a node's result or of the plate, in its image's dtype."""
        lanes = self.plan.lanes
        image = lanes[port.channel][0] if port.node == PLATE else self.plan.nodes[port.node].output
        planes = len(image.z_indexes) * len(image.timepoints)
        size = self._pixels(image) * np.dtype(image.dtype).itemsize
        return float(planes * self._images(image) * size / MEGA)

    def dtype(self, port: Port) -> str:
        """Return the dtype of a channel."""
        lanes = self.plan.lanes
        return lanes[port.channel][0].dtype if port.node == PLATE else self.plan.nodes[port.node].output.dtype

    def _images(self, image: ImagePlan) -> int:
        return self.wells if image.is_mosaic else self.sites

    def _pixels(self, image: ImagePlan) -> int:
        return math.prod(self.plan.largest(image).shape)

    def _part(self, node: NodePlan) -> float:
        """Return in which part of the places a node works that works in some only."""
        if node.only is None:
            return 1.0
        every = {
            "well": self.wells,
            "site": max(1, self.sites // max(1, self.wells)),
            "z_index": len(node.input.z_indexes),
            "timepoint": len(node.input.timepoints),
        }
        return 1.0 / max(1, every[node.only.component])
