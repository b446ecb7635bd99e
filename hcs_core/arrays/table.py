"""Tables: what operations measure, as named columns of equal length."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Self

import attrs
import numpy as np
import numpy.typing as npt

_WIDEST = 8
"""Bytes of a number that every format of tables holds."""

_NUMBER_AS_TEXT = np.dtype("U32")
"""Room for any number, written so that it can be read back."""


def _columns(value: Mapping[str, Any]) -> dict[str, npt.NDArray[Any]]:
    return {str(name): _column(str(name), column) for name, column in value.items()}


def _column(name: str, values: Any) -> npt.NDArray[Any]:
    """Return a column as an array in the machine's byte order; texts that stand as objects become texts."""
    column = np.asarray(values)
    if column.dtype.kind == "O" and column.ndim == 1:
        column = np.asarray(column.tolist()) if _alike(column) else column
    elif (
        column.dtype.kind == "U" and not isinstance(values, np.ndarray) and not all(_is_text(item) for item in values)
    ):
        raise ValueError(f"column {name!r} mixes texts with other things: expected texts alone")
    return column.astype(column.dtype.newbyteorder("="), copy=False)


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _alike(column: npt.NDArray[Any]) -> bool:
    """Whether the objects of a column are all texts, or all numbers or booleans."""
    kinds = {isinstance(item, str) for item in column}
    return kinds == {True} or all(isinstance(item, int | float | np.number | np.bool_) for item in column)


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
            if column.dtype.kind != "U" and column.dtype.itemsize > _WIDEST:
                raise ValueError(f"column {name!r} is {column.dtype}: expected numbers of at most {_WIDEST} bytes")
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
        """Return the table with further columns before its own, each of one value in every row.

        Raises
        ------
        ValueError
            It has a column of such a name.
        """
        twice = [name for name in constants if name in self.columns]
        if twice:
            raise ValueError(f"it has a column {twice[0]!r}, which is added to every table: give it another name")
        told = {name: np.full(len(self), value) for name, value in constants.items()}
        return attrs.evolve(self, columns={**told, **self.columns})

    @classmethod
    def joined(cls, tables: Sequence[Table]) -> Table:
        """Return the rows of all tables, one after the other.

        A table without a row says nothing of its columns' dtypes, and one without a column nothing at all: where
        nothing was found, a function need not know what it would have been.

        Raises
        ------
        ValueError
            They have other columns than the first.
        """
        with_columns = [table for table in tables if table.names]
        if not with_columns:
            return Table({})
        names = with_columns[0].names
        for table in with_columns:
            if table.names != names:
                raise ValueError(f"the columns {', '.join(table.names)} are not those before ({', '.join(names)})")
        layout = TableLayout.of(with_columns)
        fitted = [layout.fitted(table) for table in with_columns]
        return Table({name: np.concatenate([table[name] for table in fitted]) for name in names})


@attrs.frozen
class TableLayout:
    """The columns that tables have together, with dtypes that hold the values of each.

    Numbers that differ become what holds both; numbers become texts beside texts. A number that a table has not is
    NaN, a text is empty.
    """

    dtypes: Mapping[str, np.dtype[Any]]

    @classmethod
    def of(cls, tables: Iterable[Table]) -> TableLayout:
        """Return the layout of some tables, columns in the order in which they first come."""
        kept: dict[str, list[np.dtype[Any]]] = {}
        empty: dict[str, np.dtype[Any]] = {}
        has_all: dict[str, int] = {}
        with_rows = 0
        for table in tables:
            with_rows += bool(len(table))
            for name, column in table.columns.items():
                kept.setdefault(name, [])
                empty.setdefault(name, column.dtype)
                if len(table):
                    has_all[name] = has_all.get(name, 0) + 1
                    # One of each dtype is enough: a plate has thousands of tables.
                    if column.dtype not in kept[name]:
                        kept[name].append(column.dtype)
        found = {}
        for name, dtypes in kept.items():
            dtype = _common(dtypes) if dtypes else empty[name]
            lacking = has_all.get(name, 0) < with_rows
            found[name] = np.dtype(np.float64) if lacking and dtype.kind in "biu" else dtype
        return cls(found)

    def fitted(self, table: Table) -> Table:
        """Return a table with all columns, in their dtypes."""
        return Table(
            {
                name: _cast(table[name], dtype)
                if name in table.columns
                else np.full(len(table), _absent(dtype), dtype)
                for name, dtype in self.dtypes.items()
            }
        )


def _common(dtypes: Sequence[np.dtype[Any]]) -> np.dtype[Any]:
    texts = [dtype for dtype in dtypes if dtype.kind == "U"]
    if texts and len(texts) < len(dtypes):
        return max([*texts, _NUMBER_AS_TEXT], key=lambda dtype: dtype.itemsize)
    return np.result_type(*dtypes)


def _cast(column: npt.NDArray[Any], dtype: np.dtype[Any]) -> npt.NDArray[Any]:
    if dtype.kind == "U" and column.dtype.kind != "U":
        return np.asarray([repr(value) for value in column.tolist()], dtype)
    return column.astype(dtype, copy=False)


def _absent(dtype: np.dtype[Any]) -> float | str:
    return "" if dtype.kind == "U" else np.nan
