"""A plugin that raises when it is imported."""

raise RuntimeError("the library of this instrument is not licensed here")
