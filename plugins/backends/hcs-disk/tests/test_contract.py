"""The reader `tiff` and the backend `disk` pass the contracts of hcs_core."""

import numpy as np
import pytest
import tifffile

from hcs_core.testing import PluginContract, ReaderContract, StorageBackendContract, WrittenPlane
from hcs_disk import plugin


class TestPlugin(PluginContract):
    module = "hcs_disk.plugin"
    name = "disk"


class TestBackend(StorageBackendContract):
    (backend,) = plugin.hcs_storage_backends()


class TestReader(ReaderContract):
    (reader,) = plugin.hcs_readers()

    @pytest.fixture
    def planes(self, tmp_path):
        noise = np.random.default_rng(7).integers(0, 250, (70, 45))
        kinds = {
            "raw": ("uint16", {}),
            "big_endian": ("uint16", {"byteorder": ">"}),
            "bytes": ("uint8", {"rowsperstrip": 9}),
            "lzw": ("float32", {"compression": "lzw", "rowsperstrip": 9}),
            "tiles": ("uint16", {"compression": "zlib", "predictor": 2, "tile": (16, 32)}),
        }
        planes = []
        for name, (dtype, options) in kinds.items():
            path = tmp_path / f"{name}.tif"
            tifffile.imwrite(path, noise.astype(dtype), description=name, metadata=None, **options)
            planes.append(WrittenPlane(location=path, pixels=noise.astype(dtype), text=name))
        pages = [noise.astype("uint16"), noise[:30].astype("float32")]
        with tifffile.TiffWriter(tmp_path / "pages.tif") as writer:
            for page in pages:
                writer.write(page)
        planes += [
            WrittenPlane(location=tmp_path / "pages.tif", selector=selector, pixels=page)
            for selector, page in enumerate(pages)
        ]
        large = np.zeros((1024, 1024), "uint16")
        tifffile.imwrite(tmp_path / "large.tif", large)
        return [*planes, WrittenPlane(location=tmp_path / "large.tif", pixels=large)]
