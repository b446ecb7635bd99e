"""What one well's run of one pipeline carries."""

from __future__ import annotations

import attrs

from hcs_core.compiler.plan import Plan


@attrs.frozen(kw_only=True)
class ProcessingContext:
    """One well's part of a plan, frozen: its name, its sites, and the plan that all wells share.

    A step function that is declared with `context=True` gets it, in the worker that runs the well: its `sites` are
    then those that are worked on.
    """

    well: str
    sites: tuple[int, ...]
    plan: Plan
