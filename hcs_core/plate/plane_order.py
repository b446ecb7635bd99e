"""The columns of an inventory, checked and put into the one order that makes equal plates equal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from hcs_core.errors import PlateError

_BY = ("well", "site", "timepoint", "channel", "z_index")
_TIES_BY = ("kind", "state", "selector")


def begins_site(well: npt.NDArray[Any], site: npt.NDArray[Any]) -> npt.NDArray[np.bool_]:
    """Return for each row whether a site begins there: planes are sorted by well and site.

    Examples
    --------
    >>> import numpy as np
    >>> begins_site(np.array([0, 0, 0, 1]), np.array([1, 1, 2, 2])).tolist()
    [True, False, True, True]
    """
    begins = np.ones(len(well), np.bool_)
    begins[1:] = (well[1:] != well[:-1]) | (site[1:] != site[:-1])
    return begins


def alike_wells(
    wells: Sequence[str], ends: npt.NDArray[np.int64], columns: Sequence[npt.NDArray[Any]]
) -> dict[str, int]:
    """Return each well with a number that wells share where these columns hold the same for them.

    Parameters
    ----------
    wells
        Their names.
    ends
        Where the rows of each well begin, and at last where those of the last one end.
    columns
        What is compared.
    """
    counts = np.diff(ends)
    # Most wells are like the first: they are compared with it all at once.
    like_first = np.flatnonzero(counts == counts[0]) if len(counts) else np.empty(0, np.int64)
    same = np.zeros(len(wells), np.bool_)
    same[like_first] = True
    rows = ends[:-1][like_first, np.newaxis] + np.arange(counts[0] if len(counts) else 0)
    for column in columns:
        same[like_first] &= (column[rows] == column[rows[:1]]).all(axis=1)
    found: dict[str, int] = {}
    known: dict[tuple[bytes, ...], int] = {}
    for place, (well, is_same) in enumerate(zip(wells, same.tolist(), strict=True)):
        if is_same:
            found[well] = 0
            continue
        key = tuple(column[ends[place] : ends[place + 1]].tobytes() for column in columns)
        found[well] = known.setdefault(key, len(known) + 1)
    return found


def check_columns(columns: Mapping[str, Any], count: int, wells: Sequence[str]) -> None:
    """Refuse columns that are no table of `count` planes.

    Raises
    ------
    PlateError
        The columns differ in length, a well is listed twice, or a position in `wells` is none.
    """
    lengths = {name: len(column) for name, column in columns.items() if len(column) != count}
    if lengths:
        raise PlateError(f"an inventory has {count} uris, and columns of other lengths: {lengths}.")
    if len(set(wells)) != len(wells):
        raise PlateError(f"an inventory lists a well twice: {', '.join(wells)}.")
    if count and not 0 <= columns["well"].min() <= columns["well"].max() < len(wells):
        raise PlateError(f"an inventory has a plane whose well is none of its {len(wells)} wells.")


def plane_order(columns: Mapping[str, Any], uri: Sequence[str]) -> npt.NDArray[np.int64]:
    """Return the rows sorted by well, site, timepoint, channel and z_index.

    Several files of one plane are sorted by kind, state, selector and uri, so that the order in which a folder
    was listed does not show.
    """
    keys = [columns[name] for name in _BY]
    order: npt.NDArray[np.int64] = np.lexsort(keys[::-1])
    same = np.ones(max(len(order) - 1, 0), np.bool_)
    for key in keys:
        same &= key[order[1:]] == key[order[:-1]]
    if not same.any():
        return order
    place = np.empty(len(order), np.int64)
    place[sorted(range(len(order)), key=uri.__getitem__)] = np.arange(len(order))
    keys += [columns[name] for name in _TIES_BY]
    return np.lexsort([place, *keys[::-1]])
