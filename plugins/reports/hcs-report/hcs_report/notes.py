"""What the words on a plate's picture say."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from hcs_core import PictureChannel, PictureMark, PlatePicture, Thumbnail, WellState

MOST_LINES = 36
"""How many wells and channels are listed; a plate of which everything is absent has thousands."""


def summary(picture: PlatePicture) -> str:
    """Return the line below the plate's name: the microscope, the format and how many wells are in which state."""
    rows, columns = picture.plate_format
    counts = state_counts(picture)
    return (
        f"{picture.microscope}, {_many(rows * columns, 'well')} ({rows} x {columns}): "
        f"{counts[WellState.WHOLE]:,} with all planes, {counts[WellState.LACKING]:,} that lack some, "
        f"{counts[WellState.EMPTY]:,} without an image"
    )


def state_counts(picture: PlatePicture) -> Counter[WellState]:
    """Return how many wells of the plate are in each state."""
    counts = Counter(picture.wells.values())
    rows, columns = picture.plate_format
    counts[WellState.EMPTY] += rows * columns - len(picture.wells)
    return counts


def channel_title(channel: PictureChannel) -> str:
    """Return a channel's name, and its wavelength where it is known."""
    return channel.name + (f" ({channel.wavelength_nm:g} nm)" if channel.wavelength_nm else "")


def channel_caption(picture: PlatePicture, channel: PictureChannel) -> str:
    """Return the grey values that are black and white, and which plane is shown."""
    usual = usual_plane(picture, channel.number)
    if channel.limits is None or usual is None:
        return "nothing could be read"
    low, high = (f"{value:,.6g}" if value != round(value) else f"{round(value):,}" for value in channel.limits)
    return f"black {low}, white {high}; {usual}"


def usual_plane(picture: PlatePicture, channel: int) -> str | None:
    """Return which plane most thumbnails of a channel show; `None` where it has none."""
    shown = Counter(plane_name(item) for (_, number), item in picture.thumbnails.items() if number == channel)
    return shown.most_common(1)[0][0] if shown else None


def plane_name(thumbnail: Thumbnail) -> str:
    """Return which plane a thumbnail is: `site 1, z 2, timepoint 1`."""
    height = f"z {thumbnail.z_index}" if thumbnail.z_index else "projection"
    return f"site {thumbnail.site}, {height}, timepoint {thumbnail.timepoint}"


def explanation(picture: PlatePicture) -> str:
    """Return how the thumbnails were made."""
    low, high = picture.limit_percentiles
    blocks = sorted({thumbnail.block for thumbnail in picture.thumbnails.values()})
    if not blocks:
        return "No image of this plate could be read."
    means = " to ".join(f"{block} x {block}" for block in {blocks[0]: None, blocks[-1]: None})
    pixels = (
        "Each pixel of a thumbnail is one of its image"
        if means == "1 x 1"
        else (f"Each pixel of a thumbnail is the mean of {means} pixels of its image")
    )
    return (
        f"{pixels}. Contrast is the same in all wells of a channel: black and white are percentiles {low:g} and "
        f"{high:g} of its thumbnails' pixels over the whole plate. Only the planes that are shown were read: others "
        "may be unreadable too."
    )


def listing(picture: PlatePicture) -> list[str]:
    """Return what is absent or unreadable, and which wells show another plane than the others, a line each."""
    lines = [*_absent(picture), *_others(picture)]
    if len(lines) > MOST_LINES:
        rest = len(lines) - MOST_LINES + 1
        lines[MOST_LINES - 1 :] = [f"... and {rest:,} more lines like these"]
    return lines


def _absent(picture: PlatePicture) -> Iterator[str]:
    together: dict[tuple[str, int, str], list[PictureMark]] = {}
    for mark in picture.marks:
        together.setdefault((mark.well, mark.channel, mark.state.word), []).append(mark)
    names = {channel.number: channel.name for channel in picture.channels}
    for (well, channel, word), marks in together.items():
        sites = sites_text([mark.site for mark in marks])
        planes = _many(sum(mark.planes for mark in marks), "plane")
        yield f"{well} {names[channel]}, {sites}: {planes} {word.replace('_', ' ')}"


def _others(picture: PlatePicture) -> Iterator[str]:
    for channel in picture.channels:
        usual = usual_plane(picture, channel.number)
        for well in picture.wells:
            thumbnail = picture.thumbnails.get((well, channel.number))
            if thumbnail is not None and plane_name(thumbnail) != usual:
                yield f"{well} {channel.name} shows {plane_name(thumbnail)}"


def sites_text(sites: list[int]) -> str:
    """Return sorted sites as people write them: `site 2`, `sites 1-3, 7`."""
    runs: list[list[int]] = []
    for site in sites:
        if runs and site == runs[-1][-1] + 1:
            runs[-1].append(site)
        else:
            runs.append([site])
    text = ", ".join(f"{run[0]}-{run[-1]}" if len(run) > 1 else f"{run[0]}" for run in runs)
    return f"sites {text}" if len(sites) > 1 else f"site {text}"


def _many(count: int, word: str) -> str:
    return f"{count:,} {word}" + ("" if count == 1 else "s")
