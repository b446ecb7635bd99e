"""What people see of estimates: `results/estimates.csv`, the profiles as files, pictures before and after."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import attrs
import numpy as np
import numpy.typing as npt

from hcs_core.arrays.csv_text import csv_text
from hcs_core.arrays.image_artifact import ImageArtifact
from hcs_core.compiler.node_plan import NodePlan
from hcs_core.compiler.order.presence import Block, PlaneKey
from hcs_core.compiler.plan import Plan
from hcs_core.compiler.stage import Stage
from hcs_core.errors import one_line
from hcs_core.plate.inventory import Plate
from hcs_core.plate.reader import Readers
from hcs_core.plugins.manager import PluginManager
from hcs_core.runtime.artifacts.image_files import write_image
from hcs_core.runtime.estimates.kept_estimates import ChannelEstimate, KeptEstimates, StageEstimate
from hcs_core.runtime.estimates.reductions import sample_tasks
from hcs_core.runtime.services.services_of_plate import services_of
from hcs_core.runtime.task import GivenEstimate, RunJob, WellFaultError, WellTask
from hcs_core.runtime.well.device_binding import bound_job
from hcs_core.runtime.well.held import on_host
from hcs_core.runtime.well.kernels import Kernels
from hcs_core.runtime.well.node_calls import CallOf, NodeCalls
from hcs_core.runtime.well.reading import Reading
from hcs_core.runtime.well.sampling import Sampler
from hcs_core.runtime.well.well_work import WellWork
from hcs_core.runtime.whole_files import whole_file, write_whole

COLUMNS = (
    "Metadata_Plate", "step", "function", "parameter", "channel", "planes", "unreadable", "failed", "made", "digest",
    "file", "picture", "why_no_picture",
)  # fmt: skip

FOLDER = "estimates"
"""The folder of profiles and pictures, among the results."""

PICTURE_WRITER = "estimate_picture"
"""The writer that draws an `EstimatePicture`."""

IMAGE_WRITER = "tiff"
"""The writer that takes an `ImageArtifact`; without one, profiles are numpy files alone."""


@attrs.frozen(kw_only=True, eq=False)
class EstimatePicture:
    """What the writer `estimate_picture` draws: one sampled plane before and after, and the profile.

    Attributes
    ----------
    title, caption
        What was estimated, and of how many planes.
    plane
        Which plane is shown, in words.
    before, after
        (y, x) arrays.
    profile
        (y, x) float32 array; `None` where the estimate is no image.
    """

    title: str
    caption: str
    plane: str
    before: npt.NDArray[Any]
    after: npt.NDArray[Any]
    profile: npt.NDArray[np.float32] | None = None


@attrs.frozen(kw_only=True)
class EstimateRow:
    """A channel's estimate as people see it: where its files are (relative to the results), or why there is none."""

    step: str
    function: str
    parameter: str
    channel: str
    anew: bool
    estimate: ChannelEstimate
    file: str = ""
    picture: str = ""
    why_no_picture: str = ""

    def to_json(self) -> dict[str, Any]:
        """Return what `run.json` holds of it."""
        return {
            "step": self.step,
            "function": self.function,
            "parameter": self.parameter,
            "channel": self.channel,
            "planes": self.estimate.planes,
            "unreadable": list(self.estimate.unreadable),
            "failed": list(self.estimate.failed),
            "made": self.anew,
            "digest": self.estimate.given.digest,
            "file": self.file or None,
            "picture": self.picture or None,
            "why_no_picture": self.why_no_picture or None,
            **self.estimate.notes,
        }


class EstimateFiles:
    """Writes what people see of estimates into the folder of results."""

    def __init__(self, plan: Plan, plate: Plate, plugins: PluginManager, job: RunJob, results: Path) -> None:
        self._plan = plan
        self._plate = plate
        self._plugins = plugins
        self._job = job
        self._results = results
        self._kept = KeptEstimates(job.output)

    def write(self, estimates: Sequence[StageEstimate]) -> tuple[EstimateRow, ...]:
        """Write the table, the images and the pictures; what is there of a kept estimate is left as it is.

        Raises
        ------
        StorageError
            A file cannot be written.
        """
        rows = tuple(self._rows(estimates))
        if rows:
            write_whole(self._results / "estimates.csv", estimates_csv(self._plan.plate, rows))
        return rows

    def _rows(self, estimates: Sequence[StageEstimate]) -> Iterator[EstimateRow]:
        names: set[str] = set()
        given = tuple(channel.given for estimate in estimates for channel in estimate.channels)
        stages = {self._plan.estimate_key(stage): stage for stage in self._plan.reductions}
        for estimate in estimates:
            stage = stages[estimate.key]
            node = self._plan.nodes[stage.node]
            for index, channel in enumerate(estimate.channels):
                name = _file_name(node, stage, index, names)
                row = EstimateRow(
                    step=node.step,
                    function=node.operation,
                    parameter=stage.parameter,
                    channel=node.input.channels[index].name,
                    anew=estimate.anew,
                    estimate=channel,
                    file=self._image(channel.given, name, anew=estimate.anew) if channel.given.file else "",
                )
                yield self._with_picture(row, stage, index, name, given)

    def _image(self, given: GivenEstimate, name: str, *, anew: bool) -> str:
        """Copy an image to where people find it, as TIFF too where a plugin writes that; return its place."""
        path = self._results / FOLDER / f"{name}.npy"
        if anew or not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            with whole_file(path) as unfinished:
                shutil.copyfile(self._job.output / given.file, unfinished)
            self._write_tiff(given, path)
        return f"{FOLDER}/{path.name}"

    def _write_tiff(self, given: GivenEstimate, path: Path) -> None:
        if IMAGE_WRITER not in self._plugins.writers:
            return
        image = self._plan.nodes[given.node].input
        artifact = ImageArtifact(
            pixels=self._kept.image(given),
            pixel_size_um=image.pixel_size_um,
            channel=image.channels[given.channel].name,
        )
        path = path.with_suffix(self._plugins.writers.get(IMAGE_WRITER).suffix)
        write_image(self._plugins.writers.load(IMAGE_WRITER), artifact, path)

    # --- Pictures -------------------------------------------------------------------------------------------

    def _with_picture(
        self, row: EstimateRow, stage: Stage, channel: int, name: str, given: tuple[GivenEstimate, ...]
    ) -> EstimateRow:
        path = self._results / FOLDER / f"{name}.png"
        place = f"{FOLDER}/{path.name}"
        if not row.anew and path.exists():
            return attrs.evolve(row, picture=place)
        if PICTURE_WRITER not in self._plugins.writers:
            why = f"no writer is called {PICTURE_WRITER!r}: pip install hcs-report"
            return attrs.evolve(row, why_no_picture=why)
        node = self._plan.nodes[stage.node]
        if not node.plane_wise or node.takes or node.context or node.passes_on:
            return attrs.evolve(row, why_no_picture="it works on more than a plane alone")
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with ThreadPoolExecutor(1, thread_name_prefix="hcs-read-ahead") as thread:
                picture = self._picture(row, stage, channel, given, thread)
            self._plugins.writers.load(PICTURE_WRITER)(picture, path)
        except (WellFaultError, OSError) as error:
            return attrs.evolve(row, why_no_picture=one_line(error))
        return attrs.evolve(row, picture=place)

    def _picture(
        self, row: EstimateRow, stage: Stage, channel: int, given: tuple[GivenEstimate, ...], thread: Executor
    ) -> EstimatePicture:
        tasks = sample_tasks(self._plan, self._plate, stage, given)
        job = bound_job(self._job, self._plugins)
        sampling = WellWork(
            job=job,
            plugins=self._plugins,
            calls=NodeCalls(Kernels(job.plan, self._plugins)),
            reading=Reading(job, Readers(self._plugins.readers), thread),
            services=services_of(job, self._plugins),
        )
        with closing(sampling.calls.kernels):
            sampler = Sampler(job.plan, sampling)
            task, key, before = self._plane(sampler, stage, channel, tasks)
            estimated = sampler.estimates(task, task.shape, stage.node)[stage.node, channel]
            node = job.plan.nodes[stage.node]
            call = CallOf(
                index=stage.node,
                site=key.site,
                told=estimated,
                taken=task.shape.frame(node.input),
                made=task.shape.frame(node.output),
            )
            made, _ = sampling.calls.one(call, Block(cells=((channel, key),)), iter([on_host(before)]))
            after = sampling.calls.moves.on_host(made)
        image_given = row.estimate.given
        return EstimatePicture(
            title=f"{row.step}: {row.parameter} of {row.channel}",
            caption=f"{self._plan.plate}, from {row.estimate.planes} planes",
            plane=f"{task.well} site {key.site} z {key.z_index} t {key.timepoint}",
            before=before,
            after=after,
            profile=self._kept.image(image_given) if image_given.file else None,
        )

    def _plane(
        self, sampler: Sampler, stage: Stage, channel: int, tasks: Sequence[WellTask]
    ) -> tuple[WellTask, PlaneKey, npt.NDArray[Any]]:
        """Return a sampled plane of the middle of the plate, or the nearest that can be read."""
        middle = len(tasks) // 2
        last: WellFaultError | None = None
        for task in sorted(tasks, key=lambda task: abs(tasks.index(task) - middle)):
            planes = sampler.wanted(task, task.shape)
            own = [plane for plane in planes if plane[0] == channel]
            if not own:
                continue
            try:
                return self._read(sampler, stage, task, own[len(own) // 2])
            except WellFaultError as error:
                last = error
        raise last or ValueError(f"the stage {stage.name} samples no plane of this channel")

    def _read(
        self, sampler: Sampler, stage: Stage, task: WellTask, plane: tuple[int, int, int, int]
    ) -> tuple[WellTask, PlaneKey, npt.NDArray[Any]]:
        found: list[npt.NDArray[Any]] = []
        estimates = sampler.estimates(task, task.shape, stage.node)
        sampler.visit(
            stage.node, task, task.shape, [plane], estimates, lambda _channel, _key, array: found.append(array)
        )
        return task, PlaneKey(*plane[1:]), found[0]


def _file_name(node: NodePlan, stage: Stage, channel: int, taken: set[str]) -> str:
    """Return a name for the files of a channel's estimate that no other has, of letters that every system takes."""
    parts = (node.step, stage.parameter, node.input.channels[channel].name)
    name = "_".join(re.sub(r"[^\w.-]+", "-", part) for part in parts)
    if name.lower() in taken:
        name = f"{name}_{stage.node}_{channel}"
    taken.add(name.lower())
    return name


def estimates_csv(plate: str, rows: Sequence[EstimateRow]) -> str:
    """Return a row for each channel's estimate, with a column for each note."""
    notes = list(dict.fromkeys(name for row in rows for name in row.estimate.notes))
    lines = (
        (
            plate, row.step, row.function, row.parameter, row.channel, row.estimate.planes,
            len(row.estimate.unreadable), len(row.estimate.failed), row.anew, row.estimate.given.digest, row.file,
            row.picture, row.why_no_picture,
            *(row.estimate.notes.get(name, "") for name in notes),
        )
        for row in rows
    )  # fmt: skip
    return csv_text((*COLUMNS, *notes), lines)
