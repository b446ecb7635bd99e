"""What one well's run of one pipeline carries."""

from __future__ import annotations

import attrs

from hcs_core.compiler.plan import Plan
from hcs_core.pipeline.pipeline import Pipeline


@attrs.frozen(kw_only=True)
class ProcessingContext:
    """One well's part of a plan, frozen: its name, its sites, and the plan that all wells share.

    `pipeline` is what the plan was compiled from; who executes contexts has to name the same.
    """

    well: str
    sites: tuple[int, ...]
    plan: Plan
    pipeline: Pipeline
