"""What one well's run of one pipeline carries."""

from __future__ import annotations

import attrs

from hcs_core.compiler.plan import Plan


@attrs.frozen(kw_only=True)
class ProcessingContext:
    """One well's part of a plan, frozen: its name, its sites, and the plan that all wells share."""

    well: str
    sites: tuple[int, ...]
    plan: Plan
