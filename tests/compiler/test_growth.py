"""What wells share is planned once: work and plan grow with the kinds of wells, hardly with wells."""

from __future__ import annotations

import inspect
import itertools
import pickle
import sys

import pytest
from hypothesis import given, settings, strategies as st

from hcs_core import (
    GlobalPipelineConfig,
    Pipeline,
    PluginManager,
    Selection,
    Step,
    compile_plan,
    step_function,
    well_name,
)
from hcs_core.compiler.node_plan import PLATE, Port
from hcs_core.compiler.order.presence import PlaneKey, Presence
from hcs_core.plate.plane_table import PlaneState
from hcs_core.testing.plates import make_plate


def wells(count):
    return tuple(well_name(index // 48, index % 48) for index in range(count))


def calls_of(work):
    """How many Python functions some work calls; a generator that goes on is no call."""
    count = 0

    def note(frame, event, _argument):
        nonlocal count
        count += event == "call" and not frame.f_code.co_flags & inspect.CO_GENERATOR

    before = sys.getprofile()
    sys.setprofile(note)
    try:
        work()
    finally:
        sys.setprofile(before)
    return count


@pytest.fixture
def compiled(manager):
    def compile_wells(count):
        plate = make_plate(wells=wells(count), sites=(1, 2, 3), z_indexes=(1, 2))
        steps = [Step("gaussian_blur", sigma=1.0), Step("max_projection")]
        return lambda: compile_plan(Pipeline("p", steps), plate, GlobalPipelineConfig(), manager)

    return compile_wells


def test_sixteen_times_the_wells_are_not_three_times_the_work(compiled):
    few, many = compiled(96), compiled(1536)
    # The first time, names are read and wells are compared with each other, which is known from then on.
    few(), many()
    assert calls_of(many) <= 3 * calls_of(few)


def test_a_well_takes_few_bytes_of_the_plan(compiled):
    few, many = (len(pickle.dumps(compiled(count)())) for count in (96, 1536))
    assert few / 96 < 200
    assert (many - few) / (1536 - 96) < 30


@step_function(axes="yx")
def touch(image):
    return image


@st.composite
def ragged(draw):
    """Wells of which some are alike: each takes what it lacks from a few lists."""
    every = list(itertools.product((1, 2), (1, 2), (1, 2)))
    kinds = draw(st.lists(st.sets(st.sampled_from(every), max_size=6), min_size=1, max_size=3))
    return draw(st.lists(st.sampled_from(kinds), min_size=2, max_size=7))


@settings(max_examples=60, deadline=None)
@given(lacks=ragged(), chosen=st.sets(st.integers(0, 6)), not_acquired=st.booleans())
def test_each_well_has_just_its_own_planes_however_many_are_alike(manager_of_all, lacks, chosen, not_acquired):
    """Against the list of keys from which the plate was made."""
    names = wells(len(lacks))
    gone = [(name, *key, 1) for name, lack in zip(names, lacks, strict=True) for key in lack]
    absent = {"states": dict.fromkeys(gone, PlaneState.NOT_ACQUIRED)} if not_acquired else {"without": gone}
    plate = make_plate(wells=names, sites=(1, 2), z_indexes=(1, 2), **absent)
    there = {(n, *key, 1) for n in names for key in itertools.product((1, 2), (1, 2), (1, 2))} - set(gone)
    asked = tuple(names[index] for index in sorted(chosen) if index < len(names)) or names
    if {key[0] for key in there} != set(names) or {key[1] for key in there if key[0] in asked} != {1, 2}:
        return  # Wells that are not there cannot be asked for.
    pipeline = Pipeline("p", [Step(touch)], select=Selection(wells=asked))
    plan = compile_plan(pipeline, plate, GlobalPipelineConfig(), manager_of_all)
    found = set()
    for well, index in plan.wells:
        presence = Presence(plan, plan.well_shapes[index], well)
        for lane, (image, channel) in enumerate(plan.lanes):
            for site, t, z in itertools.product(plan.sites(well), image.timepoints, image.z_indexes):
                if presence.has(Port(PLATE, lane), PlaneKey(site, t, z)):
                    found.add((well, site, channel.number, z, t))
    assert found == {key for key in there if key[0] in asked}


@pytest.fixture(scope="module")
def manager_of_all():
    manager = PluginManager()
    manager.discover()
    return manager
