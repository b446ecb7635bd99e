"""A plugin of two readers: the module of one target is not there, the other works."""

from hcs_core import ReaderSpec, hookimpl

hcs_api = 1


@hookimpl
def hcs_readers():
    yield ReaderSpec(name="without_module", target="hcs_target_missing_pixels:Reader")
    yield ReaderSpec(name="with_module", target="json:loads")
