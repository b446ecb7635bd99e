"""Workers whose memory grows, as that of libraries does when they are first used, go on: the plan has counted it."""

import json
import os
import time

import numpy as np
import pytest

from hcs_core import GlobalPipelineConfig, Pipeline, PipelineOrchestrator, Step, step_function

WELLS = ("A01", "A02", "A03", "A04")
KEPT = []
"""What a worker keeps from its second well on."""


@step_function(makes={"who": "json"}, version="1")
def grow(image, *, seconds: float = 0.6, floats: int = 45_000_000):
    """Keep 360 MB from the second call on, and say which process this is.

    The library that runs workers looks once a second, and compares with what it saw after the first task.
    """
    KEPT.append(np.ones(floats if len(KEPT) == 1 else 1))
    time.sleep(seconds)
    return image, os.getpid()


def test_a_worker_that_grows_by_hundreds_of_megabytes_is_not_replaced(make_plate, tmp_path):
    pytest.importorskip("psutil", reason="without psutil nobody looks how large a worker is")
    plate = make_plate(wells=WELLS, grid=(1, 1), z_count=1, channels=("DAPI",))
    config = GlobalPipelineConfig(num_workers=1, use_threading=False)
    result = PipelineOrchestrator(plate, global_config=config, output=tmp_path / "out").run(
        [Pipeline("p", [Step(grow)])]
    )
    assert result.status == "ok", [record.fault for record in result.failed]
    documents = json.loads((tmp_path / "out" / "results" / "who.json").read_text())
    assert len({entry["value"] for (entry,) in documents.values()}) == 1
