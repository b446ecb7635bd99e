"""Planes that wait for readers: where they lie, as long as some reader wants them there, else in a backend."""

from __future__ import annotations

from collections.abc import Mapping

from hcs_core.arrays.memory_type import HOST
from hcs_core.compiler.node_plan import Port
from hcs_core.compiler.order.presence import PlaneKey
from hcs_core.compiler.order.waiting_places import waiting_in_place
from hcs_core.compiler.plan import Plan
from hcs_core.plugins.manager import PluginManager
from hcs_core.runtime.well.held import Held, Moves, on_host
from hcs_core.runtime.well.intermediates import Intermediates


def waits_in_place(plan: Plan, plugins: PluginManager) -> dict[Port, bool]:
    """Return the ports whose planes wait where they are, as `waiting_in_place` says.

    There are none where the plan lets planes wait on disk: that is asked for to spare memory.
    """
    on_disk = plugins.storage_backends.get(plan.intermediate_backend).durable
    return {} if on_disk else waiting_in_place(plan)


class Waiting:
    """The planes of one well that wait.

    Parameters
    ----------
    intermediates
        Holds those that wait on the host.
    moves
        Gets planes there.
    in_place
        The ports whose planes stay where they are, see `waits_in_place`.
    """

    def __init__(self, intermediates: Intermediates, moves: Moves, in_place: Mapping[Port, bool]) -> None:
        self._intermediates = intermediates
        self._moves = moves
        self._in_place = in_place
        self._held: dict[tuple[Port, PlaneKey], Held] = {}

    def put(self, port: Port, key: PlaneKey, plane: Held) -> None:
        """Hold a plane."""
        if plane.memory_type == HOST or port not in self._in_place:
            self._intermediates.put(port, key, self._moves.on_host(plane))
            return
        if not self._in_place[port]:
            # One place is enough to wait in.
            plane.forget_moved()
        self._held[port, key] = plane

    def take(self, port: Port, key: PlaneKey, *, last: bool) -> Held:
        """Return a plane that is held, and forget it after its last reader."""
        if (port, key) not in self._held:
            return on_host(self._intermediates.take(port, key, last=last))
        return self._held.pop((port, key)) if last else self._held[port, key]
