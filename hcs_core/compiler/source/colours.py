"""The colour in which a channel is shown first: by its emission, else by its place."""

from __future__ import annotations

_BY_EMISSION = ((490.0, "0000FF"), (565.0, "00FF00"), (610.0, "FFA500"), (670.0, "FF0000"))
_FAR_RED = "FF00FF"
_PALETTE = ("0000FF", "00FF00", "FF0000", "FF00FF", "FFFF00", "00FFFF")
GREY = "FFFFFF"


def channel_colour(index: int, count: int, wavelength_nm: float | None) -> str:
    """Return `RRGGBB` for the channel at a 0-based index among `count`: grey where it is the only one."""
    if count == 1:
        return GREY
    if wavelength_nm is None:
        return _PALETTE[index % len(_PALETTE)]
    return next((colour for limit, colour in _BY_EMISSION if wavelength_nm < limit), _FAR_RED)
