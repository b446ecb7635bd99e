"""Tables: what operations measure, as named columns of equal length."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Self

import attrs
import numpy as np
import numpy.typing as npt


def _columns(value: Mapping[str, Any]) -> dict[str, npt.NDArray[Any]]:
    return {str(name): np.asarray(column) for name, column in value.items()}


@attrs.frozen(eq=False)
class Table:
    """Named columns of equal length, each a one-dimensional numpy array of numbers, booleans or texts.

    Made from any mapping of names to sequences: a dict of lists, a pandas DataFrame.

    Raises
    ------
    ValueError
        A column is not one-dimensional, is as long as no other, or holds objects.

    Examples
    --------
    >>> from hcs_core.arrays.table import Table
    >>> table = Table({"label": [1, 2], "area": [10.0, 12.5]})
    >>> len(table), table.names
    (2, ('label', 'area'))
    """

    columns: Mapping[str, npt.NDArray[Any]] = attrs.field(converter=_columns)

    def __attrs_post_init__(self) -> None:
        """Refuse what is no table."""
        lengths = set()
        for name, column in self.columns.items():
            if column.ndim != 1 or column.dtype.kind not in "biufU":
                raise ValueError(
                    f"column {name!r} is {column.dtype} of shape {column.shape}: expected one dimension of numbers, "
                    "booleans or texts"
                )
            lengths.add(len(column))
        if len(lengths) > 1:
            raise ValueError(f"its columns have {sorted(lengths)} rows: expected as many in each")

    def __len__(self) -> int:
        """How many rows it has."""
        return len(next(iter(self.columns.values()), ()))

    @property
    def names(self) -> tuple[str, ...]:
        """The names of its columns, in order."""
        return tuple(self.columns)

    def __getitem__(self, name: str) -> npt.NDArray[Any]:
        """Return a column."""
        return self.columns[name]

    def beside(self, **constants: Any) -> Self:
        """Return the table with further columns before its own, each of one value in every row."""
        told = {name: np.full(len(self), value) for name, value in constants.items()}
        return attrs.evolve(self, columns={**told, **self.columns})

    @classmethod
    def joined(cls, tables: Sequence[Table]) -> Table:
        """Return the rows of all tables, one after the other.

        Raises
        ------
        ValueError
            They have other columns than the first.
        """
        if not tables:
            return Table({})
        names = tables[0].names
        for table in tables:
            if table.names != names:
                raise ValueError(f"the columns {', '.join(table.names)} are not those before ({', '.join(names)})")
        return Table({name: np.concatenate([table[name] for table in tables]) for name in names})
