"""A plugin that a test registers as an embedding program would: workers import it by name."""

from __future__ import annotations

from hcs_core import KernelSpec, Signature, hookimpl


def invert(image):
    """The complement of each pixel."""
    return ~image


class Plugin:
    """Declares one operation."""

    hcs_api = 1

    @hookimpl
    def hcs_kernels(self):
        """Declare it."""
        yield KernelSpec(
            operation="invert",
            memory_type="numpy",
            target="kernel_of_the_program:invert",
            signature=Signature(axes="yx", out="yx", dtypes=("uint8", "uint16")),
        )
