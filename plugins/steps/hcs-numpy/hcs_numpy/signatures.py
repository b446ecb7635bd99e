"""The signatures of the operations: what a kernel of one of them takes and gives, in every memory type.

Each states what all kernels of its operation share. How a border is treated, and what becomes of NaN, is said
in the docstring of the kernel in this distribution; it holds for the operation.
"""

from __future__ import annotations

from hcs_core import Parameter, Signature

PERCENTILE_NORMALIZE = Signature(
    axes="yx",
    out="yx",
    parameters=(
        Parameter(
            name="low",
            kind="float",
            default=1.0,
            minimum=0.0,
            maximum=100.0,
            unit="percent",
            description="the percentile that becomes 0; below `high`",
        ),
        Parameter(
            name="high",
            kind="float",
            default=99.0,
            minimum=0.0,
            maximum=100.0,
            unit="percent",
            description="the percentile that becomes the dtype's largest value, 1.0 for float32",
        ),
    ),
)

GAUSSIAN_BLUR = Signature(
    axes="yx",
    out="yx",
    parameters=(
        Parameter(
            name="sigma",
            kind="float",
            required=True,
            above=0.0,
            maximum=1000.0,
            unit="px",
            description="the standard deviation of the Gaussian, which is cut off at 4 sigma",
        ),
    ),
)

WHITE_TOPHAT = Signature(
    axes="yx",
    out="yx",
    parameters=(
        Parameter(
            name="radius",
            kind="int",
            required=True,
            minimum=1,
            unit="px",
            description="half the side of the square, which is 2 * radius + 1 wide",
        ),
    ),
)

MAX_PROJECTION = Signature(axes="zyx", out="yx")

COMPOSITE = Signature(
    axes="cyx",
    out="yx",
    parameters=(
        Parameter(
            name="weights",
            kind="floats",
            default=(),
            minimum=0.0,
            description="one number for each channel, in order; empty: all the same",
        ),
    ),
    out_channel="composite",
)
