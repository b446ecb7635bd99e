"""Problems: what the compiler finds wrong with a pipeline for a plate."""

from __future__ import annotations

import attrs


@attrs.frozen(kw_only=True)
class Problem:
    """What is wrong with a pipeline for a plate: where, what was found and expected, and what to write instead.

    `message` says all of it in one sentence, but for what to write, which is `hint`. `found` and `expected` are for
    programs: in few words what there is and what there should be, empty where a message cannot be cut in two so.
    """

    step: str = ""
    function: str = ""
    parameter: str = ""
    message: str
    hint: str = ""
    found: str = ""
    expected: str = ""

    def __str__(self) -> str:
        """One sentence that starts with the place."""
        place = ", ".join(
            f"{word} {name!r}"
            for word, name in (("step", self.step), ("function", self.function), ("parameter", self.parameter))
            if name
        )
        return f"{place + ': ' if place else ''}{self.message}{' ' + self.hint if self.hint else ''}"
