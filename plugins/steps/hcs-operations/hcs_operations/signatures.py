"""The signatures of the operations: what a kernel of one of them takes and gives, in every memory type.

Each states what all kernels of its operation share. How a border is treated, and what becomes of NaN, is said in the
docstrings of its kernels. NaN and infinities are taken where an operation says of each pixel what becomes of it; they
are refused where they would spread to the pixels around them, or leave the result undefined.
"""

from __future__ import annotations

from hcs_core import Estimate, Frame, Parameter, Signature, Tolerance

EXACT = Tolerance(levels=0.0, relative=0.0)
"""Of what only chooses among pixels."""

ONE_LEVEL = Tolerance(levels=1.0, relative=1e-5)
"""Of what is computed and rounded: a number next to half-way may fall to either side."""

ONE_ROUNDING = Tolerance(levels=0.0, relative=1e-6)
"""Of what is exact but for one operation on floats, which libraries may round differently."""

LIMITS = ("plane", "well", "plate")

HISTOGRAM_BYTES = 1 << 19
"""A number of 8 bytes for each value of 16 bits."""

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
        Parameter(
            name="limits",
            kind="str",
            default="plane",
            choices=LIMITS,
            description="whose percentiles: the plane's own, or of all planes of the channel in the well or plate",
        ),
        Parameter(
            name="levels",
            kind="floats",
            unit="grey levels",
            description="the two grey levels themselves; none: percentiles of what `limits` says",
        ),
    ),
    estimates=(
        Estimate(
            parameter="levels",
            collect="hcs_operations.limits:counts",
            merge="hcs_operations.limits:added",
            reduce="hcs_operations.limits:levels",
            scope="limits",
            collected_bytes=HISTOGRAM_BYTES,
        ),
    ),
    tolerance=ONE_LEVEL,
    nonfinite="takes",
)

TRUNCATE = 4.0
"""Where a Gaussian is cut off, in sigmas."""

GAUSSIAN_BLUR = Signature(
    axes="yx",
    out="yx",
    parameters=(
        Parameter(
            name="sigma",
            kind="float",
            default=1.0,
            above=0.0,
            maximum=1000.0,
            unit="px",
            description="the standard deviation of the Gaussian, which is cut off at 4 sigma",
        ),
    ),
    tolerance=Tolerance(levels=1.0, relative=5e-5),
)

WHITE_TOPHAT = Signature(
    axes="yx",
    out="yx",
    parameters=(
        Parameter(
            name="radius",
            kind="int",
            default=25,
            minimum=1,
            unit="px",
            description="half the side of the square, which is 2 * radius + 1 wide",
        ),
    ),
    tolerance=ONE_ROUNDING,
)

UNSHARP_MASK = Signature(
    axes="yx",
    out="yx",
    parameters=(
        Parameter(
            name="radius",
            kind="float",
            default=1.0,
            above=0.0,
            maximum=1000.0,
            unit="px",
            description="the standard deviation of the Gaussian, which is cut off at 4 radius",
        ),
        Parameter(
            name="amount",
            kind="float",
            default=1.0,
            minimum=0.0,
            maximum=100.0,
            description="how much of what the Gaussian takes away is added; 0: nothing",
        ),
    ),
    tolerance=Tolerance(levels=1.0, relative=1e-5, grows_with="amount"),
)

RESCALE_INTENSITY = Signature(
    axes="yx",
    out="yx",
    parameters=(
        Parameter(
            name="low",
            kind="float",
            unit="grey levels",
            description="the lower end of what is mapped, below `high`; none: the plane's smallest value",
        ),
        Parameter(
            name="high",
            kind="float",
            unit="grey levels",
            description="the upper end of what is mapped; none: the plane's largest value",
        ),
        Parameter(
            name="out_low",
            kind="float",
            unit="grey levels",
            description="what `low` becomes; none: 0",
        ),
        Parameter(
            name="out_high",
            kind="float",
            unit="grey levels",
            description="what `high` becomes; below `out_low` inverts; none: the dtype's largest, 1.0 for float32",
        ),
    ),
    tolerance=ONE_LEVEL,
    nonfinite="takes",
)

THRESHOLD_OTSU = Signature(
    axes="yx",
    out="yx",
    out_dtype="uint8",
    # Between two thresholds of a float image lies at most one of the histogram's 256 bins.
    tolerance=Tolerance(levels=0.0, relative=0.0, input_range=1 / 256),
    nonfinite="takes",
)

SHADING_BYTES = 32 * 32 * 4
"""The means of 32 x 32 blocks in float32."""

FLAT_FIELD = Signature(
    axes="yx",
    out="yx",
    parameters=(
        Parameter(
            name="profile",
            kind="image",
            like_plane=True,
            description="how much light each pixel got, above 0; none: estimated from the plate's own images",
        ),
        Parameter(
            name="dark",
            kind="float",
            unit="grey levels",
            description="what the camera gives without light, taken away first; none: 0 is assumed",
        ),
    ),
    estimates=(
        Estimate(
            parameter="profile",
            collect="hcs_operations.shading:blocks",
            reduce="hcs_operations.shading:profile",
            planes=256,
            fewest=16,
            collected_bytes=SHADING_BYTES,
        ),
    ),
    tolerance=ONE_LEVEL,
    nonfinite="takes",
)

CROP_FRAME = Frame(crop=("y", "x", "height", "width"))

CROP = Signature(
    axes="yx",
    out="yx",
    parameters=(
        Parameter(
            name="y",
            kind="int",
            default=0,
            minimum=0,
            unit="px",
            description="the first row that is kept, counted from 0",
        ),
        Parameter(
            name="x",
            kind="int",
            default=0,
            minimum=0,
            unit="px",
            description="the first column that is kept, counted from 0",
        ),
        Parameter(
            name="height",
            kind="int",
            minimum=1,
            unit="px",
            description="how many rows are kept; none: all to the end",
        ),
        Parameter(
            name="width",
            kind="int",
            minimum=1,
            unit="px",
            description="how many columns are kept; none: all to the end",
        ),
    ),
    frame=CROP_FRAME,
    tolerance=EXACT,
    nonfinite="takes",
)

BIN_METHODS = ("mean", "sum", "max")

BIN_FRAME = Frame(bin="factor")

BIN = Signature(
    axes="yx",
    out="yx",
    parameters=(
        Parameter(
            name="factor",
            kind="int",
            default=2,
            minimum=1,
            unit="px",
            description="the side of the square that becomes one pixel; what is left over at the end is dropped",
        ),
        Parameter(
            name="method",
            kind="str",
            default="mean",
            choices=BIN_METHODS,
            description="what the pixel becomes; a sum is clipped at the dtype's largest value",
        ),
    ),
    frame=BIN_FRAME,
    tolerance=ONE_LEVEL,
    nonfinite="takes",
)

MAX_PROJECTION = Signature(axes="zyx", out="yx", nonfinite="takes", tolerance=EXACT)

MEAN_PROJECTION = Signature(axes="zyx", out="yx", nonfinite="takes", tolerance=ONE_LEVEL)

MEDIAN_PROJECTION = Signature(axes="zyx", out="yx", nonfinite="takes", tolerance=ONE_ROUNDING)

FOCUS_MEASURES = ("normalized_variance", "tenengrad", "laplacian", "brenner")

BEST_FOCUS_PROJECTION = Signature(
    axes="zyx",
    out="yx",
    parameters=(
        Parameter(
            name="measure",
            kind="str",
            default="normalized_variance",
            choices=FOCUS_MEASURES,
            description="how focus is measured; only normalized_variance is the same for a brighter plane",
        ),
    ),
    tolerance=EXACT,
    nonfinite="takes",
)

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
    tolerance=ONE_LEVEL,
    nonfinite="takes",
)
