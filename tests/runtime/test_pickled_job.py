"""What cannot be sent to worker processes is named: which step, which function, why, and what to do."""

from __future__ import annotations

import threading

import pytest

from hcs_core import GlobalPipelineConfig, Pipeline, PipelineOrchestrator, PluginManager, RunError, Step, hookimpl
from hcs_core.arrays.step_function import step_function
from hcs_core.plugins.specs import MemoryTypeSpec


@pytest.fixture(scope="module")
def plate(make_plate):
    return make_plate(wells=("A01",), grid=(1, 1), z_count=1, channels=("DAPI",))


PROCESSES = GlobalPipelineConfig(num_workers=2, use_threading=False)


def test_the_one_function_that_cannot_be_sent_is_named(plate, tmp_path):
    lock = threading.Lock()

    @step_function(version="1")
    def can_be_sent(image):
        return image

    @step_function(version="1")
    def holds_a_lock(image):
        with lock:
            return image

    orchestrator = PipelineOrchestrator(plate, global_config=PROCESSES, output=tmp_path / "out")
    with pytest.raises(
        RunError, match=r"step 'second': the function 'holds_a_lock'.*lock.*use_threading=True"
    ) as told:
        orchestrator.run([Pipeline("test", [Step(can_be_sent), Step(holds_a_lock, name="second")])])
    assert "can_be_sent" not in str(told.value)
    # The object stays usable, and a run that sends nothing does not mind.
    threads = GlobalPipelineConfig(num_workers=2, use_threading=True)
    other = PipelineOrchestrator(plate, global_config=threads, output=tmp_path / "out")
    assert other.run([Pipeline("test", [Step(can_be_sent), Step(holds_a_lock, name="second")])]).status == "ok"


def test_a_plugin_of_the_program_that_cannot_be_sent_is_named(plate, tmp_path):
    class Plugin:
        hcs_api = 1

        def __init__(self):
            self.lock = threading.Lock()

        @hookimpl
        def hcs_memory_types(self):
            yield MemoryTypeSpec(name="mine", target="nowhere:at_all", library="nothing")

    plugins = PluginManager()
    plugins.register(Plugin(), "holder")
    plugins.discover()
    orchestrator = PipelineOrchestrator(plate, global_config=PROCESSES, plugins=plugins, output=tmp_path / "out")
    with pytest.raises(RunError, match=r"the plugin 'holder', which this program registered, cannot be sent"):
        orchestrator.run([Pipeline("test", [])])
