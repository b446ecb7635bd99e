"""What this distribution declares to hcs_core."""

from collections.abc import Iterator

from hcs_core import MicroscopeSpec, hookimpl

hcs_api = 1

# Names of the database, as a glob: a GUID before the extension. Globs know no ignoring of case either.
_WITH_GUID = "*-????-????-????-*.[tT][iI][fF]*"


@hookimpl
def hcs_microscopes() -> Iterator[MicroscopeSpec]:
    """Declare the microscope `imagexpress`."""
    yield MicroscopeSpec(
        name="imagexpress",
        target="hcs_imagexpress.handler:ImageXpressHandler",
        markers=(
            # Copies of the database: their plates' folders, and the folders of a day and of an acquisition. They are
            # the first, as an acquisition may have all of its names in this one folder, and every glob lists it.
            "????-??-??/[0-9]*",
            _WITH_GUID,
            f"[0-9]*/{_WITH_GUID}",
            "[0-9]*/ZStep_*",
            "[0-9]*/TimePoint_*",
            f"ZStep_*/{_WITH_GUID}",
            f"TimePoint_*/{_WITH_GUID}",
            "TimePoint_*/ZStep_*",
            # Exports; these are the spellings of HTD that are seen.
            "*.HTD",
            "*.htd",
            "*.Htd",
            "TimePoint_*/*.HTD",
            "TimePoint_*/*.htd",
        ),
        layout_writer="hcs_imagexpress.layout_writer:MetaXpressLayoutWriter",
        summary="ImageXpress plates: MetaXpress exports (an HTD file) and copies of its database (GUID names)",
    )
