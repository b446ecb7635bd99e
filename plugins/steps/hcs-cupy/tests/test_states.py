"""The states of the library: absent, there without a device, and what is said then."""

import subprocess
import sys

import numpy as np
import pytest

from hcs_core import GlobalPipelineConfig, Pipeline, PipelineOrchestrator, PluginError, PluginManager, Step
from hcs_core.testing import require_library
from hcs_cupy.memory import CupyMemory
from hcs_synthetic.making import make_plate
from hcs_synthetic.plate import SyntheticPlate

UNTOUCHED = """
import sys
from hcs_cupy import plugin
from hcs_cupy.memory import CupyMemory
made = CupyMemory()
assert not made.owns([1]) and made.holds("uint16") == "uint16" and made.holds("U5") == ""
assert not made.is_out_of_memory(MemoryError())
list(plugin.hcs_memory_types()), list(plugin.hcs_kernels()), list(plugin.hcs_converters())
print(sorted({"cupy", "torch", "jax"} & set(sys.modules)))
"""


def test_nothing_imports_cupy_before_an_array_is_asked_for():
    done = subprocess.run([sys.executable, "-c", UNTOUCHED], check=True, capture_output=True, text=True)
    assert (done.stdout.strip(), done.stderr) == ("[]", "")


@pytest.fixture
def without_a_device():
    require_library("cupy")
    if CupyMemory().devices():
        pytest.skip("cupy finds a device on this machine")
    return CupyMemory()


def test_no_device_is_a_state(without_a_device):
    assert without_a_device.devices() == ()


def test_an_array_without_a_device_is_refused_in_words(without_a_device):
    with pytest.raises(PluginError, match=r"cupy has no device 'cuda:0' here: it has none at all\."):
        without_a_device.from_host(np.zeros(3))


@pytest.mark.usefixtures("without_a_device")
def test_a_pipeline_that_needs_it_is_a_problem_that_names_the_state(tmp_path):
    plugins = PluginManager()
    plugins.discover()
    facts = SyntheticPlate(name="plate", wells=("A01",), grid=(1, 1), image_shape=(48, 61), cells_per_field=3.0)
    plate = make_plate(tmp_path, facts, plugins=plugins)
    orchestrator = PipelineOrchestrator(
        plate, global_config=GlobalPipelineConfig(num_workers=1), output=tmp_path / "out"
    )
    with pytest.raises(Exception, match=r"cupy.* no device"):
        orchestrator.run([Pipeline("blurred", [Step("gaussian_blur", memory="cupy")])])
