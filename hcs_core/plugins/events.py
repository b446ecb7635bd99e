"""What is told to listeners while the engine works: plain frozen objects on one stream."""

from __future__ import annotations

import attrs


@attrs.frozen(kw_only=True)
class PlanCompiled:
    """A plan was compiled without a problem."""

    plate: str
    digest: str
    wells: tuple[str, ...]
    steps: tuple[str, ...]


@attrs.frozen(kw_only=True)
class RunStarted:
    """A run begins: how many wells it has, and how many of them are already done."""

    plate: str
    wells: int
    cached: int
    workers: int
    output: str


@attrs.frozen(kw_only=True)
class Estimating:
    """Something is estimated of the plate, before its wells: of how many wells, and how many of them are sampled."""

    plate: str
    step: str
    parameter: str
    wells: int
    sampled: int


@attrs.frozen(kw_only=True)
class WellFinished:
    """A well is done: `status` is `ok`, `failed`, `skipped` or `cached`; `error` is one line, or `None`."""

    well: str
    status: str
    seconds: float
    error: str | None = None


@attrs.frozen(kw_only=True)
class RunFinished:
    """A run is over: `status` is `ok`, `partial`, `failed` or `interrupted`; `output` is its folder."""

    plate: str
    status: str
    output: str
    failed: tuple[str, ...] = ()
    seconds: float = 0.0


Event = PlanCompiled | RunStarted | Estimating | WellFinished | RunFinished
"""Any event."""
