"""A plugin that misspells a hook."""

from hcs_core import ReaderSpec, hookimpl

hcs_api = 1


@hookimpl
def hcs_reader():
    yield ReaderSpec(name="misspelt", target="json:loads")
