"""A memory type that imports its library when it is asked what it holds; another interpreter has to find it."""

from hcs_core.testing import FakeMemoryType


class Eager(FakeMemoryType):
    def holds(self, dtype):
        import wave  # noqa: F401 - stands for an array library: nothing else here imports it

        return dtype
