"""A plugin with a pass that refuses plans by a rule of its own."""

from hcs_core import CompilerPassSpec, hookimpl

hcs_api = 1


@hookimpl
def hcs_compiler_passes():
    yield CompilerPassSpec(
        name="house_rules",
        target="hcs_house_rules_pass:house_rules",
        after=("paths",),
        summary="refuses plans that rescale intensities",
    )
