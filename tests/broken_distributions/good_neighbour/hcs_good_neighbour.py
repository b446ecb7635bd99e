"""A plugin that is in order, among those that are not."""

from hcs_core import ReaderSpec, hookimpl

hcs_api = 1


@hookimpl
def hcs_readers():
    yield ReaderSpec(name="neighbour", target="json:loads")
