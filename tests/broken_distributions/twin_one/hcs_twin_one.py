"""One of two plugins that declare one name."""

from hcs_core import ReaderSpec, hookimpl

hcs_api = 1


@hookimpl
def hcs_readers():
    yield ReaderSpec(name="twin", target="json:loads")
    yield ReaderSpec(name="only_of_one", target="json:loads")
