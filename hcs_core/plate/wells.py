"""Well names: `A1`, `A01`, `a01`, `r01c01` and `AA01` are read, `A01` is written; filters select wells.

Plates of up to 1,536 wells have rows `A` to `AF`; rows to `ZZ` are read.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Mapping, Sequence

from hcs_core.errors import PlateError

PLATE_FORMATS = ((1, 1), (2, 3), (3, 4), (4, 6), (6, 8), (8, 12), (16, 24), (32, 48))
"""Rows and columns of the plates that are made: 1, 6, 12, 24, 48, 96, 384 and 1,536 wells."""

_LETTERS = re.compile(r"([A-Za-z]{1,2})\s*-?\s*0*([1-9][0-9]{0,2})")
_NUMBERS = re.compile(r"[rR]0*([1-9][0-9]{0,2})[cC]0*([1-9][0-9]{0,2})")
_COUNT = re.compile(r"[+-]?[0-9]{1,9}")
_ROW_SPAN = re.compile(r"\s*([A-Za-z]{1,2}|[0-9]{1,3})\s*(?:-\s*([A-Za-z]{1,2}|[0-9]{1,3})\s*)?")
_COLUMN_SPAN = re.compile(r"\s*([0-9]{1,3})\s*(?:-\s*([0-9]{1,3})\s*)?")
_ALPHABET = 26

WellFilter = str | int | Sequence["str | int"]
"""What a user may write to select wells; see `select_wells`."""


def well_name(row: int, column: int) -> str:
    """Return the name of the well in a 0-based row and column: `(0, 0)` is `A01`, `(26, 0)` is `AA01`."""
    return f"{row_name(row)}{column + 1:02d}"


def row_name(row: int) -> str:
    """Return the letters of a 0-based row: `A` to `Z`, then `AA` to `ZZ`."""
    if row < _ALPHABET:
        return chr(ord("A") + row)
    return chr(ord("A") + row // _ALPHABET - 1) + chr(ord("A") + row % _ALPHABET)


def row_index(letters: str) -> int:
    """Return the 0-based row of `A` to `ZZ`."""
    index = 0
    for letter in letters.upper():
        index = index * _ALPHABET + ord(letter) - ord("A") + 1
    return index - 1


@functools.lru_cache(maxsize=2**16)
def parse_well(text: str) -> tuple[int, int]:
    """Return the 0-based row and column of a well's name.

    Raises
    ------
    PlateError
        The text is no well name.

    Examples
    --------
    >>> parse_well("a1"), parse_well("r02c03"), parse_well("AA01")
    ((0, 0), (1, 2), (26, 0))
    """
    stripped = text.strip()
    if match := _NUMBERS.fullmatch(stripped):
        return int(match[1]) - 1, int(match[2]) - 1
    if match := _LETTERS.fullmatch(stripped):
        return row_index(match[1]), int(match[2]) - 1
    raise PlateError(f"{text!r} is no well name: write A1, A01, r01c01 or AA01.")


def canonical_well(text: str) -> str:
    """Return a well's name as it is written here: `a1` becomes `A01`."""
    return well_name(*parse_well(text))


def plate_format(wells: Iterable[str]) -> tuple[int, int]:
    """Return rows and columns of the smallest usual plate that has all these wells."""
    places = [parse_well(well) for well in wells]
    rows = max((row for row, _ in places), default=0) + 1
    columns = max((column for _, column in places), default=0) + 1
    for usual in PLATE_FORMATS:
        if rows <= usual[0] and columns <= usual[1]:
            return usual
    return rows, columns


def select_wells(well_filter: WellFilter | None, wells: Sequence[str]) -> tuple[str, ...]:
    """Return those of `wells` that a filter selects, in their order on the plate.

    Parameters
    ----------
    well_filter
        `A01`, `A01:B06` (a rectangle, between any two of its opposite corners), `row:A`, `row:A-C`, `col:1-6`,
        several of these separated by commas or in a list, a number (the first N), and `~` before one to leave it
        out; `None` is all.
    wells
        The wells that there are.

    Raises
    ------
    PlateError
        A part cannot be read, or selects no well that there is.

    Examples
    --------
    >>> select_wells("row:A,~A02", ("A01", "A02", "A03", "B01"))
    ('A01', 'A03')
    """
    there = sorted(wells, key=parse_well)
    if well_filter is None:
        return tuple(there)
    parts = _parts(well_filter)
    kept = [part for part in parts if not part.startswith("~")]
    dropped = [part[1:].strip() for part in parts if part.startswith("~")]
    chosen = {well for part in kept for well in _part(part, there)} if kept else set(there)
    chosen -= {well for part in dropped for well in _part(part, there)}
    if not chosen:
        raise PlateError(f"the well filter {', '.join(parts)!r} leaves no well of this plate: leave out less.")
    return tuple(well for well in there if well in chosen)


def _parts(well_filter: object) -> list[str]:
    """Return the parts of a filter, each a text of its own."""
    pieces = [well_filter] if isinstance(well_filter, str | int) else well_filter
    if not isinstance(pieces, Sequence) or not all(
        isinstance(piece, str | int) and not isinstance(piece, bool) for piece in pieces
    ):
        raise PlateError(
            f"{well_filter!r} is no well filter: write wells such as A01:B06, a list of them, or a number."
        )
    parts = [part.strip() for piece in pieces for part in str(piece).split(",") if part.strip()]
    if not parts:
        raise PlateError("the well filter is empty: write wells such as A01:B06, or leave it out.")
    return parts


def _part(part: str, there: Sequence[str]) -> list[str]:
    places = {well: parse_well(well) for well in there}
    if _COUNT.fullmatch(part):
        if int(part) < 1:
            raise PlateError(f"the well filter {part!r} is a number of wells: write at least 1.")
        found = list(there[: int(part)])
    elif part.lower().startswith("row:"):
        rows = _span(_ROW_SPAN.fullmatch(part[4:]), part)
        found = [well for well, (row, _) in places.items() if row in rows]
    elif part.lower().startswith("col:"):
        columns = _span(_COLUMN_SPAN.fullmatch(part[4:]), part)
        found = [well for well, (_, column) in places.items() if column in columns]
    elif ":" in part:
        first, last = (parse_well(piece) for piece in part.split(":", 1))
        rows, columns = _between(first[0], last[0]), _between(first[1], last[1])
        found = [well for well, (row, column) in places.items() if row in rows and column in columns]
    else:
        place = parse_well(part)
        found = [well for well in there if places[well] == place]
    if not found:
        near = "" if ":" in part or not there else f"; the nearest to it is {_nearest(parse_well(part), places)}"
        raise PlateError(f"the well filter {part!r} matches no well of this plate; it has {summary(there)}{near}.")
    return found


def _nearest(place: tuple[int, int], places: Mapping[str, tuple[int, int]]) -> str:
    """Return the well that lies nearest to a place, counted in rows and columns."""
    return min(places, key=lambda well: abs(places[well][0] - place[0]) + abs(places[well][1] - place[1]))


def _between(one: int, other: int) -> range:
    return range(min(one, other), max(one, other) + 1)


def _span(match: re.Match[str] | None, part: str) -> range:
    """Return the 0-based rows or columns of a span, such as `A-C` or `6-1`."""
    ends = [row_index(end) if end.isalpha() else int(end) - 1 for end in match.groups() if end] if match else []
    if not ends or min(ends) < 0:
        raise PlateError(f"the well filter {part!r} cannot be read: write row:A, row:A-C or col:1-6.")
    return _between(ends[0], ends[-1])


def summary(wells: Sequence[str], most: int = 12) -> str:
    """Return wells as people write them: all of a few, the first, the last and the number of many."""
    if len(wells) <= most:
        return ", ".join(wells) or "no wells"
    return f"{len(wells)} wells, {wells[0]} to {wells[-1]}"
