"""What a plan knows of artifacts: which node makes each, which take it, and where it is written."""

from __future__ import annotations

import attrs

ORDER = "stcz"
"""The components over which a function is mapped, in the order in which parts of an artifact follow each other."""


@attrs.frozen(kw_only=True)
class MadePlan:
    """An artifact that a node makes: its name in the plan, and its kind."""

    name: str
    kind: str


@attrs.frozen(kw_only=True)
class TakenPlan:
    """An artifact that a node takes by a keyword.

    `makers` are the nodes that make its parts, `name` what it is called; `shared` says that it is made for one
    channel only, and so is every channel's.
    """

    keyword: str
    kind: str
    name: str
    makers: tuple[int, ...]
    shared: bool = False


@attrs.frozen(kw_only=True)
class ArtifactPlan:
    """An artifact of a plan as it is written.

    Attributes
    ----------
    name, kind
        What it is called, and what it is: `table`, `json` or `image`.
    makers
        The nodes that make its parts.
    over
        The components, letters of `stcz`, by which its parts are told apart.
    writer, suffix
        What writes it, and what the names of its files end with; they come with the materialization pass.
    """

    name: str
    kind: str
    makers: tuple[int, ...]
    over: str
    writer: str = ""
    suffix: str = ""
