"""The backend `memory` passes the contracts of hcs_core."""

from hcs_core.testing import PluginContract, StorageBackendContract
from hcs_memory import plugin


class TestPlugin(PluginContract):
    module = "hcs_memory.plugin"
    name = "memory"


class TestBackend(StorageBackendContract):
    (backend,) = plugin.hcs_storage_backends()
