"""Policies are asked and events told plugin by plugin: whose answer and whose fault it is stays known."""

from __future__ import annotations

from pathlib import Path

import pytest

from hcs_core import PluginError, PluginManager
from hcs_core.plugins.events import PlanCompiled, RunFinished, RunStarted, WellFinished
from hcs_core.plugins.listening import ask
from hcs_core.plugins.registry import Owner
from hcs_core.plugins.staging import stage

EVENTS = (
    PlanCompiled(plate="p", digest="d", wells=("A01",), steps=("blur",)),
    RunStarted(plate="p", wells=1, cached=0, workers=1, output="o"),
    WellFinished(well="A01", status="ok", seconds=0.1),
    RunFinished(plate="p", status="ok", output="o"),
)
DEVICES = ("cpu", "cuda:0", "cuda:1")


def installed(plugin, name):
    return stage(plugin, Owner(plugin=name, distribution=f"hcs-{name}"), "1.0")


def noting(heard):
    def listener(event):
        heard.append(event)

    return listener


def raising_listener(event):
    raise RuntimeError("out of order")


def raising_policy(memory_type, devices):
    raise RuntimeError("out of order")


@pytest.fixture
def asked(make_plugin):
    """Return `asked(program, installed)`: the device that these answers lead to, and the faults on the way."""

    def run(program=(), others=()):
        staged = [
            stage(make_plugin(hcs_choose_device=_answering(answer)), Owner(plugin=f"own{number}"), None)
            for number, answer in enumerate(program)
        ]
        staged += [
            installed(make_plugin(hcs_choose_device=_answering(answer)), f"other{number}")
            for number, answer in enumerate(others)
        ]
        faults = []
        answer = ask(
            "hcs_choose_device", staged, lambda owner, error: faults.append((owner.plugin, str(error))), DEVICES,
            memory_type="torch", devices=DEVICES,
        )  # fmt: skip
        return answer, faults

    return run


def _answering(answer):
    def hcs_choose_device(memory_type, devices):
        if isinstance(answer, BaseException):
            raise answer
        return answer

    return hcs_choose_device


@pytest.mark.parametrize(
    ("program", "others", "expected"),
    [
        ((), (), None),
        ((None,), (None, None), None),
        ((), ("cuda:0",), "cuda:0"),
        ((), (None, "cuda:1", None), "cuda:1"),
        (("cpu",), ("cuda:0",), "cpu"),
        (("cpu",), ("cuda:0", "cuda:1"), "cpu"),
        ((None,), ("cuda:0",), "cuda:0"),
        (("cpu", "cuda:0"), (), "cuda:0"),
        (("cpu", None), (), "cpu"),
    ],
)
def test_who_is_asked_first_and_what_counts(asked, program, others, expected):
    assert asked(program, others) == (expected, [])


@pytest.mark.parametrize("answers", [("cpu", "cuda:0"), ("cpu", "cpu"), ("cpu", None, "cuda:1")])
def test_two_installed_plugins_that_answer_are_an_error_naming_both(asked, answers):
    with pytest.raises(PluginError, match="both answer hcs_choose_device: disable one") as caught:
        asked((), answers)
    for number, answer in enumerate(answers):
        named = f"plugin 'other{number}' of hcs-other{number} ({answer})" in str(caught.value)
        assert named is (answer is not None)


@pytest.mark.parametrize("fault", [RuntimeError("out of order"), SystemExit(3), AssertionError("never")])
def test_a_policy_that_raises_is_a_fault_and_no_answer(asked, fault):
    answer, faults = asked((fault,), ("cuda:0",))
    assert answer == "cuda:0"
    ((name, text),) = faults
    assert name == "own0"
    assert text.startswith(f"the policy hcs_choose_device of plugin 'own0' raised {type(fault).__name__}")


def test_an_answer_that_is_no_choice_is_a_fault_and_no_answer(asked):
    answer, faults = asked((), ("cuda:9", "cpu"))
    assert answer == "cpu"
    ((name, text),) = faults
    assert name == "other0"
    assert "answers 'cuda:9', which is none of cpu, cuda:0, cuda:1" in text
    assert "HCS_DISABLE=other0" in text


def test_the_managers_policies_take_what_the_hooks_take(make_plugin):
    heard = []

    def hcs_choose_microscope(root, candidates):
        heard.append((root, candidates))
        return "opera"

    def hcs_choose_device(memory_type, devices):
        heard.append((memory_type, devices))
        return "cuda:1"

    manager = PluginManager()
    manager.register(make_plugin(hcs_choose_microscope=hcs_choose_microscope, hcs_choose_device=hcs_choose_device))
    assert manager.choose_microscope(Path("plate"), ("imagexpress", "opera")) == "opera"
    assert manager.choose_device("torch", DEVICES) == "cuda:1"
    assert heard == [(Path("plate"), ("imagexpress", "opera")), ("torch", DEVICES)]


def test_a_policy_of_fewer_arguments_is_called_with_those(make_plugin):
    manager = PluginManager()
    manager.register(make_plugin(hcs_choose_device=lambda devices: devices[-1]))
    assert manager.choose_device("torch", DEVICES) == "cuda:1"


def test_every_listener_hears_what_it_listens_to(make_plugin):
    heard = {"hcs_event": [], "hcs_plan_compiled": [], "hcs_run_finished": []}
    manager = PluginManager()
    manager.register(
        make_plugin(
            hcs_event=noting(heard["hcs_event"]),
            hcs_plan_compiled=noting(heard["hcs_plan_compiled"]),
            hcs_run_finished=noting(heard["hcs_run_finished"]),
        )
    )
    for event in EVENTS:
        manager.emit(event)
    assert heard == {
        "hcs_event": list(EVENTS),
        "hcs_plan_compiled": [EVENTS[0]],
        "hcs_run_finished": [EVENTS[-1]],
    }


@pytest.mark.parametrize("fault", [RuntimeError("full disk"), SystemExit(1)])
def test_a_listener_that_raises_is_recorded_and_stops_nobody(make_plugin, fault):
    heard = []

    def hcs_event(event):
        raise fault

    manager = PluginManager()
    manager.register(make_plugin("loud", hcs_event=hcs_event))
    manager.register(make_plugin("patient", hcs_event=noting(heard)))
    for event in EVENTS:
        manager.emit(event)
    assert heard == list(EVENTS)
    core, loud, patient = manager.records()
    assert (core.status, loud.status, patient.status) == ("ok", "failed", "ok")
    assert loud.error.startswith("the listener hcs_event of plugin 'loud' raised")
    assert type(fault).__name__ in loud.traceback


def test_a_strict_manager_raises_at_a_faulty_listener_or_policy(make_plugin):
    manager = PluginManager(strict=True)
    manager.register(make_plugin("loud", hcs_event=raising_listener, hcs_choose_device=raising_policy))
    with pytest.raises(PluginError, match="listener hcs_event of plugin 'loud' raised RuntimeError: out of order"):
        manager.emit(EVENTS[1])
    with pytest.raises(PluginError, match="policy hcs_choose_device of plugin 'loud' raised RuntimeError"):
        manager.choose_device("torch", DEVICES)


def test_ctrl_c_in_a_listener_is_no_fault(make_plugin):
    def hcs_event(event):
        raise KeyboardInterrupt

    manager = PluginManager()
    manager.register(make_plugin(hcs_event=hcs_event))
    with pytest.raises(KeyboardInterrupt):
        manager.emit(EVENTS[1])
