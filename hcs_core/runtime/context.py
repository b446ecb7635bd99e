"""What a well carries through compiling and running, and what step functions see of it."""

from __future__ import annotations

import attrs

from hcs_core.compiler.plan import Plan
from hcs_core.pipeline.pipeline import Pipeline
from hcs_core.runtime.services.plate_services import PlateServices


@attrs.frozen(kw_only=True)
class ProcessingContext:
    """One well's part of a plan, frozen: its name, its sites, and what all wells share, the plan and the services.

    A step function that is declared with `context=True` gets it, in the worker that runs the well: its `sites` are
    then those that are worked on. `orchestrator` are the services of the plate (`PlateServices`); a context that goes
    to another process takes along how they are made there. `pipelines` is what the plan was compiled from, to say
    what differs from it.
    """

    well: str
    sites: tuple[int, ...]
    plan: Plan
    orchestrator: PlateServices = attrs.field(eq=False, repr=False)
    pipelines: tuple[Pipeline, ...] = attrs.field(default=(), eq=False, repr=False)
