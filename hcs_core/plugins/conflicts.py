"""What keeps plugins that are each in order from being registered together: one name, or one operation, twice."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import attrs

from hcs_core.plugins.kinds import Kind
from hcs_core.plugins.registry import Owner, Registry
from hcs_core.plugins.signature import Signature
from hcs_core.plugins.specs import KernelSpec
from hcs_core.plugins.staging import Staged


@attrs.frozen(kw_only=True)
class _Declared:
    """A kernel and whose it is."""

    spec: KernelSpec
    owner: Owner


def conflict(staged: Staged, registries: Mapping[str, Registry[Any]]) -> str | None:
    """Return why a plugin cannot join what is registered, or `None` where it can."""
    for kind, spec in staged.declared():
        registry = registries[kind.word]
        if spec.name in registry:
            return (
                f"the {kind.singular} {spec.name!r} of {staged.owner} is already declared by "
                f"{registry.owner(spec.name)}: disable or rename one of them."
            )
    kernels: Registry[KernelSpec] = registries["kernels"]
    known = [_Declared(spec=spec, owner=kernels.owner(spec.name)) for spec in kernels]
    own = _kernels_of(staged)
    for kernel in own:
        for other in (*known, *own):
            if _disagree(kernel, other):
                return (
                    f"the kernel {kernel.spec.name!r} of {kernel.owner} has another signature "
                    f"({_differences(kernel, other)}) than {other.spec.name!r} of {other.owner}: "
                    "give it the same signature, or its operation another name."
                )
    return None


def rivalries(staged: Iterable[Staged]) -> dict[Owner, str]:
    """Return, of installed plugins, those that claim what another one claims too, and why neither is used.

    Nothing says which of them was meant, and the order of installation must not decide: all of them lose.
    """
    items = tuple(staged)
    reasons: dict[Owner, list[str]] = {}
    for claim, claimants in (*_shared_names(items), *_shared_operations(items)):
        both = " and ".join(str(owner) for owner in claimants)
        reason = (
            f"{claim} by {both}: neither is used; disable one of them, for example with "
            f"HCS_DISABLE={claimants[0].plugin}."
        )
        for owner in claimants:
            reasons.setdefault(owner, []).append(reason)
    return {owner: " ".join(texts) for owner, texts in reasons.items()}


def _shared_names(items: Iterable[Staged]) -> Iterable[tuple[str, tuple[Owner, ...]]]:
    claims: dict[tuple[str, str], tuple[Kind, list[Owner]]] = {}
    for item in items:
        for kind, spec in item.declared():
            claims.setdefault((kind.word, spec.name), (kind, []))[1].append(item.owner)
    for (_, name), (kind, owners) in claims.items():
        if len(owners) > 1:
            yield f"the {kind.singular} {name!r} is declared", tuple(owners)


def _shared_operations(items: Iterable[Staged]) -> Iterable[tuple[str, tuple[Owner, ...]]]:
    kernels = [kernel for item in items for kernel in _kernels_of(item)]
    for position, kernel in enumerate(kernels):
        for other in kernels[position + 1 :]:
            if kernel.owner != other.owner and _disagree(kernel, other):
                claim = (
                    f"the operation {kernel.spec.operation!r} is given two signatures ({_differences(kernel, other)})"
                )
                yield claim, (kernel.owner, other.owner)


def _kernels_of(item: Staged) -> list[_Declared]:
    return [_Declared(spec=spec, owner=item.owner) for _, spec in item.declared() if isinstance(spec, KernelSpec)]


def _disagree(one: _Declared, other: _Declared) -> bool:
    return one.spec.operation == other.spec.operation and one.spec.signature != other.spec.signature


def _differences(one: _Declared, other: _Declared) -> str:
    """Name the attributes of the signature that differ."""
    names = (field.name for field in attrs.fields(Signature))
    return ", ".join(
        name for name in names if getattr(one.spec.signature, name) != getattr(other.spec.signature, name)
    )
