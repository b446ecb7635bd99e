"""Asking policies and telling events: each plugin by itself, so that whose answer or fault it is stays known."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from hcs_core.errors import PluginError, one_line
from hcs_core.plugins.events import Event, PlanCompiled, RunFinished
from hcs_core.plugins.registry import PLUGIN_FAULTS, Owner
from hcs_core.plugins.staging import Staged

OnFault = Callable[[Owner, PluginError], None]


def ask(
    hook: str, registered: Iterable[Staged], on_fault: OnFault, options: tuple[str, ...], **arguments: Any
) -> str | None:
    """Ask the policy `hook` which of `options` it is; `None` where nobody answers.

    The program's plugins are asked first, the one registered last before the others, and the first answer counts.
    Then all installed ones are asked; an answer that is none of the options, or a fault, counts as no answer.

    Raises
    ------
    PluginError
        Two installed plugins answer.
    """
    able = [staged for staged in registered if staged.has(hook)]
    for staged in reversed([item for item in able if item.owner.distribution is None]):
        answer = _answer(hook, staged, on_fault, options, arguments)
        if answer is not None:
            return answer
    answers: dict[Owner, str] = {}
    for staged in (item for item in able if item.owner.distribution is not None):
        answer = _answer(hook, staged, on_fault, options, arguments)
        if answer is not None:
            answers[staged.owner] = answer
    if len(answers) > 1:
        said = " and ".join(f"{owner} ({answer})" for owner, answer in answers.items())
        raise PluginError(f"{said} both answer {hook}: disable one of them, or choose with an option.")
    return next(iter(answers.values()), None)


def _answer(
    hook: str, staged: Staged, on_fault: OnFault, options: tuple[str, ...], arguments: dict[str, Any]
) -> str | None:
    try:
        answer = getattr(staged.hooks, hook)(**arguments)
    except PLUGIN_FAULTS as cause:
        on_fault(staged.owner, _raised(f"policy {hook}", staged.owner, cause))
        return None
    if answer is None:
        return None
    if answer not in options:
        on_fault(
            staged.owner,
            PluginError(
                f"the policy {hook} of {staged.owner} answers {answer!r}, which is none of {', '.join(options)}: "
                f"{staged.owner.way_out}."
            ),
        )
        return None
    return str(answer)


def tell(event: Event, registered: Iterable[Staged], on_fault: OnFault) -> None:
    """Tell every listener of an event; the fault of one is noted, the others hear it all the same."""
    hooks = ["hcs_event"]
    if isinstance(event, PlanCompiled):
        hooks.append("hcs_plan_compiled")
    if isinstance(event, RunFinished):
        hooks.append("hcs_run_finished")
    for staged in registered:
        for hook in hooks:
            try:
                getattr(staged.hooks, hook)(event=event)
            except PLUGIN_FAULTS as cause:
                on_fault(staged.owner, _raised(f"listener {hook}", staged.owner, cause))


def _raised(what: str, owner: Owner, cause: BaseException) -> PluginError:
    error = PluginError(f"the {what} of {owner} raised {one_line(cause)}: {owner.way_out}.")
    error.__cause__ = cause
    return error
