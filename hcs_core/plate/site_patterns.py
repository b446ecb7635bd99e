"""Patterns of images: names in which a placeholder stands for the site's number."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

import attrs

from hcs_core.plate.found_images import FoundImage
from hcs_core.plate.inventory import Plate
from hcs_core.plate.microscope import FilenameParser

SITE = "{iii}"
"""What stands in a pattern for the site's number, however many digits that has."""

_DIGITS = re.compile(r"[0-9]+")

Patterns = Mapping[str, Mapping[str, tuple[str, ...]]]
"""The patterns of each channel, by its name, of each well."""


def site_patterns(images: Iterable[FoundImage], plate: Plate, parser: FilenameParser) -> Patterns:
    """Return the patterns of images, by well and by the channel's name, in the order of the images.

    Images whose names differ in the site only have one pattern. A name that does not tell the site is its own; so
    are names that hold more than a plane's components, such as the GUID of a database: no two of them differ in the
    site only.
    """
    names = {channel.number: channel.name for channel in plate.channels}
    found: dict[str, dict[str, dict[str, None]]] = {}
    pattern = ""
    for image in images:
        if not _fits(image.name, pattern):
            pattern = site_pattern(image.name, parser)
        channel = names.get(image.channel, f"channel{image.channel}")
        # A dict, as a set that keeps its order.
        found.setdefault(image.well, {}).setdefault(channel, {})[pattern] = None
    return {
        well: {channel: tuple(patterns) for channel, patterns in channels.items()} for well, channels in found.items()
    }


def _fits(name: str, pattern: str) -> bool:
    """Whether a name is a pattern with a number in it: neighbours share one, and the grammar is asked once."""
    before, found, after = pattern.partition(SITE)
    digits = name[len(before) : len(name) - len(after)]
    return bool(found) and digits.isdecimal() and f"{before}{digits}{after}" == name


def site_pattern(name: str, parser: FilenameParser) -> str:
    """Return a name with `{iii}` in place of the site's number; the name itself where it has none.

    Which digits are the site's is asked of the grammar: those that, put to another number, make the name that of
    another site, and change nothing else of what it says.
    """
    says = parser.parse_filename(name)
    if says is None or says.site is None:
        return name
    for start, end in _spans(name, says.site):
        for other in (says.site + 1, says.site - 1):
            digits = str(other).zfill(end - start)
            changed = parser.parse_filename(f"{name[:start]}{digits}{name[end:]}")
            if changed == attrs.evolve(says, site=other):
                return f"{name[:start]}{SITE}{name[end:]}"
    return name


def _spans(name: str, number: int) -> Iterator[tuple[int, int]]:
    """Yield where a number stands in a name, padded with zeros or not, the longest of each run of digits first.

    A run may hold more than the number: in a name of the database the digits of a GUID follow it.
    """
    for run in _DIGITS.finditer(name):
        spans = [(start, end) for start in range(run.start(), run.end()) for end in range(start + 1, run.end() + 1)]
        for start, end in sorted(spans, key=lambda span: span[0] - span[1]):
            if int(name[start:end]) == number:
                yield start, end
