"""What zarr and its codecs raise for arrays that are damaged."""

from __future__ import annotations

import lzma
import zlib

UNREADABLE = (
    OSError,
    # zarr's own errors are ValueErrors.
    ValueError,
    TypeError,
    LookupError,
    ArithmeticError,
    AttributeError,
    AssertionError,
    MemoryError,
    # blosc's are RuntimeErrors, as is NotImplementedError.
    RuntimeError,
    # A codec that is not installed.
    ImportError,
    EOFError,
    zlib.error,
    lzma.LZMAError,
)
"""Raised for metadata or chunks that are damaged, or of a kind that is not known."""
