"""`MemoryTypeContract`: what every memory type has to pass."""

from __future__ import annotations

from hcs_core.testing.contracts.memory_type_content import MemoryTypeContent
from hcs_core.testing.contracts.memory_type_devices import MemoryTypeDevices
from hcs_core.testing.contracts.memory_type_dtypes import MemoryTypeDtypes
from hcs_core.testing.contracts.memory_type_manners import MemoryTypeManners


class MemoryTypeContract(MemoryTypeContent, MemoryTypeDtypes, MemoryTypeDevices, MemoryTypeManners):
    """What every memory type has to pass: pixels come through exactly, and nobody else notices.

    Each test runs for each of `memory_types`, those about arrays on each device that is here, those about pixels for
    each dtype that is held.

    Attributes
    ----------
    memory_types
        What the plugin declares.
    doubled
        Returns twice an array, in the library; by default `array + array`.
    by_default
        Returns an array that the library makes of Python's floats, without being told a dtype, such as
        `lambda: jnp.zeros(2)`; its dtype is to stay `default_dtype`, whatever is held meanwhile.
    default_dtype
        That dtype.

    Examples
    --------
    ::

        class TestMemoryTypes(MemoryTypeContract):
            memory_types = tuple(plugin.hcs_memory_types())
            by_default = staticmethod(lambda: torch.zeros(2))
    """
