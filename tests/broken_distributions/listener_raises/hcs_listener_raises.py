"""A plugin that provides a reader, and whose listener raises."""

from hcs_core import ReaderSpec, hookimpl

hcs_api = 1


@hookimpl
def hcs_readers():
    yield ReaderSpec(name="beside_a_listener", target="json:loads")


@hookimpl
def hcs_event(event):
    raise ConnectionError(f"nobody answers to {type(event).__name__}")
