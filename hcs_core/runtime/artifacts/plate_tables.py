"""The tables of the plate, put together from those of its finished wells, in the order of the plate."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from hcs_core.arrays.table import Table, TableLayout
from hcs_core.runtime.artifacts.well_parts import WellParts


class PlateTables(Mapping[str, Table]):
    """The plate's tables by name; each is read when it is asked for.

    Parameters
    ----------
    parts
        The files of the wells.
    wells
        The wells whose rows they have, in the plate's order.
    """

    def __init__(self, parts: WellParts, wells: Sequence[str]) -> None:
        self._parts = parts
        self._wells = tuple(wells)
        self._names: dict[str, tuple[str, ...]] | None = None

    def __getitem__(self, name: str) -> Table:
        """Return the table of that name, the rows of all wells."""
        return Table.joined(list(self.parts(name)))

    def __iter__(self) -> Iterator[str]:
        """Yield the names, in the order in which wells have them."""
        return iter(self._known())

    def __len__(self) -> int:
        """How many tables there are."""
        return len(self._known())

    def __contains__(self, name: object) -> bool:
        """Whether there is a table of that name."""
        return name in self._known()

    def parts(self, name: str) -> Iterator[Table]:
        """Yield the rows of one well after the other, all with the same columns and dtypes; at least one table.

        Raises
        ------
        KeyError
            There is no such table.
        StorageError
            A well's file cannot be read.
        """
        wells = self._known()[name]
        # Twice through the files, so that no more than one well is held.
        layout = TableLayout.of(table for well in wells if (table := self._parts.table(well, name)) is not None)
        for well in wells:
            table = self._parts.table(well, name)
            if table is not None and (len(table) or well == wells[0]):
                yield layout.fitted(table)

    def _known(self) -> dict[str, tuple[str, ...]]:
        """Return the names, each with the wells that have it."""
        if self._names is None:
            found: dict[str, list[str]] = {}
            for well in self._wells:
                for name in self._parts.index(well).tables:
                    found.setdefault(name, []).append(well)
            self._names = {name: tuple(wells) for name, wells in found.items()}
        return self._names
