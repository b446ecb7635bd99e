"""Well names: `A1`, `A01`, `a01`, `r01c01` and `AA01` are read, `A01` is written; filters select wells.

Plates of up to 1,536 wells have rows `A` to `AF`; rows to `ZZ` are read.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from hcs_core.errors import PlateError

PLATE_FORMATS = ((1, 1), (2, 3), (3, 4), (4, 6), (6, 8), (8, 12), (16, 24), (32, 48))
"""Rows and columns of the plates that are made: 1, 6, 12, 24, 48, 96, 384 and 1,536 wells."""

_LETTERS = re.compile(r"([A-Za-z]{1,2})\s*-?\s*0*([1-9]\d{0,2})")
_NUMBERS = re.compile(r"[rR]0*([1-9]\d{0,2})[cC]0*([1-9]\d{0,2})")
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
        `A01`, `A01:B06` (a rectangle), `row:A`, `col:1-6`, several of these separated by commas or in a list,
        a number (the first N), and `~` before one to leave it out; `None` is all.
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
    if isinstance(well_filter, int):
        parts: list[str] = [str(well_filter)]
    elif isinstance(well_filter, str):
        parts = [part.strip() for part in well_filter.split(",") if part.strip()]
    else:
        parts = [piece.strip() for part in well_filter for piece in str(part).split(",") if piece.strip()]
    if not parts:
        raise PlateError("the well filter is empty: write wells such as A01:B06, or leave it out.")
    kept = [part for part in parts if not part.startswith("~")]
    dropped = [part[1:] for part in parts if part.startswith("~")]
    chosen = {well for part in kept for well in _part(part, there)} if kept else set(there)
    chosen -= {well for part in dropped for well in _part(part, there)}
    if not chosen:
        raise PlateError(f"the well filter {', '.join(parts)!r} leaves no well of this plate.")
    return tuple(well for well in there if well in chosen)


def _part(part: str, there: Sequence[str]) -> list[str]:
    places = {well: parse_well(well) for well in there}
    if part.isdigit():
        if int(part) == 0:
            raise PlateError("the well filter '0' selects the first 0 wells: write at least 1.")
        return list(there[: int(part)])
    if part.lower().startswith("row:"):
        rows = _span(part[4:], lambda text: row_index(text) if text.isalpha() else int(text) - 1, part)
        found = [well for well, (row, _) in places.items() if row in rows]
    elif part.lower().startswith("col:"):
        columns = _span(part[4:], lambda text: int(text) - 1, part)
        found = [well for well, (_, column) in places.items() if column in columns]
    elif ":" in part:
        first, last = (parse_well(piece) for piece in part.split(":", 1))
        rows = range(min(first[0], last[0]), max(first[0], last[0]) + 1)
        columns = range(min(first[1], last[1]), max(first[1], last[1]) + 1)
        found = [well for well, (row, column) in places.items() if row in rows and column in columns]
    else:
        place = parse_well(part)
        found = [well for well in there if places[well] == place]
    if not found:
        raise PlateError(f"the well filter {part!r} matches no well of this plate; it has {summary(there)}.")
    return found


def _span(text: str, number: object, part: str) -> range:
    pieces = text.strip().split("-")
    try:
        first, last = (number(piece.strip()) for piece in (pieces[0], pieces[-1]))  # type: ignore[operator]
    except (ValueError, TypeError) as error:
        raise PlateError(f"the well filter {part!r} cannot be read: write row:A, row:A-C or col:1-6.") from error
    return range(first, last + 1)


def summary(wells: Sequence[str], most: int = 12) -> str:
    """Return wells as people write them: all of a few, the first, the last and the number of many."""
    if len(wells) <= most:
        return ", ".join(wells)
    return f"{len(wells)} wells, {wells[0]} to {wells[-1]}"
