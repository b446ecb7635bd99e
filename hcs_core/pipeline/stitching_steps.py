"""The steps that stitch, by the names under which programs know them."""

from __future__ import annotations

from typing import Any

from hcs_core.pipeline.step import Step


def PositionGenerationStep(*, channel: str | int | None = None, **options: Any) -> Step:  # noqa: N802 - a kind of step
    """Return the step that finds where the sites of a well lie, and leaves images as they are.

    Parameters
    ----------
    channel
        The name or number of the channel that is looked at, by a stitcher that looks; the first, if not said. It is
        looked at in the first timepoint, and in the middle of a stack that was not projected.
    **options
        `stitcher`, the stitcher's parameters, and a step's options.

    Examples
    --------
    >>> from hcs_core import PositionGenerationStep, Step
    >>> PositionGenerationStep(channel="DAPI") == Step("positions", channel="DAPI")
    True
    """
    told: dict[str, Any] = {} if channel is None else {"channel": channel}
    return Step("positions", **told, **options)


def ImageStitchingStep(**options: Any) -> Step:  # noqa: N802 - a kind of step
    """Return the step that fuses the sites of a well into a mosaic, by the positions of a step before it or its own.

    Parameters
    ----------
    **options
        `stitcher`, `positions_file`, the stitcher's parameters, and a step's options.

    Examples
    --------
    >>> from hcs_core import ImageStitchingStep, Step
    >>> ImageStitchingStep() == Step("stitch")
    True
    """
    return Step("stitch", **options)
