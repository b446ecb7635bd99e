"""What is wrong with a finished well, whatever holds its images: said before any of its metadata is written."""

from __future__ import annotations

from math import isfinite

from hcs_core.errors import StorageError
from hcs_core.storage.layout import FinishedWell, StoreLayout


def refuse_unwritable(layout: StoreLayout, finished: FinishedWell) -> None:
    """Refuse a finished well whose windows do not fit the channels, or whose numbers are none.

    Raises
    ------
    StorageError
        With the well and what was found.
    """
    pairs = list(finished.translations.values())
    if finished.mosaic_translation is not None:
        pairs.append(finished.mosaic_translation)
    for image, windows in (
        (layout.image, finished.summary.windows),
        (layout.mosaic, finished.summary.mosaic_windows),
    ):
        if windows and len(windows) != (len(image.channels) if image else 0):
            raise StorageError(
                f"well {finished.well} of {layout.name} has {len(windows)} display windows for "
                f"{len(image.channels) if image else 0} channels: give one for each, or none."
            )
        pairs.extend(windows)
    for pair in pairs:
        if not all(map(isfinite, pair)):
            raise StorageError(
                f"well {finished.well} of {layout.name} has a position or display window of {pair}: leave out what "
                "is not known."
            )
