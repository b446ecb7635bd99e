"""A plugin with a pass that adds a step: what is kept last is always a projection."""

from hcs_core import CompilerPassSpec, hookimpl

hcs_api = 1


@hookimpl
def hcs_compiler_passes():
    yield CompilerPassSpec(
        name="always_project",
        target="hcs_always_project_pass:always_project",
        before=("paths",),
        summary="adds max_projection to the end of a pipeline that does not project z",
    )
