"""A pipeline: steps in order, and the part of a plate that they are for."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import attrs

from hcs_core.errors import PipelineError, one_line
from hcs_core.pipeline.names import MissingData
from hcs_core.pipeline.selection import Selection
from hcs_core.pipeline.step import Step


@attrs.frozen(init=False)
class Pipeline:
    """Steps in order; one pipeline can be compiled for many plates.

    Parameters
    ----------
    name
        What it is called.
    steps
        The steps; none at all converts the plate as it is. Of two that have one name, the second gets a number:
        `gaussian_blur_2`.
    select
        The part of a plate that it is for.
    missing
        What happens where a plane is absent, in place of the configuration's.
    folder
        From where relative paths in it count, such as that of a flat-field profile; that of its file, where it was
        loaded from one, else the working directory.

    Raises
    ------
    PipelineError
        The name is empty, a step is no `Step`, or `missing` is not what it can be.

    Examples
    --------
    >>> from hcs_core import Pipeline, Step
    >>> pipeline = Pipeline("nuclei", [Step("max_projection"), Step("gaussian_blur", sigma=1.5)])
    >>> [step.name for step in pipeline.steps]
    ['max_projection', 'gaussian_blur']
    """

    name: str
    steps: tuple[Step, ...]
    select: Selection
    missing: MissingData | None
    folder: Path | None = attrs.field(eq=False, repr=False)

    def __init__(
        self,
        name: str,
        steps: Iterable[Step] = (),
        *,
        select: Selection | None = None,
        missing: MissingData | str | None = None,
        folder: str | Path | None = None,
    ) -> None:
        _check(name, steps)
        self.__attrs_init__(
            name=str(name),
            steps=_named_apart(tuple(steps)),
            select=select or Selection(),
            missing=_missing(missing),
            folder=None if folder is None else Path(folder),
        )

    @classmethod
    def load(cls, path: str | Path) -> Pipeline:
        """Read a pipeline file.

        Raises
        ------
        PipelineError
            It cannot be read; the text names the file and the line.
        """
        from hcs_core.pipeline.pipeline_file import load_pipeline

        return load_pipeline(Path(path))

    def save(self, path: str | Path) -> None:
        """Write the pipeline as a file that `load` reads back without loss.

        Raises
        ------
        PipelineError
            A step runs a function that cannot be imported by name, or the file cannot be written.
        """
        from hcs_core.pipeline.pipeline_file import dump_pipeline

        text = dump_pipeline(self)
        try:
            Path(path).write_text(text, encoding="utf-8", newline="\n")
        except OSError as error:
            raise PipelineError(f"{path} cannot be written ({one_line(error)}): give another path.") from error


def _check(name: object, steps: object) -> None:
    if not isinstance(name, str) or not name:
        raise PipelineError(f'a pipeline is called {name!r}: write Pipeline("its name", [Step(...), ...]).')
    if not isinstance(steps, Iterable):
        raise PipelineError(f"the pipeline {name!r} has {steps!r} for its steps: write a list, [Step(...), ...].")


def _missing(missing: MissingData | str | None) -> MissingData | None:
    if missing is not None and missing not in list(MissingData):
        raise PipelineError(f"missing={missing!r}: expected {', '.join(MissingData)}.")
    return None if missing is None else MissingData(missing)


def _named_apart(steps: tuple[Step, ...]) -> tuple[Step, ...]:
    """Return the steps with names of their own: a second `gaussian_blur` becomes `gaussian_blur_2`."""
    taken: set[str] = set()
    named = []
    for step in steps:
        if not isinstance(step, Step):
            raise PipelineError(f"a pipeline has {step!r} for a step: write Step('max_projection').")
        name, number = step.name, 1
        while name in taken:
            number += 1
            name = f"{step.name}_{number}"
        taken.add(name)
        named.append(step.renamed(name))
    return tuple(named)
