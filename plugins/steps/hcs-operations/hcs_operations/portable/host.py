"""Bringing a few numbers from any array library to the host, for what can only be decided there."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from array_api_compat import is_cupy_array, is_torch_array, to_device


def on_host(array: Any) -> npt.NDArray[Any]:
    """Return an array of any library as numpy's; it waits until the device has computed it.

    Examples
    --------
    >>> import numpy as np
    >>> from hcs_operations.portable.host import on_host
    >>> on_host(np.array([1, 2]))
    array([1, 2])
    """
    # Others than these give their arrays to numpy from any device.
    moves = is_torch_array(array) or is_cupy_array(array)
    return np.asarray(to_device(array, "cpu") if moves else array)
