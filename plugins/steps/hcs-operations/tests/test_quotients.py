"""Means of whole numbers, divided as whole numbers."""

from fractions import Fraction

import numpy as np
import pytest
from array_api_compat import array_namespace

from hcs_operations.portable.quotients import LARGEST_SUM, rounded_quotient


@pytest.mark.parametrize("library", ["numpy", "array-api-strict", "torch"], indirect=True)
@pytest.mark.parametrize("count", [1, 2, 3, 4, 10, 181**2])
def test_halves_go_to_the_even_number(library, count):
    totals = [
        *range(60),
        *range(LARGEST_SUM - 60, LARGEST_SUM + 1),
        *range(5 * count, 7 * count + 1, max(1, count // 8)),
    ]
    array = library.array(np.array([total for total in totals if total <= LARGEST_SUM], np.int32))
    found = library.numpy(rounded_quotient(array, count, array_namespace(array)))
    # Python rounds fractions half to even.
    assert found.tolist() == [round(Fraction(int(total), count)) for total in library.numpy(array)]
