"""What a plan says of one device: how many workers hold something there, how much, and of what is free."""

from __future__ import annotations

import attrs


@attrs.frozen(kw_only=True)
class DevicePlan:
    """A device other than the CPU, on which nodes of a plan work.

    Attributes
    ----------
    device
        Its name, such as `cuda:0`.
    workers
        How many workers hold something there.
    bytes_per_worker
        The most that one of them holds there at once, with what its process needs there beside arrays.
    free_bytes
        What was free there when the plan was made; `None` where no library says.
    """

    device: str
    workers: int
    bytes_per_worker: int
    free_bytes: int | None = None
