"""The orchestrator: initialize, compile, execute."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import attrs

from hcs_core.arrays.table import Table
from hcs_core.compiler.compiling import draft_plan, without_problems
from hcs_core.compiler.given_images import read_images
from hcs_core.compiler.machine import this_machine
from hcs_core.compiler.passes.devices import with_workers
from hcs_core.compiler.plan import Plan
from hcs_core.errors import PlateError, RunError
from hcs_core.pipeline.config import GlobalPipelineConfig, Selection
from hcs_core.pipeline.definition import Definition, Steps, pipelines_of, pipelines_of_run, with_wells
from hcs_core.pipeline.pipeline import Pipeline
from hcs_core.pipeline.pipeline_text import text_of_file
from hcs_core.plate.detection import Detected, detect
from hcs_core.plate.inventory import Plate
from hcs_core.plate.opening import inventory, with_positions
from hcs_core.plate.plate_microscope import PlateMicroscope
from hcs_core.plate.reader import Readers
from hcs_core.plate.wells import WellFilter, select_wells
from hcs_core.plugins.events import PlanCompiled
from hcs_core.plugins.manager import PluginManager
from hcs_core.runtime.compiled_contexts import checked_workers, given_plan
from hcs_core.runtime.context import ProcessingContext
from hcs_core.runtime.existing_wells import existing_wells
from hcs_core.runtime.journal import Journal
from hcs_core.runtime.output_folder import check_output, check_outside, clear_output, output_folder
from hcs_core.runtime.result import RunResult
from hcs_core.runtime.running import RunOptions, run_plan
from hcs_core.runtime.services.plate_services import PlateServices, ServicesRecipe
from hcs_core.runtime.services.services_of_plate import ServicesOfPlate
from hcs_core.runtime.stitcher import Stitcher, new_stitcher


class PipelineOrchestrator:
    """Runs pipelines on one plate, in three phases: initialize, compile, execute.

    A phase that fails leaves the object as it was.

    Parameters
    ----------
    plate_path
        The plate's folder; nothing is written into it.
    global_config, config
        How pipelines are run (`config` is the older name).
    plugins
        The registered plugins; by default those that are installed.
    output
        The output folder; by default the configuration says where.

    Examples
    --------
    ::

        orchestrator = PipelineOrchestrator("plate")
        result = orchestrator.run(pipelines=[Pipeline("mips", [Step("max_projection")])])
    """

    def __init__(
        self,
        plate_path: str | Path,
        *,
        global_config: GlobalPipelineConfig | None = None,
        config: GlobalPipelineConfig | None = None,
        plugins: PluginManager | None = None,
        output: str | Path | None = None,
    ) -> None:
        self.plate_path = Path(plate_path).absolute()
        self.config = global_config or config or GlobalPipelineConfig()
        if plugins is None:
            plugins = PluginManager()
            plugins.discover()
        self.plugins = plugins
        self.output = Path(output).absolute() if output else output_folder(self.plate_path, self.config.path_planning)
        self._readers = Readers(plugins.readers)
        self._detected: Detected | None = None
        self._plate: Plate | None = None
        self._services: ServicesOfPlate | None = None

    # --- Initialize -----------------------------------------------------------------------------------------

    def initialize(self) -> None:
        """Find the microscope, list the plate, and settle where results go.

        What the configuration names beside the microscope (backends, executor, devices) is checked by the compiler,
        which tells it with all other problems.

        Raises
        ------
        PlateError
            The folder is no plate.
        RunError
            The output or its tables would lie within the plate, or the output holds something that is not of hcs.
        UnknownNameError
            There is no such microscope.
        """
        check_output(self.output, self.plate_path)
        check_outside(self.output / self.config.path_planning.materialization_results_path, self.plate_path)
        detected = detect(self.plate_path, self.plugins, str(self.config.microscope))
        self._plate = inventory(self.plate_path, detected, self._readers)
        # What takes time with the number of planes is done now: compiling goes by the kinds of wells.
        self._plate.planes.identify()
        self._detected = detected
        recipe = ServicesRecipe(
            plate_root=self.plate_path, microscope=detected.name, plugins=self.plugins.recipe(), output=self.output
        )
        self._services = ServicesOfPlate(recipe, plugins=self.plugins, detected=detected, plate=self._plate)

    @property
    def plate(self) -> Plate:
        """The plate's inventory."""
        if self._plate is None:
            raise RunError("the plate is not listed yet: call initialize() first.")
        return self._plate

    @property
    def _found(self) -> Detected:
        if self._detected is None:
            raise RunError("the microscope is not known yet: call initialize() first.")
        return self._detected

    # --- The plate's services: what each does is said in `PlateServices` -------------------------------------

    @property
    def services(self) -> PlateServices:
        """The services of the plate, as a step's context has them."""
        if self._services is None:
            raise RunError("the plate is not listed yet: call initialize() first.")
        return self._services

    @property
    def workspace_path(self) -> Path:
        """A tree of links to the plate's files, made when it is first asked for."""
        return self.services.workspace_path

    @property
    def microscope_handler(self) -> PlateMicroscope:
        """The handler of the plate's microscope, with `parser` and `auto_detect_patterns`."""
        return self.services.microscope_handler

    def get_stitcher(self, name: str | None = None) -> Stitcher:
        """Return a new stitcher: each thread takes one of its own."""
        return new_stitcher(self.plugins, name)

    def generate_positions(
        self, *, well: str, input_dir: str | Path, positions_dir: str | Path, **options: Any
    ) -> tuple[Path, Table]:
        """Find where the sites of a well lie in its mosaic, and write that into a file; return file and table."""
        return self.services.generate_positions(
            well=well, input_dir=input_dir, positions_dir=positions_dir, **options
        )

    def stitch_images(
        self,
        *,
        well: str,
        input_dir: str | Path,
        output_dir: str | Path,
        positions_file: str | Path,
        **options: Any,
    ) -> tuple[Path, ...]:
        """Make a mosaic of each channel, z_index and timepoint of a well's images; return their files."""
        return self.services.stitch_images(
            well=well, input_dir=input_dir, output_dir=output_dir, positions_file=positions_file, **options
        )

    # --- Compile --------------------------------------------------------------------------------------------

    def compile_pipelines(
        self, steps: Definition, well_filter: WellFilter | None = None
    ) -> dict[str, ProcessingContext]:
        """Return the frozen context of each well.

        Parameters
        ----------
        steps
            A pipeline or its steps; of several, each well runs one after the other.
        well_filter
            The wells, in place of those that the pipelines select.

        Raises
        ------
        CompileError
            The pipelines cannot run on this plate; the text lists every problem.
        RunError
            `initialize` was not called.
        """
        pipelines = with_wells(pipelines_of(steps), well_filter)
        plan = self.plan(pipelines)
        return {
            well: ProcessingContext(
                well=well,
                sites=plan.well_shapes[shape].sites,
                plan=plan,
                orchestrator=self.services,
                pipelines=pipelines,
            )
            for well, shape in plan.wells
        }

    def plan(self, steps: Definition, well_filter: WellFilter | None = None, *, draft: bool = False) -> Plan:
        """Return the plan of pipelines for this plate; with `draft`, one with problems too.

        Raises
        ------
        CompileError
            The plan has problems (not with `draft`).
        RunError
            `initialize` was not called.
        """
        pipelines = with_wells(pipelines_of(steps), well_filter)
        self._plate = self._with_positions(pipelines[0].select)
        machine = this_machine(self.output)
        content = Journal(self.output).read()
        images = read_images(pipelines, self.plugins)
        plan = draft_plan(pipelines, self.plate, self.config, self.plugins, machine, images=images)
        if plan.samples_mosaics:
            # Wells that are not selected are sampled too, and have to be stitched for that.
            self._plate = self._with_positions(Selection())
            plan = draft_plan(pipelines, self.plate, self.config, self.plugins, machine, images=images)
        if content is not None and not plan.problems:
            existing = existing_wells(content, plan, self.plate, self.output, self.plugins)
            plan = draft_plan(pipelines, self.plate, self.config, self.plugins, machine, existing, images)
        if plan.problems:
            return plan if draft else without_problems(plan)
        names = tuple(step.name for step in plan.steps)
        self.plugins.emit(PlanCompiled(plate=plan.plate, digest=plan.digest, wells=plan.well_names, steps=names))
        return plan

    def _with_positions(self, select: Selection) -> Plate:
        try:
            wells = select_wells(select.wells, self.plate.wells)
        except PlateError:
            return self.plate  # The compiler says what is wrong with the filter.
        return with_positions(self.plate, self._found, self._readers, wells)

    # --- Execute --------------------------------------------------------------------------------------------

    def execute_compiled_plate(
        self,
        pipeline_definition: Definition,
        compiled_contexts: Mapping[str, ProcessingContext],
        max_workers: int | None = None,
        options: RunOptions | None = None,
    ) -> RunResult:
        """Run what was compiled, well by well: the wells that contexts are given for, all or some.

        Parameters
        ----------
        pipeline_definition
            What the contexts were compiled from.
        compiled_contexts
            What `compile_pipelines` returned, or a part of it: the wells that are to be run.
        max_workers
            How many wells are worked on at once, in place of what the plan says; fewer where memory is short.
        options
            What a run is told beside its plan.

        Raises
        ------
        ConfigError
            `max_workers` is no number of workers.
        RunError
            `initialize` was not called, there is no context, the contexts are of other pipelines or another plate, or
            the plate is gone.
        """
        pipelines = pipelines_of(pipeline_definition)
        plan = given_plan(compiled_contexts, pipelines, self.plate, self.plugins)
        if max_workers is not None:
            limit = self.config.memory_limit or this_machine(self.output).memory_bytes
            most = checked_workers(max_workers)
            plan = without_problems(with_workers(plan, most, limit, self.config.device, self.plugins))
        # What is to run the wells is there, or is missed before anything is made.
        self.plugins.executors.load(plan.executor)
        options = options or RunOptions()
        results = self.config.path_planning.materialization_results_path
        files = options.pipeline_files or tuple(map(text_of_file, pipelines))
        return run_plan(
            plan,
            self.plate,
            self.plugins,
            self.output,
            attrs.evolve(options, results=results, pipeline_files=files),
        )

    def run(
        self,
        pipelines: Pipeline | Iterable[Steps],
        well_filter: WellFilter | None = None,
        options: RunOptions | None = None,
        *,
        reestimate: bool = False,
    ) -> RunResult:
        """Run all three phases; each well runs the pipelines one after the other.

        With `reestimate`, what is estimated of the plate is made anew, and wells are made again that were made with
        another estimate.

        Raises
        ------
        HcsError
            As the phases do.
        """
        listed = with_wells(pipelines_of_run(pipelines), well_filter)
        if self._plate is None:
            self.initialize()
        if reestimate:
            options = attrs.evolve(options or RunOptions(), reestimate=True)
        return self.execute_compiled_plate(listed, self.compile_pipelines(listed), options=options)

    def clear(self) -> None:
        """Remove what an earlier run left in the output folder, and nothing else.

        Raises
        ------
        RunError
            The folder is not one of hcs.
        """
        check_output(self.output, self.plate_path)
        clear_output(self.output)
