"""The backend `zarr` passes the contracts of hcs_core."""

from hcs_core.testing import PluginContract, StorageBackendContract
from hcs_zarr import plugin


class TestPlugin(PluginContract):
    module = "hcs_zarr.plugin"
    name = "zarr"
    heavy = (*PluginContract.heavy, "numcodecs")


class TestBackend(StorageBackendContract):
    (backend,) = plugin.hcs_storage_backends()
