"""The compressions that files can have are tried, and what does not work is said."""

import imagecodecs
import tifffile

from hcs_disk import codecs


def test_they_work_where_imagecodecs_has_them():
    there = {"LZW": imagecodecs.LZW, "zstd": imagecodecs.ZSTD, "JPEG 2000": imagecodecs.JPEG2K}
    found = codecs.codecs()
    assert {name: not found[name] for name in there} == {name: codec.available for name, codec in there.items()}
    assert (found["none"], found["Deflate"]) == ("", "")


def test_one_that_is_not_there_says_why(monkeypatch):
    def refuse(*_arguments, **_options):
        raise imagecodecs.DelayedImportError("jpeg2k_encode")

    write = tifffile.imwrite
    monkeypatch.setattr(
        tifffile,
        "imwrite",
        lambda file, plane, compression: (refuse if compression == "jpeg2000" else write)(
            file, plane, compression=compression
        ),
    )
    found = codecs.codecs()
    assert "ImportError" in found.pop("JPEG 2000")
    assert set(found.values()) == {""}
