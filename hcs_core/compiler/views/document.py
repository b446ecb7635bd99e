"""A plan as plain data: what `Plan.to_json` gives and `plan.json` holds."""

from __future__ import annotations

from typing import Any

import cattrs

from hcs_core.compiler.given_positions import GivenPositions
from hcs_core.compiler.node_plan import NodePlan
from hcs_core.compiler.plan import Plan
from hcs_core.plugins.parameter import GivenImage


def plan_document(plan: Plan) -> dict[str, Any]:
    """Return a plan as dicts, lists, texts and numbers, in one order; images that were given are their digests.

    Functions of one's own are left out: their names and versions are in their nodes.
    """
    converter = cattrs.Converter()
    omitted = cattrs.override(omit=True)
    # Before those of what holds them: these are made of what is known then.
    for kind in (GivenImage, GivenPositions):
        converter.register_unstructure_hook(kind, lambda given: {"digest": given.digest, "source": given.source})
    converter.register_unstructure_hook(
        NodePlan, cattrs.gen.make_dict_unstructure_fn(NodePlan, converter, function=omitted)
    )
    converter.register_unstructure_hook(Plan, cattrs.gen.make_dict_unstructure_fn(Plan, converter, rewritten=omitted))
    document: dict[str, Any] = _plain({"digest": plan.digest, **converter.unstructure(plan)})
    return document


def _plain(value: Any) -> Any:
    """Return tuples as lists, as JSON has them: what is written and read back is equal."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list | tuple) else value
