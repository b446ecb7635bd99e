"""The core's own five passes keep the contract of a compiler pass."""

from hcs_core.plugins import builtin
from hcs_core.testing import PassContract


class TestPasses(PassContract):
    passes = tuple(builtin.hcs_compiler_passes())
