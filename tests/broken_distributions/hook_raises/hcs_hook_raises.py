"""A plugin whose hook raises half way."""

from hcs_core import ReaderSpec, hookimpl

hcs_api = 1


@hookimpl
def hcs_readers():
    yield ReaderSpec(name="half", target="json:loads")
    raise OSError("the list of formats cannot be read")
