"""What this distribution declares to hcs_core."""

from collections.abc import Iterator

from hcs_core import MicroscopeSpec, hookimpl

hcs_api = 1


@hookimpl
def hcs_microscopes() -> Iterator[MicroscopeSpec]:
    """Declare the microscope `imagexpress`."""
    yield MicroscopeSpec(
        name="imagexpress",
        target="hcs_imagexpress.handler:ImageXpressHandler",
        # Globs know no ignoring of case; these are the spellings that are seen.
        markers=("*.HTD", "*.htd", "*.Htd", "TimePoint_*/*.HTD", "TimePoint_*/*.htd"),
        layout_writer="hcs_imagexpress.layout_writer:MetaXpressLayoutWriter",
        summary="ImageXpress plates as MetaXpress exports them: an HTD file and TimePoint_ folders of TIFF files",
    )
