"""`StorageBackendContract`: what every storage backend has to pass."""

from __future__ import annotations

from hcs_core.testing.contracts.storage_mosaics import MosaicRules
from hcs_core.testing.contracts.storage_planes import PlaneRules
from hcs_core.testing.contracts.storage_wells import DurableRules, WellRules


class StorageBackendContract(PlaneRules, MosaicRules, WellRules, DurableRules):
    """What every storage backend has to pass: planes come back, half a well never looks whole, a kill costs a well.

    Attributes
    ----------
    backend
        What the plugin declares. With `durable=False` the rules on what outlives the process are skipped.
    dtypes
        Those of uint8, uint16 and float32 that it holds.

    Notes
    -----
    Override `layout` where a store asks for more than the one here, and call it for the rest.

    Examples
    --------
    ::

        class TestHdf5(StorageBackendContract):
            backend = next(iter(plugin.hcs_storage_backends()))
    """
