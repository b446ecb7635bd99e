"""The least sum of costs that each depend on a few variables: variables are eliminated one after the other.

Source of the method: U. Bertele and F. Brioschi, Nonserial Dynamic Programming, Academic Press 1972. It is exact, and
takes time that grows with the largest table: of a pipeline's graph, which is nearly a tree, a few dozen entries.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import attrs
import numpy as np
import numpy.typing as npt

MOST_ENTRIES = 2**12
"""A graph that needs a larger table is no pipeline's; some of its variables keep their first value then."""

Table = npt.NDArray[np.float64]


@attrs.frozen
class Factor:
    """A cost that depends on some variables: `table` has an axis for each of them, in order."""

    variables: tuple[int, ...]
    table: Table


@attrs.frozen
class _Eliminated:
    """A variable, those that its best value depends on, and that value for each of theirs."""

    variable: int
    others: tuple[int, ...]
    best: npt.NDArray[Any]


def least(sizes: Sequence[int], factors: Sequence[Factor], fixable: int) -> tuple[int, ...]:
    """Return a value for each variable with which the sum of all factors is least; of equals the first.

    Parameters
    ----------
    sizes
        How many values each variable has, at least one.
    factors
        What is summed; a table may hold infinity for what cannot be.
    fixable
        So many variables, the first ones, may keep their first value where there are too many that depend on each
        other: as long as no table has more than `MOST_ENTRIES` entries, the result is exact.
    """
    left = list(factors)
    near: dict[int, set[int]] = {variable: set() for variable in range(len(sizes))}
    for factor in left:
        for variable in factor.variables:
            near[variable].update(set(factor.variables) - {variable})
    done: list[_Eliminated] = []
    while near:
        entries = {one: math.prod(sizes[other] for other in (one, *others)) for one, others in near.items()}
        variable = min(entries, key=lambda one: (entries[one], one))
        if entries[variable] > MOST_ENTRIES:
            variable = max((one for one in near if one < fixable), key=lambda one: (len(near[one]), -one))
            left = [_fixed(factor, variable) for factor in left]
            done.append(_Eliminated(variable, (), np.zeros((), np.intp)))
            _forget(near, variable)
            continue
        others = tuple(sorted(near[variable]))
        mine = [factor for factor in left if variable in factor.variables]
        left = [factor for factor in left if variable not in factor.variables]
        summed = _summed((*others, variable), mine, sizes)
        done.append(_Eliminated(variable, others, summed.argmin(axis=-1)))
        left.append(Factor(others, summed.min(axis=-1)))
        for other in others:
            near[other].update(set(others) - {other})
        _forget(near, variable)
    values: dict[int, int] = {}
    for item in reversed(done):
        values[item.variable] = int(item.best[tuple(values[other] for other in item.others)])
    return tuple(values[index] for index in range(len(sizes)))


def _forget(near: dict[int, set[int]], variable: int) -> None:
    for other in near.pop(variable):
        near[other].discard(variable)


def _fixed(factor: Factor, variable: int) -> Factor:
    if variable not in factor.variables:
        return factor
    axis = factor.variables.index(variable)
    others = (*factor.variables[:axis], *factor.variables[axis + 1 :])
    return Factor(others, np.asarray(factor.table.take(0, axis=axis)))


def _summed(variables: tuple[int, ...], factors: Sequence[Factor], sizes: Sequence[int]) -> Table:
    """Return the sum of factors as a table with an axis for each of the variables."""
    total = np.zeros([sizes[variable] for variable in variables])
    for factor in factors:
        order = sorted(range(len(factor.variables)), key=lambda axis: variables.index(factor.variables[axis]))
        there = {factor.variables[axis] for axis in order}
        shape = [sizes[variable] if variable in there else 1 for variable in variables]
        total += factor.table.transpose(order).reshape(shape)
    return total
