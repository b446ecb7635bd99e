"""OpenCV's names of the dtypes that kernels take, for calls that are told what to return."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np

_DEPTHS = {np.dtype(np.uint8): cv2.CV_8U, np.dtype(np.uint16): cv2.CV_16U, np.dtype(np.float32): cv2.CV_32F}


def depth_of(dtype: np.dtype[Any]) -> int:
    """Return OpenCV's number of uint8, uint16 or float32.

    A call that returns an integer rounds half to even and clips, as long as what it rounds is a number below 2**31.

    Examples
    --------
    >>> import cv2, numpy as np
    >>> from hcs_numpy.depths import depth_of
    >>> depth_of(np.dtype(np.uint16)) == cv2.CV_16U
    True
    """
    return _DEPTHS[dtype]
