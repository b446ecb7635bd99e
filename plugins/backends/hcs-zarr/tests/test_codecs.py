"""The codecs are those of the configuration, and what does not work is said."""

import numcodecs
import pytest

from hcs_core import Compression, ZarrCompressor
from hcs_zarr import codecs, packing


def test_they_are_those_that_a_configuration_can_ask_for():
    assert set(codecs.codecs()) == {str(name) for name in ZarrCompressor}


def test_they_work_where_blosc_has_them():
    assert set(numcodecs.blosc.list_compressors()) >= {"lz4", "zstd"}
    assert set(codecs.codecs().values()) == {""}


@pytest.mark.parametrize(
    ("fault", "words"),
    [(ValueError("no such\ncompressor"), "ValueError: no such compressor"), (None, "what it packs comes back as")],
)
def test_one_that_does_not_work_says_why(monkeypatch, fault, words):
    def broken(compression):
        tool = packing.packer(Compression(codec="none"))
        if compression.codec != "lz4":
            return tool

        def pack(chunk):
            if fault:
                raise fault
            return bytes(chunk.nbytes)

        return packing.Packer(pack=pack, unpack=tool.unpack, is_blosc=False)

    monkeypatch.setattr(codecs, "packer", broken)
    found = codecs.codecs()
    assert found.pop("lz4").startswith(words)
    assert set(found.values()) == {""}
