"""What this distribution declares to hcs_core."""

from collections.abc import Iterator

from hcs_core import MicroscopeSpec, hookimpl

hcs_api = 1

# A name of the database, as a glob: a GUID before the extension.
_WITH_GUID = "*-????-????-????-*.*"


@hookimpl
def hcs_microscopes() -> Iterator[MicroscopeSpec]:
    """Declare the microscope `imagexpress`."""
    yield MicroscopeSpec(
        name="imagexpress",
        target="hcs_imagexpress.handler:ImageXpressHandler",
        markers=(
            # Exports. Globs know no ignoring of case; these are the spellings that are seen.
            "*.HTD",
            "*.[hH]td",
            "TimePoint_*/*.[hH][tT][dD]",
            # Copies of the database, by the folder of the plate, of a day, and of an acquisition.
            "????-??-??/[0-9]*",
            f"[0-9]*/{_WITH_GUID}",
            "[0-9]*/ZStep_*",
            "[0-9]*/TimePoint_*",
            _WITH_GUID,
            "ZStep_*",
            f"TimePoint_*/{_WITH_GUID}",
            "TimePoint_*/ZStep_*",
        ),
        layout_writer="hcs_imagexpress.layout_writer:MetaXpressLayoutWriter",
        summary="ImageXpress plates: MetaXpress exports (an HTD file) and copies of its database (GUID names)",
    )
