"""What a signature says of artifacts: names, kinds and keywords that can be."""

import pytest

from hcs_core import ArtifactKind, Made, Parameter, Signature, Taken, WriterSpec

SPOTS = Made(name="spots", kind="table")


@pytest.mark.parametrize("name", ["", "a b", "a/b", "a.b", "1a", "µ", None, "wells", "planes"])
def test_a_name_that_could_be_no_file_or_is_one_of_the_run_s_is_refused(name):
    with pytest.raises(ValueError, match="name="):
        Made(name=name, kind="table")


@pytest.mark.parametrize("kind", ["tables", "", None, "labels"])
def test_a_kind_is_one_of_three(kind):
    with pytest.raises(ValueError, match="expected one of table, json, image"):
        Made(name="spots", kind=kind)
    with pytest.raises(ValueError, match="expected one of table, json, image"):
        Taken(keyword="spots", kind=kind)


@pytest.mark.parametrize("keyword", ["", "a b", "a.b", None])
def test_a_keyword_is_one_of_python_s(keyword):
    with pytest.raises(ValueError, match="keyword="):
        Taken(keyword=keyword, kind="table")


def test_what_is_taken_is_called_as_the_keyword_unless_another_name_is_given():
    assert Taken(keyword="spots", kind="table").default == "spots"
    assert Taken(keyword="mask", kind="image", name="nuclei").default == "nuclei"
    assert Taken(keyword="mask", kind="image").kind == ArtifactKind.IMAGE


def test_a_signature_without_an_image_makes_artifacts_and_passes_its_image_on():
    signature = Signature(axes="zyx", out="", makes=(SPOTS,))
    assert signature.passes_on
    assert signature.reduced == frozenset()
    assert not Signature(axes="zyx", out="yx", makes=(SPOTS,)).passes_on


@pytest.mark.parametrize(
    ("fields", "word"),
    [
        ({"out": ""}, "makes is too"),
        ({"out": "", "makes": (SPOTS,), "out_dtype": "uint8"}, "without an image"),
        ({"makes": (SPOTS, SPOTS)}, "spots more than once"),
        ({"makes": [SPOTS]}, "a tuple of Made"),
        ({"makes": ("spots",)}, "a tuple of Made"),
        ({"takes": (Taken(keyword="a", kind="json"),) * 2}, "a more than once"),
        ({"takes": (Taken(keyword="sigma", kind="json"),)}, "sigma, which has another meaning"),
        ({"takes": (Taken(keyword="context", kind="json"),)}, "context, which has another meaning"),
        ({"takes": (Taken(keyword="save", kind="json"),)}, "save, which has another meaning"),
        ({"context": True, "parameters": (Parameter(name="context", kind="str", default=""),)}, "context"),
        ({"context": 1}, "context"),
    ],
)
def test_what_no_runtime_could_do_is_refused(fields, word):
    parameters = (Parameter(name="sigma", kind="float", default=1.0),)
    with pytest.raises((ValueError, TypeError), match=word):
        Signature(**{"axes": "yx", "out": "yx", "parameters": parameters, **fields})


def test_a_writer_says_what_it_writes():
    with pytest.raises(ValueError, match="kind="):
        WriterSpec(name="csv", kind="", target="a:b", suffix=".csv")
