"""The configuration: every field says what it allows; files of it say where they are wrong."""

import math
from pathlib import Path

import attrs
import numpy as np
import pytest
from hypothesis import given, strategies as st

from hcs_core import (
    Backend,
    ConfigError,
    GlobalPipelineConfig,
    MaterializationBackend,
    Microscope,
    OmeZarrVersion,
    PathPlanningConfig,
    Selection,
    VFSConfig,
    WritersConfig,
    ZarrChunkStrategy,
    ZarrCompressor,
    ZarrConfig,
    ZarrShards,
)
from hcs_core.pipeline.config import bytes_of, numbers
from hcs_core.pipeline.config_file import load_config

WHOLE = "a whole number from"
NAME = "a name such as 'zarr'"
FLAG = "true or false"
FOLDER = "a name without a slash"
WRONG = [
    (PathPlanningConfig, "output_dir_suffix", ["", "a/b", "\\", "..", 3, None], FOLDER),
    (PathPlanningConfig, "global_output_folder", ["", 3, [], "a\0"], "the path of a folder"),
    (PathPlanningConfig, "materialization_results_path", ["", 3, None, {}], "the path of a folder"),
    (VFSConfig, "intermediate_backend", ["", 3, None], NAME),
    (VFSConfig, "materialization_backend", ["", [], None], NAME),
    (ZarrConfig, "store_name", ["", "a/b", ".", None], FOLDER),
    (ZarrConfig, "compressor", ["zip", 3, None, "ZSTD"], "one of none, lz4, zstd, gzip"),
    (ZarrConfig, "compression_level", [-1, 10, 1.0, "1", True, None], WHOLE + " 0 to 9"),
    (ZarrConfig, "shuffle", [1, "yes", None], FLAG),
    (ZarrConfig, "chunk_strategy", ["tile", None], "one of plane, single, tiled"),
    (ZarrConfig, "shards", ["plane", None, True], "one of none, image"),
    (ZarrConfig, "ome_zarr_version", ["0.6", "0.40", 4, None], "one of 0.4, 0.5"),
    (ZarrConfig, "ome_zarr_metadata", [0, "no"], FLAG),
    (ZarrConfig, "write_plate_metadata", [0, "no"], FLAG),
    (GlobalPipelineConfig, "num_workers", [0, -1, 1025, 1.5, "2", True], WHOLE + " 1 to 1024"),
    (GlobalPipelineConfig, "path_planning", [None, {}, VFSConfig()], "a PathPlanningConfig"),
    (GlobalPipelineConfig, "vfs", [None, "zarr"], "a VFSConfig"),
    (GlobalPipelineConfig, "zarr", [None, {"store_name": "a"}], "a ZarrConfig"),
    (GlobalPipelineConfig, "writers", [None, {"table": "csv"}], "a WritersConfig"),
    (WritersConfig, "table", ["", None, 3], "the name of a writer, such as 'csv'"),
    (WritersConfig, "json", ["", None, 3], "the name of a writer, such as 'csv'"),
    (WritersConfig, "image", ["", None, 3], "the name of a writer, such as 'csv'"),
    (GlobalPipelineConfig, "microscope", ["", None, 3], NAME),
    (GlobalPipelineConfig, "use_threading", [0, 1, "yes"], FLAG),
    (GlobalPipelineConfig, "device_fallback", [0, None, "no"], FLAG),
    (
        GlobalPipelineConfig,
        "device",
        ["", 3, "cuda:", ":0", "cuda 0", "cuda:0:1", True],
        "a device such as 'cpu', 'cuda' or 'cuda:0'",
    ),
    (
        GlobalPipelineConfig,
        "memory_limit",
        ["", "many", "-1G", 0, -1, 1.5, True, "0", "0.5", "1..5G", ".", "1e3", "9" * 400],
        "a size such as 16G or 500M",
    ),
    (GlobalPipelineConfig, "executor", ["", None, 3], NAME),
    (GlobalPipelineConfig, "missing", ["wait", None, 3], "one of error, skip-site, skip-well, fill"),
]


def test_every_field_has_values_that_it_refuses():
    named = {(cls, field) for cls, field, _, _ in WRONG}
    classes = (PathPlanningConfig, VFSConfig, ZarrConfig, WritersConfig, GlobalPipelineConfig)
    assert named == {(cls, field.name) for cls in classes for field in attrs.fields(cls)}


@pytest.mark.parametrize(
    ("cls", "field", "value", "allowed"),
    [(cls, field, value, allowed) for cls, field, values, allowed in WRONG for value in values],
)
def test_a_wrong_value_says_what_is_allowed(cls, field, value, allowed):
    with pytest.raises(ConfigError) as caught:
        cls(**{field: value})
    assert str(caught.value) == f"{field}={value!r}: expected {allowed}."


def test_what_the_interface_shows_can_be_written():
    config = GlobalPipelineConfig(
        num_workers=5,
        path_planning=PathPlanningConfig(
            output_dir_suffix="_stitched",
            global_output_folder="/path/to/outputs/",
            materialization_results_path="results",
        ),
        vfs=VFSConfig(intermediate_backend=Backend.MEMORY, materialization_backend=MaterializationBackend.ZARR),
        zarr=ZarrConfig(
            store_name="images.zarr",
            compressor=ZarrCompressor.ZSTD,
            compression_level=1,
            shuffle=True,
            chunk_strategy=ZarrChunkStrategy.SINGLE,
            shards=ZarrShards.IMAGE,
            ome_zarr_version=OmeZarrVersion.V0_5,
            ome_zarr_metadata=True,
            write_plate_metadata=True,
        ),
        microscope=Microscope.AUTO,
        use_threading=None,
        device=None,
        memory_limit=None,
        executor="local",
        missing="error",
    )
    assert config.path_planning.global_output_folder == Path("/path/to/outputs")
    assert config == attrs.evolve(config, microscope="auto", vfs=VFSConfig())
    assert hash(config) == hash(attrs.evolve(config, microscope="auto", vfs=VFSConfig()))


def test_a_name_is_one_text_whether_an_enum_or_not():
    by_enum = VFSConfig(intermediate_backend=Backend.MEMORY, materialization_backend=MaterializationBackend.ZARR)
    by_text = VFSConfig(intermediate_backend="memory", materialization_backend="zarr")
    assert repr(by_enum) == repr(by_text) == repr(VFSConfig())
    assert repr(GlobalPipelineConfig(microscope=Microscope.IMAGEXPRESS)) == repr(
        GlobalPipelineConfig(microscope="imagexpress")
    )


def test_a_configuration_is_frozen():
    with pytest.raises(AttributeError):
        GlobalPipelineConfig().num_workers = 3


@pytest.mark.parametrize(
    ("text", "size"),
    [
        (None, None),
        (1, 1),
        (17, 17),
        ("17", 17),
        ("1K", 1024),
        ("2M", 2 * 1024**2),
        ("16G", 16 * 1024**3),
        ("1.5g", 3 * 2**29),
        (" 2 GiB ", 2**31),
        ("500 MB", 500 * 2**20),
        ("1T", 2**40),
        (".5K", 512),
        ("3B", 3),
        ("2.K", 2048),
    ],
)
def test_sizes(text, size):
    assert bytes_of(text) == size


@given(st.integers(1, 2**60))
def test_a_whole_number_is_its_own_size(number):
    assert bytes_of(number) == number


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("1", (1,)),
        ("1,3-5", (1, 3, 4, 5)),
        (" 2 , 1 ", (2, 1)),
        ("3-3", (3,)),
        ("1,1-2", (1, 2)),
        ([4, 2], (4, 2)),
        ((0,), (0,)),
        ("0", (0,)),
    ],
)
def test_numbers(text, found):
    assert numbers(text) == found


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(0, 9)), min_size=1, max_size=5))
def test_numbers_are_the_union_of_their_spans(spans):
    text = ",".join(f"{first}-{first + length}" for first, length in spans)
    expected = {number for first, length in spans for number in range(first, first + length + 1)}
    found = numbers(text)
    assert set(found) == expected
    assert len(found) == len(expected)


@pytest.mark.parametrize(
    "text",
    ["", ",", "a", "1-", "-1", "1-2-3", "5-3", "1.5", "1-99999999", [1.5], ["a"], [True], None, 3, {1: 2}, "²"],
)
def test_what_are_no_numbers(text):
    with pytest.raises(ConfigError, match="expected numbers such as 1,3-5"):
        numbers(text)


def test_a_selection_is_made_of_plain_values():
    selection = Selection(wells=["A01", 3], channels="DAPI", sites=[2, 2, np.int64(1)], z=range(3), timepoints=(1,))
    assert selection == Selection(wells=("A01", 3), channels=("DAPI",), sites=(2, 1), z=(0, 1, 2), timepoints=(1,))
    assert [type(site) for site in selection.sites] == [int, int]
    assert hash(selection) == hash(
        Selection(wells=("A01", 3), channels=("DAPI",), sites=(2, 1), z=(0, 1, 2), timepoints=(1,))
    )


@pytest.mark.parametrize(
    ("field", "values"),
    [
        ("wells", ["", (), 1.5, True, {"A01"}, ["A01", ""], [None]]),
        ("channels", ["", (), 1.5, [True], {}]),
        ("sites", [(), (0,), (-1,), (1.0,), ("1",), (True,), 1, "1"]),
        ("z", [(), (-1,), ("0",), 0]),
        ("timepoints", [(), (0,), (None,)]),
    ],
)
def test_a_selection_of_nothing_or_of_nonsense_is_refused(field, values):
    for value in values:
        with pytest.raises(ConfigError, match=rf"^{field}=.*: expected .*leave it out for all\)\.$"):
            Selection(**{field: value})


def test_what_another_selection_says_replaces():
    one, other = Selection(wells="A01", sites=(1,)), Selection(sites=(2,), z=(0,))
    assert one.override(other) == Selection(wells="A01", sites=(2,), z=(0,))
    assert one.override(Selection()) == one


# --- Files ------------------------------------------------------------------------------------------------------


@pytest.fixture
def load(tmp_path):
    def run(text):
        path = tmp_path / "config.yaml"
        path.write_text(text, encoding="utf-8")
        return load_config(path)

    return run


def test_a_file_of_every_field(load):
    text = """
num_workers: 3
path_planning: {output_dir_suffix: _done, global_output_folder: out, materialization_results_path: tables}
vfs: {intermediate_backend: memory, materialization_backend: zarr}
zarr:
  store_name: plate.zarr
  compressor: lz4
  compression_level: 5
  shuffle: false
  chunk_strategy: tiled
  shards: none
  ome_zarr_version: 0.4
  ome_zarr_metadata: false
  write_plate_metadata: false
microscope: imagexpress
use_threading: true
device: cuda:1
memory_limit: 2G
executor: local
missing: error
"""
    assert load(text) == GlobalPipelineConfig(
        num_workers=3,
        path_planning=PathPlanningConfig(
            output_dir_suffix="_done", global_output_folder="out", materialization_results_path="tables"
        ),
        vfs=VFSConfig(intermediate_backend="memory", materialization_backend="zarr"),
        zarr=ZarrConfig(
            store_name="plate.zarr", compressor="lz4", compression_level=5, shuffle=False, chunk_strategy="tiled",
            shards="none", ome_zarr_version="0.4", ome_zarr_metadata=False, write_plate_metadata=False,
        ),
        microscope="imagexpress",
        use_threading=True,
        device="cuda:1",
        memory_limit=2 * 2**30,
    )  # fmt: skip


@pytest.mark.parametrize(
    "text", ["", "# nothing\n", "zarr:\n", "{}\n", "num_workers: ~\nvfs:\n  # intermediate_backend: memory\n"]
)
def test_what_a_file_does_not_say_is_the_default(load, text):
    assert load(text) == GlobalPipelineConfig()


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("num_wrokers: 3\n", 1, "unknown key 'num_wrokers'. Did you mean 'num_workers'?"),
        ("num_workers: 3\nzarr:\n  stor_name: a\n", 3, "unknown key 'zarr.stor_name'. Did you mean 'store_name'?"),
        (
            "zarr:\n  shuffle: true\n  compression_level: 12\n",
            3,
            "compression_level=12: expected a whole number from 0 to 9",
        ),
        ("num_workers: 1\nmemory_limit: lots\n", 2, "memory_limit='lots': expected a size"),
        ("path_planning:\n  global_output_folder: 3\n", 2, "global_output_folder=3: expected the path of a folder"),
        ("zarr: plate.zarr\n", 1, "expected a mapping with store_name"),
        ("- 1\n", 1, "expected a mapping with num_workers"),
        ("num_workers: 1\nnum_workers: 2\n", 2, "the key 'num_workers' stands here twice"),
        ("num_workers: [\n", 2, "this is not YAML"),
        (
            "zarr:\n  ome_zarr_version: 0.4\n  shards: image\n",
            3,
            "shards='image': expected none, because OME-Zarr 0.4 has no shards; write 0.5 to have them.",
        ),
        ("\nmissing: wait\n", 2, "missing='wait': expected one of error"),
    ],
)
def test_what_is_wrong_in_a_file_is_said_with_its_line(load, text, line, words):
    with pytest.raises(ConfigError) as caught:
        load(text)
    assert f"config.yaml, line {line}: " in str(caught.value)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(ConfigError, match="does not exist"):
        load_config(tmp_path / "absent.yaml")


def test_infinite_sizes_are_refused():
    with pytest.raises(ConfigError):
        bytes_of(math.inf)
