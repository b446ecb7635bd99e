"""What the stores of a run are called: by the step that is kept, by the pipeline, or as the configuration says."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from hcs_core.pipeline.pipeline import Pipeline
from hcs_core.pipeline.step import Step


class StoreNames:
    """The names of stores, without and with `_projections`.

    The last pipeline's end has the name that the configuration gives; that of an earlier one has the pipeline's. A
    kept step has its own, with its pipeline's before it where two things in a run would have one name.

    Parameters
    ----------
    pipelines
        Those of the run.
    last
        The name of what the last one leaves, with its ending.
    suffix
        The ending of a store's name, such as `.zarr`.
    """

    def __init__(self, pipelines: Sequence[Pipeline], last: str, suffix: str) -> None:
        self._several = len(pipelines) > 1
        self._last_name = pipelines[-1].name
        self._last, self._suffix = last, suffix
        self._taken = Counter(
            [step.name for pipeline in pipelines for step in pipeline.steps if step.enabled and step.save]
            + [pipeline.name for pipeline in pipelines[:-1]]
            + [last.removesuffix(suffix)]
        )

    def kept(self, pipeline: Pipeline, step: Step) -> tuple[str, str]:
        """Return the names of a kept step's stores."""
        clashes = self._several and self._taken[step.name] > 1
        return self._both(f"{pipeline.name}_{step.name}" if clashes else step.name)

    def final(self, pipeline: Pipeline) -> tuple[str, str]:
        """Return the names of the stores of what a pipeline leaves."""
        if pipeline.name == self._last_name:
            return self._last, f"projections{self._suffix}"
        return self._both(pipeline.name)

    def _both(self, name: str) -> tuple[str, str]:
        return f"{name}{self._suffix}", f"{name}_projections{self._suffix}"
