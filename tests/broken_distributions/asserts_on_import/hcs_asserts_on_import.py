"""A plugin that fails an assertion when it is imported."""

TOO_OLD = True
assert not TOO_OLD, "the driver is too old"
