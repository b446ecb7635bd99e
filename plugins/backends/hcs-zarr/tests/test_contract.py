"""The backend and the reader `zarr` pass the contracts of hcs_core."""

import numpy as np
import pytest
import zarr

from hcs_core.testing import PluginContract, ReaderContract, StorageBackendContract, WrittenPlane
from hcs_zarr import plugin


class TestPlugin(PluginContract):
    module = "hcs_zarr.plugin"
    name = "zarr"
    heavy = (*PluginContract.heavy, "numcodecs")


class TestBackend(StorageBackendContract):
    (backend,) = plugin.hcs_storage_backends()


class TestReader(ReaderContract):
    (reader,) = plugin.hcs_readers()

    @pytest.fixture
    def planes(self, tmp_path):
        kinds = {
            "format_3": {"chunks": (1, 1, 40, 33)},
            "format_2": {"chunks": (1, 1, 20, 45), "zarr_format": 2},
            "sharded": {"chunks": (1, 1, 16, 16), "shards": (1, 3, 80, 64)},
        }
        planes = []
        for name, options in kinds.items():
            pixels = np.random.default_rng(7).integers(1, 60_000, (2, 3, 70, 45)).astype("uint16")
            array = zarr.create_array(tmp_path / name, shape=pixels.shape, dtype=pixels.dtype, **options)
            array[:] = pixels
            planes += [
                WrittenPlane(location=tmp_path / name, selector=selector, pixels=plane)
                for selector, plane in enumerate(pixels.reshape(-1, 70, 45))
            ]
        large = np.ones((1024, 1024), "uint16")
        zarr.create_array(tmp_path / "large", data=large, chunks=(256, 256))
        return [*planes, WrittenPlane(location=tmp_path / "large", pixels=large)]
