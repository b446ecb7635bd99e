"""The frozen descriptions that plugins declare, one class for each kind.

A spec is light: its `target` (`"package.module:attribute"`) is a string, imported on first use by
`Registry.load` and nowhere else.
"""

from __future__ import annotations

import attrs

from hcs_core.plugins.parameter import Parameter
from hcs_core.plugins.signature import Signature, check_parameters
from hcs_core.plugins.spec_checks import (
    check_bytes,
    check_environment,
    check_name,
    check_optional_name,
    check_optional_suffix,
    check_optional_target,
    check_suffix,
    check_target,
    check_text,
    check_texts,
)


@attrs.frozen(kw_only=True)
class MicroscopeSpec:
    """A microscope whose plates can be read.

    Attributes
    ----------
    name
        What users write, such as `imagexpress`.
    target
        A `MicroscopeHandler` class, made without arguments.
    markers
        Glob patterns relative to the plate's folder, such as `*.HTD`; a folder in which one matches is a
        candidate, and the handler is asked.
    layout_writer
        The target of a `LayoutWriter` class, which makes synthetic plates in this layout; empty: none.
    summary
        One line for `hcs plugins show`.
    """

    name: str = attrs.field(validator=check_name)
    target: str = attrs.field(validator=check_target)
    markers: tuple[str, ...] = attrs.field(validator=check_texts)
    layout_writer: str = attrs.field(default="", validator=check_optional_target)
    summary: str = ""


@attrs.frozen(kw_only=True)
class ReaderSpec:
    """A way to get the pixels of a plane from its location; the target is a `Reader` class.

    `codecs` is the target of a function that tries what its files can be packed with, for `hcs doctor`: it takes
    nothing, and returns why each codec cannot be used, by its name, empty where it can.
    """

    name: str = attrs.field(validator=check_name)
    target: str = attrs.field(validator=check_target)
    codecs: str = attrs.field(default="", validator=check_optional_target)
    summary: str = ""


@attrs.frozen(kw_only=True)
class StorageBackendSpec:
    """A place where arrays rest.

    The target is a `StorageBackend` class, made without arguments. `durable` says whether what it holds
    outlives the process, so that results can be kept in it; `suffix` ends the names of its stores, such as `.zarr`,
    and is empty where they are plain folders. `size` is the target of `(StoreLayout, wells, mosaics) -> StoreSize`
    in a light module, which says what a store of these wells (a mapping from well to sites) takes at most; empty: the
    plan counts the pixels, and a file for each plane; `codecs` is as in a `ReaderSpec`.
    """

    name: str = attrs.field(validator=check_name)
    target: str = attrs.field(validator=check_target)
    durable: bool = True
    suffix: str = attrs.field(default="", validator=check_optional_suffix)
    size: str = attrs.field(default="", validator=check_optional_target)
    codecs: str = attrs.field(default="", validator=check_optional_target)
    summary: str = ""


@attrs.frozen(kw_only=True)
class MemoryTypeSpec:
    """An array library that kernels can work in.

    Attributes
    ----------
    name
        What users write, such as `torch`.
    target
        A `MemoryType` class, made without arguments.
    library
        The module that must be importable for it to be ready.
    worker_environment
        Pairs of a name and a value of the environment in which worker processes start whose plan uses it, such as
        what keeps the library to one thread. A variable that the user has set stays as it is. Work in threads and in
        the calling process is left alone.
    context_bytes
        What the library holds on a device for each process that uses it, beside arrays.
    has_cpu
        Whether its arrays can lie on the CPU of any machine, so that it is ready wherever its library is: then no
        list has to import the library to ask.
    how_to_get
        A sentence for users who lack the library; empty where the extras of the plugin's distribution bring its
        builds, which are named then.
    summary
        One line for `hcs plugins show`.
    """

    name: str = attrs.field(validator=check_name)
    target: str = attrs.field(validator=check_target)
    library: str = attrs.field(validator=check_text)
    worker_environment: tuple[tuple[str, str], ...] = attrs.field(default=(), validator=check_environment)
    context_bytes: int = attrs.field(default=0, validator=check_bytes)
    has_cpu: bool = False
    how_to_get: str = ""
    summary: str = ""


@attrs.frozen(kw_only=True)
class ConverterSpec:
    """A direct route from one memory type to another, which spares the way through host memory.

    The target is a function of one array of the source; it returns one of the destination with the same content, in
    the same dtype or a wider one, on the same device; the two may share memory. `devices` are the kinds of devices
    on which it works, such as `cuda`; empty: all.
    """

    source: str = attrs.field(validator=check_name)
    destination: str = attrs.field(validator=check_name)
    target: str = attrs.field(validator=check_target)
    devices: tuple[str, ...] = attrs.field(default=(), validator=check_texts)
    summary: str = ""

    def __attrs_post_init__(self) -> None:
        """Refuse a route from a memory type to itself."""
        if self.source == self.destination:
            raise ValueError(f"source and destination are both {self.source!r}: a converter needs two memory types")

    @property
    def name(self) -> str:
        """`source->destination`."""
        return f"{self.source}->{self.destination}"


@attrs.frozen(kw_only=True)
class KernelSpec:
    """One implementation of an operation in one memory type.

    Attributes
    ----------
    operation
        What is computed, such as `gaussian_blur`.
    memory_type
        The memory type of the arrays that the target takes and returns.
    target
        A function `kernel(image, *, parameter=...) -> image`.
    signature
        The operation's signature, the same in every kernel of it.
    version
        Raised whenever the same input may give other pixels.
    takes_dtype
        Whether the target takes the keyword `dtype`: the name of its image's dtype, which its memory type may hold in
        a wider one (see `MemoryType.holds`). It returns what its memory type holds, within that dtype's limits.
    batches
        Whether the target also takes several images at once, along an axis before its signature's, and returns
        their results likewise: the same as of each alone.
    summary
        One line for `hcs functions`.
    """

    operation: str = attrs.field(validator=check_name)
    memory_type: str = attrs.field(validator=check_name)
    target: str = attrs.field(validator=check_target)
    signature: Signature = attrs.field(validator=attrs.validators.instance_of(Signature))
    version: str = attrs.field(default="1", validator=check_text)
    takes_dtype: bool = attrs.field(default=False, validator=attrs.validators.instance_of(bool))
    batches: bool = attrs.field(default=False, validator=attrs.validators.instance_of(bool))
    summary: str = ""

    @property
    def name(self) -> str:
        """`operation/memory_type`."""
        return f"{self.operation}/{self.memory_type}"


_TOLD_TO_STITCHERS = frozenset({
    "tiles", "nominal_yx", "positions_yx", "shape", "stitcher", "channel", "pixel_size_um",
    "well", "input_dir", "output_dir", "positions_dir", "positions_file",
})  # fmt: skip
"""What `positions()`, `fuse()`, and those that call them for a plate, take already."""


@attrs.frozen(kw_only=True)
class StitcherSpec:
    """A way to find the positions of sites and to fuse them.

    Attributes
    ----------
    name
        What users write, such as `plain`.
    target
        A `Stitcher` class, made without arguments.
    positions, fusion
        The parameters of its `positions()` and of its `fuse()`; of one name in both, they are one.
    needs_pixels
        Whether `positions()` looks at tiles; where it does not, none is read for it.
    max_shift
        The parameter of `positions()` that says how many pixels a tile may be moved at most from where the stage
        says that it lies: mosaics have room for that. Empty: none is moved beyond the others.
    version
        Raised whenever the same tiles may give other positions or another mosaic.
    summary
        One line for `hcs plugins show`.
    """

    name: str = attrs.field(validator=check_name)
    target: str = attrs.field(validator=check_target)
    positions: tuple[Parameter, ...] = attrs.field(default=(), validator=check_parameters)
    fusion: tuple[Parameter, ...] = attrs.field(default=(), validator=check_parameters)
    needs_pixels: bool = attrs.field(default=False, validator=attrs.validators.instance_of(bool))
    max_shift: str = attrs.field(default="", validator=attrs.validators.instance_of(str))
    version: str = attrs.field(default="1", validator=check_text)
    summary: str = ""

    def __attrs_post_init__(self) -> None:
        """Refuse parameters that are called as what every stitcher gets, and a `max_shift` that is none of them."""
        kinds = {item.name: item.kind for item in self.positions}
        if self.max_shift and kinds.get(self.max_shift) not in {"int", "float"}:
            raise ValueError(f"max_shift={self.max_shift!r} names no parameter of positions that is a number")
        clashes = [item.name for item in (*self.positions, *self.fusion) if item.name in _TOLD_TO_STITCHERS]
        if clashes:
            raise ValueError(f"{clashes[0]!r} is told to every stitcher: give the parameter another name")


@attrs.frozen(kw_only=True)
class WriterSpec:
    """A way to write an artifact into a file.

    Attributes
    ----------
    name
        What a configuration writes, such as `csv`.
    kind
        What it writes: an `ArtifactKind` (`table`, `json`, `image`), or a word of its own for what a program draws,
        such as `picture`.
    target
        A function `write(artifact, path)`. A `table` comes as an iterator of `Table`, all with the same columns and
        dtypes, whose rows follow each other, so that a plate's need not be held; there is at least one. `json` is
        plain data, an `image` an `ImageArtifact`.
    suffix
        What the names of its files end with, such as `.csv`.
    """

    name: str = attrs.field(validator=check_name)
    kind: str = attrs.field(validator=check_name)
    target: str = attrs.field(validator=check_target)
    suffix: str = attrs.field(validator=check_suffix)
    summary: str = ""


@attrs.frozen(kw_only=True)
class CompilerPassSpec:
    """A compiler pass: a pure function `(Plan, CompileInput) -> Plan`, ordered by `after` and `before`.

    `replaces` names the pass in whose place it stands, which is then not run; empty: it is one more.
    """

    name: str = attrs.field(validator=check_name)
    target: str = attrs.field(validator=check_target)
    after: tuple[str, ...] = attrs.field(default=(), validator=check_texts)
    before: tuple[str, ...] = attrs.field(default=(), validator=check_texts)
    replaces: str = attrs.field(default="", validator=check_optional_name)
    summary: str = ""

    def __attrs_post_init__(self) -> None:
        """Refuse a pass that stands in its own place."""
        if self.replaces == self.name:
            raise ValueError(f"replaces={self.replaces!r} is its own name: give the pass another one")


@attrs.frozen(kw_only=True)
class ExecutorSpec:
    """What runs the wells of a plan; the target is an `Executor` class, made without arguments."""

    name: str = attrs.field(validator=check_name)
    target: str = attrs.field(validator=check_target)
    summary: str = ""


@attrs.frozen(kw_only=True)
class CommandSpec:
    """A subcommand of `hcs`; the target is a click command."""

    name: str = attrs.field(validator=check_name)
    target: str = attrs.field(validator=check_target)
    summary: str = ""
