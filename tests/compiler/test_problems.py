"""What is wrong is said all at once: each with its step, function and parameter, what was found and what to do."""

import functools

import attrs
import pytest

from hcs_core import (
    CompileError,
    CompilerPassSpec,
    GlobalPipelineConfig,
    KernelSpec,
    Machine,
    MemoryTypeSpec,
    Pipeline,
    PlaneState,
    PluginError,
    Selection,
    Signature,
    Step,
    StorageBackendSpec,
    VFSConfig,
    ZarrConfig,
    compile_plan,
    step_function,
)
from hcs_core.testing.plates import make_plate
from hcs_operations import signatures


@step_function()
def threshold(image, *, level: int, method: str = "a"):
    return image


def undeclared(image):
    return image


def places(plan):
    return [(problem.step, problem.function, problem.parameter) for problem in plan.problems]


@pytest.mark.parametrize(
    ("step", "place", "message", "hint"),
    [
        (
            Step("gausian_blur", sigma=1),
            ("gausian_blur", "gausian_blur", ""),
            "no operation is called 'gausian_blur'. Did you mean 'gaussian_blur'?",
            "gaussian_blur, max_projection",
        ),
        (
            Step("gaussian_blur", sgima=1, sigma=1),
            ("gaussian_blur", "gaussian_blur", "sgima"),
            "there is no such parameter. Did you mean 'sigma'?",
            "It has sigma.",
        ),
        (
            Step("max_projection", sigma=1),
            ("max_projection", "max_projection", "sigma"),
            "no such parameter",
            "It has none.",
        ),
        (
            Step("gaussian_blur", sigma=-1, name="smooth"),
            ("smooth", "gaussian_blur", "sigma"),
            "expected a number above 0 and at most 1000, found -1.",
            "",
        ),
        (Step("gaussian_blur", sigma="big"), ("gaussian_blur", "gaussian_blur", "sigma"), "found 'big'", ""),
        (Step("white_tophat", radius=1.5), ("white_tophat", "white_tophat", "radius"), "expected a whole number", ""),
        (
            Step("white_tophat", radius=True),
            ("white_tophat", "white_tophat", "radius"),
            "expected a whole number",
            "",
        ),
        (Step("composite", weights=3), ("composite", "composite", "weights"), "expected a list of numbers", ""),
        (
            Step("gaussian_blur", sigma=1, memory="torch"),
            ("gaussian_blur", "gaussian_blur", "memory"),
            "no memory type is called 'torch'.",
            "There are kernels in numpy.",
        ),
        (
            Step(undeclared),
            ("undeclared", "undeclared", ""),
            "the function does not say what it takes",
            'Write @step_function(memory="numpy", axes="yx") above `def undeclared`.',
        ),
        (
            Step(lambda image: image, name="short"),
            ("short", "<lambda>", ""),
            "the function does not say what it takes",
            'Write step_function(memory="numpy", axes="yx")(lambda ...).',
        ),
        (Step(threshold), ("threshold", "threshold", "level"), "it has no default: expected a whole number.", ""),
        (Step(threshold, level=1, method=2), ("threshold", "threshold", "method"), "expected a text, found 2", ""),
        (
            Step(threshold, level=1, memory="torch"),
            ("threshold", "threshold", "memory"),
            "the function works in numpy, and the step asks for torch.",
            "Leave the step's memory out",
        ),
        (
            Step({"DAPY": "max_projection"}),
            ("max_projection", "", ""),
            "a branch for the channel 'DAPY', which is not there. Did you mean 'DAPI'?",
            "There are DAPI, GFP.",
        ),
        (
            Step({"0": "max_projection"}),
            ("max_projection", "", ""),
            "a branch for the channel '0'",
            "There are DAPI, GFP.",
        ),
        (
            Step({"DAPI": ("gaussian_blur", {"sigma": 1}), "1": ("gaussian_blur", {"sigma": 2})}),
            ("gaussian_blur", "", ""),
            "its branch '1' is the channel 'DAPI', which has a branch already",
            "into one list",
        ),
        (
            Step({"DAPI": "composite"}),
            ("composite", "composite", ""),
            "it needs all channels together",
            "a step of its own",
        ),
        (
            Step("max_projection", name="images", save=True),
            ("images", "", ""),
            "its output 'images.zarr' has the name of another one",
            "Give the step another `name`.",
        ),
    ],
)
def test_each_problem_of_a_step(draft, step, place, message, hint):
    plan = draft(step, z_indexes=(1, 2))
    (problem,) = plan.problems
    assert (problem.step, problem.function, problem.parameter) == place
    assert message in problem.message
    assert hint in problem.hint
    assert problem.message.endswith((".", "?"))


def test_a_branch_that_cannot_be_made_is_one_problem_not_two(draft):
    (problem,) = draft(Step({"DAPI": "max_projection", "GFP": "nonsense"}), z_indexes=(1, 2)).problems
    assert "no operation is called 'nonsense'" in problem.message


def test_an_image_that_an_operation_does_not_take(draft):
    (problem,) = draft(Step("gaussian_blur", sigma=1), dtype="int32").problems
    assert (problem.step, problem.function) == ("gaussian_blur", "gaussian_blur")
    assert problem.message == "its image is int32; it takes uint8, uint16, float32."

    @step_function(out_dtype="float64")
    def widen(image):
        return image

    (later,) = draft(Step(widen), Step("gaussian_blur", sigma=1)).problems
    assert "its image is float64" in later.message


@pytest.mark.parametrize(
    ("select", "message", "hint"),
    [
        ({"channels": ("GPF",)}, "the plate has no channel 'GPF'. Did you mean 'GFP'?", "It has DAPI, GFP."),
        ({"channels": (3,)}, "the plate has no channel 3.", "It has DAPI, GFP."),
        ({"sites": (1, 7, 9)}, "the plate has no site 7, 9.", "It has 1, 2."),
        ({"z": (5,)}, "the plate has no z_index 5.", "It has 1, 2."),
        ({"z": (0,)}, "the plate has no z_index 0.", "It has 1, 2."),
        ({"timepoints": (2,)}, "the plate has no timepoint 2.", "It has 1."),
        ({"wells": "H12"}, "the well filter 'H12' matches no well of this plate", ""),
        ({"wells": "nonsense"}, "'nonsense' is no well name", ""),
    ],
)
def test_each_problem_of_a_selection(draft, select, message, hint):
    (problem,) = draft(select=Selection(**select), sites=(1, 2), z_indexes=(1, 2)).problems
    assert message in problem.message
    assert hint in problem.hint


def test_projections_and_slices_share_no_image(draft):
    (problem,) = draft(select=Selection(z=(0, 1)), z_indexes=(0, 1)).problems
    assert "projections (z 0) and slices cannot share an image" in problem.message


def test_a_selection_that_no_plane_is_in(draft):
    without = [("A01", 1, channel, 1, 1) for channel in (1, 2)]
    (problem,) = draft(select=Selection(wells="A01", sites=(1,)), sites=(1, 2), without=without).problems
    assert "no plane is in all of what is selected" in problem.message


def test_planes_that_are_absent_are_listed(draft):
    states = {("A02", 1, 2, z, 1): state for z, state in ((1, PlaneState.MISSING), (2, PlaneState.NOT_RECORDED))}
    (problem,) = draft(states=states, z_indexes=(1, 2)).problems
    assert problem.message == (
        "2 plane(s) of the plate are absent: A02 site 1 channel 2 z 1 t 1 (missing); "
        "A02 site 1 channel 2 z 2 t 1 (not_recorded)."
    )
    assert "--missing skip-site" in problem.hint
    assert draft(states=states, z_indexes=(1, 2), select=Selection(wells="~A02")).problems == ()


def test_of_many_absent_planes_a_few_are_named(draft):
    states = {("A01", site, 1, 1, 1): PlaneState.MISSING for site in range(1, 13)}
    (problem,) = draft(states=states, sites=range(1, 13)).problems
    assert problem.message.startswith("12 plane(s)")
    assert problem.message.count("(missing)") == 8
    assert problem.message.endswith("; and 4 more.")


def test_a_stack_of_channels_that_has_a_hole(draft):
    (problem,) = draft(Step("composite"), z_indexes=(1, 2), without=[("A02", 1, 2, 2, 1)]).problems
    assert (problem.step, problem.function) == ("composite", "composite")
    assert "in well A02, site 1, z 2, t 1 the channel 'GFP' has none" in problem.message
    assert "Project z first" in problem.hint
    assert (
        draft(Step("max_projection"), Step("composite"), z_indexes=(1, 2), without=[("A02", 1, 2, 2, 1)]).problems
        == ()
    )


def test_nothing_of_the_plate_can_be_read(draft):
    plan = draft(Step("gausian_blur"), image_shape=None, dtype=None, select=Selection(sites=(4,)))
    messages = [problem.message for problem in plan.problems]
    assert "the plate has no site 4." in messages
    assert "no plane of this plate can be read." in messages
    assert any("'gausian_blur'" in message for message in messages)


def test_everything_that_is_wrong_is_said_at_once(draft, manager):
    steps = (
        Step("gausian_blur", sigma=1),
        Step("gaussian_blur", sigma=-1, sgima=2),
        Step({"DAPY": ("white_tophat", {"radius": 0}), "GFP": "nonsense"}, name="by_channel"),
        Step([undeclared, ("white_tophat", {"radius": 0})], name="chain"),
        Step("percentile_normalize", low=200, high="x", name="normal"),
    )
    step_problems = [
        ("gausian_blur", "gausian_blur", ""),
        ("gaussian_blur", "gaussian_blur", "sgima"),
        ("gaussian_blur", "gaussian_blur", "sigma"),
        ("by_channel", "", ""),
        ("by_channel", "white_tophat", "radius"),
        ("by_channel", "nonsense", ""),
        ("chain", "undeclared", ""),
        ("chain", "white_tophat", "radius"),
        ("normal", "percentile_normalize", "low"),
        ("normal", "percentile_normalize", "high"),
    ]
    vfs = VFSConfig(intermediate_backend="hdf5", materialization_backend="n5")
    config = GlobalPipelineConfig(executor="slurm", vfs=vfs)
    config_problems = [("", "", name) for name in ("materialization_backend", "intermediate_backend", "executor")]
    assert places(draft(*steps, config=config)) == step_problems + config_problems
    # A selection that is wrong hides nothing either, but what needs an image: whether a channel is there.
    select = Selection(wells="H12", channels=("Cy5", "Cy7"), sites=(9,), z=(9,), timepoints=(9,))
    plan = draft(*steps, config=config, select=select)
    expected = (
        [("", "", "")] * 6 + [place for place in step_problems if place != ("by_channel", "", "")] + config_problems
    )
    assert places(plan) == expected
    with pytest.raises(CompileError) as caught:
        compile_plan(Pipeline("mine", steps, select=select), make_plate(name="Plate 7"), config, manager)
    lines = str(caught.value).splitlines()
    assert lines[0] == f"'mine' cannot run on 'Plate 7': {len(expected)} problems."
    assert lines[1:] == [f"  - {problem}" for problem in plan.problems]


def test_one_problem_is_one(manager):
    said = r"1 problem\.\n  - step 'nope', function 'nope': no operation is called 'nope'"
    with pytest.raises(CompileError, match=said):
        compile_plan(Pipeline("p", [Step("nope")]), make_plate(), GlobalPipelineConfig(), manager)


def test_without_plugins_it_says_what_to_install(draft, make_manager):
    messages = [str(problem) for problem in draft(Step("max_projection"), plugins=make_manager(usual=False)).problems]
    assert len(messages) == 3
    assert "No operation is installed" in messages[0]
    assert all("hcs-engine[standard]" in message for message in messages)


@pytest.mark.parametrize(
    ("field", "name", "message", "hint"),
    [
        ("materialization_backend", "memory", "'memory' is not a backend whose content outlives the run.", "zarr"),
        ("intermediate_backend", "memry", "no storage backend is called 'memry'. Did you mean 'memory'?", ""),
        ("materialization_backend", "zar", "no storage backend is called 'zar'. Did you mean 'zarr'?", ""),
    ],
)
def test_backends(draft, field, name, message, hint):
    (problem,) = draft(config=GlobalPipelineConfig(vfs=VFSConfig(**{field: name}))).problems
    assert problem.parameter == field
    assert message in problem.message
    assert hint in problem.hint


def test_a_backend_of_another_plugin_is_taken(draft, make_manager):
    specs = [StorageBackendSpec(name="hdf5", target="nowhere:Hdf5")]
    config = GlobalPipelineConfig(vfs=VFSConfig(materialization_backend="hdf5"))
    plan = draft(config=config, plugins=make_manager(hcs_storage_backends=specs))
    assert (plan.problems, plan.outputs[0].backend) == ((), "hdf5")


def test_an_executor_that_is_not_there(draft):
    (problem,) = draft(config=GlobalPipelineConfig(executor="locl")).problems
    assert problem.parameter == "executor"
    assert "Did you mean 'local'?" in problem.message


def test_a_memory_limit_that_is_too_small_names_the_largest_step(draft):
    config = GlobalPipelineConfig(memory_limit="100K")
    plan = draft(
        Step("gaussian_blur", sigma=1), Step("max_projection", name="flat"), z_indexes=range(1, 41), config=config
    )
    (problem,) = plan.problems
    assert (problem.step, problem.parameter) == ("flat", "memory_limit")
    assert (
        f"one worker needs {plan.peak_memory_bytes_per_worker:,} bytes, and memory_limit is 102,400"
        in problem.message
    )
    enough = attrs.evolve(config, memory_limit=plan.peak_memory_bytes_per_worker)
    assert draft(Step("max_projection"), z_indexes=range(1, 41), config=enough).problems == ()


def test_a_full_disk(draft):
    plain, packed = (GlobalPipelineConfig(zarr=ZarrConfig(compressor=name)) for name in ("none", "zstd"))
    need = draft().output_bytes
    (problem,) = draft(config=plain, machine=Machine(free_disk_bytes=need - 1)).problems
    assert f"the results need {need:,} bytes, and {need - 1:,} are free" in problem.message
    assert draft(config=plain, machine=Machine(free_disk_bytes=need)).problems == ()
    # What compression leaves of it is not known before.
    assert draft(config=packed, machine=Machine(free_disk_bytes=need - 1)).problems == ()


def test_a_memory_type_of_a_function_that_is_not_installed(draft):
    @step_function(memory="torch")
    def blur(image):
        return image

    (problem,) = draft(Step(blur)).problems
    assert (problem.step, problem.function, problem.parameter) == ("blur", "blur", "memory")
    assert "no memory type is called 'torch'" in problem.message


def test_a_kernel_whose_memory_type_is_not_installed(draft, make_manager):
    kernel = KernelSpec(
        operation="glow", memory_type="mlx", target="nowhere:glow", signature=Signature(axes="yx", out="yx")
    )
    (problem,) = draft(Step("glow"), plugins=make_manager(hcs_kernels=[kernel])).problems
    assert problem.message == "its kernels are in mlx, and that cannot be used here."
    assert problem.hint.startswith("For mlx: There are numpy.")
    assert problem.hint.endswith("called after them: pip install hcs-mlx.")


def test_a_bad_pass_is_named_with_its_plugin(draft, make_manager, target):
    for number, made in enumerate((None, "a plan", 3)):
        place = target(f"pass_{number}", lambda *_arguments, made=made: made)
        plugins = make_manager(hcs_compiler_passes=[CompilerPassSpec(name="bad", target=place)])
        with pytest.raises(PluginError, match="the compiler pass 'bad' of plugin 'made_up' returned no Plan"):
            draft(plugins=plugins)


def test_partials_are_named_by_their_function(draft):
    (problem,) = draft(Step(functools.partial(undeclared))).problems
    assert problem.function == "undeclared"


def test_a_memory_type_that_a_step_asks_for_is_used(draft, make_manager):
    kernels = [
        KernelSpec(
            operation="gaussian_blur",
            memory_type="mlx",
            target="nowhere:blur",
            signature=signatures.GAUSSIAN_BLUR,
            version="9",
        ),
        KernelSpec(
            operation="glow", memory_type="mlx", target="nowhere:glow", signature=Signature(axes="yx", out="yx")
        ),
    ]
    plugins = make_manager(
        hcs_kernels=kernels,
        hcs_memory_types=[
            MemoryTypeSpec(name="mlx", target="hcs_core.testing.fakes.memory_type:FakeMemoryType", library="json")
        ],
    )
    blur = Step("gaussian_blur", sigma=1)
    found = draft(
        blur,
        Step("gaussian_blur", sigma=1, memory="mlx"),
        Step("glow"),
        blur,
        Step("max_projection"),
        plugins=plugins,
    )
    assert found.problems == ()
    # Where it is asked for, and where only it has the operation.
    assert [node.memory_type for node in found.nodes] == ["numpy", "mlx", "mlx", "numpy", "numpy"]
    assert (found.nodes[1].kernel, found.nodes[1].version) == ("gaussian_blur/mlx", "9")
