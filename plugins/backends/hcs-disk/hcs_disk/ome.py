"""The OME-XML of a plane's file: OME model 2016-06, one image of one plane.

The file speaks of itself only (SizeZ, SizeC and SizeT are 1): it stays right when it is copied away from the others,
and no reader looks for files that are not there. Where it stood in the stack is in its name, in `PositionZ` and in
`DeltaT`. See https://docs.openmicroscopy.org/ome-model/ and its schema.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from typing import Final

from hcs_core import MOSAIC, ImageLayout, PlaneAddress, StoreLayout, parse_well
from hcs_disk.places import plane_name

NAMESPACE = "http://www.openmicroscopy.org/Schemas/OME/2016-06"
_DECLARATION = b'<?xml version="1.0" encoding="UTF-8"?>'
_END = b"</OME>"

PIXEL_TYPES: Final = {
    "bool": "bit",
    "uint8": "uint8",
    "uint16": "uint16",
    "uint32": "uint32",
    "int8": "int8",
    "int16": "int16",
    "int32": "int32",
    "float32": "float",
    "float64": "double",
}
"""OME's names of the dtypes that it has."""

_ROOM_FOR_POSITION = 128
"""Bytes that are kept free for a stage position, which is known only when the well is finished."""

_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

Position = tuple[float, float]
"""(y, x) of a field's centre from the well's centre, in um, y down."""


def ome_xml(
    layout: StoreLayout, image: ImageLayout, well: str, address: PlaneAddress, position: Position | None = None
) -> bytes:
    """Return the OME-XML of a plane, in ASCII; it has the same length with and without a position.

    Parameters
    ----------
    layout
        The layout of the store; `plate_metadata` says whether plate and well are named.
    image
        That of the image that the plane is of.
    well
        The well's name.
    address
        The plane's place in it.
    position
        The field's centre; `None` where it is not known (yet).
    """
    unplaced = _document(layout, image, well, address, None)
    length = len(unplaced) + _ROOM_FOR_POSITION
    text = unplaced if position is None else _document(layout, image, well, address, position)
    # Within the document, as tifffile takes a text for OME-XML only if it ends with the root's end.
    return text.removesuffix(_END) + b" " * (length - len(text)) + _END


def image_xml(
    name: str, shape: tuple[int, ...], dtype: str, pixel_size_um: float | None, channel: str
) -> bytes | None:
    """Return the OME-XML of a (y, x) image on its own, in ASCII; `None` for a dtype that OME does not have."""
    if dtype not in PIXEL_TYPES:
        return None
    root = ET.Element("OME", {"xmlns": NAMESPACE, "Creator": "hcs-disk"})
    image = ET.SubElement(root, "Image", {"ID": "Image:0", "Name": _clean(name)})
    pixels = ET.SubElement(image, "Pixels", _plane_pixels(shape, dtype) | _sizes(X=pixel_size_um, Y=pixel_size_um))
    named = {"Name": _clean(channel)} if channel else {}
    ET.SubElement(pixels, "Channel", {"ID": "Channel:0:0", **named, "SamplesPerPixel": "1"})
    ET.SubElement(pixels, "TiffData", {"IFD": "0", "PlaneCount": "1"})
    return _DECLARATION + ET.tostring(root)


def _document(
    layout: StoreLayout, image: ImageLayout, well: str, address: PlaneAddress, position: Position | None
) -> bytes:
    root = ET.Element("OME", {"xmlns": NAMESPACE, "Creator": "hcs-disk"})
    if layout.plate_metadata:
        _add_plate(root, layout, well, address)
    name = plane_name(well, address).removesuffix(".ome.tif")
    element = ET.SubElement(root, "Image", {"ID": "Image:0", "Name": name})
    pixels = ET.SubElement(element, "Pixels", _pixels(image))
    channel = image.channels[address.c]
    ET.SubElement(
        pixels,
        "Channel",
        {
            "ID": "Channel:0:0",
            "Name": _clean(channel.name),
            "Color": str(_colour(channel.colour)),
            "SamplesPerPixel": "1",
        },
    )
    ET.SubElement(pixels, "TiffData", {"IFD": "0", "PlaneCount": "1"})
    ET.SubElement(pixels, "Plane", _plane(image, address, position))
    return _DECLARATION + ET.tostring(root)


def _add_plate(root: ET.Element, layout: StoreLayout, well: str, address: PlaneAddress) -> None:
    row, column = parse_well(well)
    rows, columns = layout.plate_format
    plate = ET.SubElement(
        root,
        "Plate",
        {
            "ID": "Plate:0",
            "Name": _clean(layout.plate_name),
            "Rows": str(rows),
            "Columns": str(columns),
            "RowNamingConvention": "letter",
            "ColumnNamingConvention": "number",
        },
    )
    place = ET.SubElement(plate, "Well", {"ID": "Well:0", "Row": str(row), "Column": str(column)})
    # A mosaic comes after the well's sites.
    index = layout.field_count - 1 if address.site == MOSAIC else address.site - 1
    sample = ET.SubElement(place, "WellSample", {"ID": "WellSample:0", "Index": str(index)})
    ET.SubElement(sample, "ImageRef", {"ID": "Image:0"})


def _pixels(image: ImageLayout) -> dict[str, str]:
    size = image.pixel_size_um
    known = _plane_pixels(image.shape[3:], image.dtype) | _sizes(X=size, Y=size, Z=image.z_step_um)
    if image.time_step_s is not None:
        known |= {"TimeIncrement": _number(image.time_step_s), "TimeIncrementUnit": "s"}
    return known


def _plane_pixels(shape: tuple[int, ...], dtype: str) -> dict[str, str]:
    height, width = shape
    return {
        "ID": "Pixels:0",
        "DimensionOrder": "XYCZT",
        "Type": PIXEL_TYPES[dtype],
        "BigEndian": "false",
        "SizeX": str(width),
        "SizeY": str(height),
        "SizeC": "1",
        "SizeZ": "1",
        "SizeT": "1",
    }


def _sizes(**along: float | None) -> dict[str, str]:
    """Return the side of a pixel along each axis, in um; none where it is not known."""
    known: dict[str, str] = {}
    for axis, value in along.items():
        if value is not None:
            known |= {f"PhysicalSize{axis}": _number(value), f"PhysicalSize{axis}Unit": "µm"}
    return known


def _plane(image: ImageLayout, address: PlaneAddress, position: Position | None) -> dict[str, str]:
    known = {"TheC": "0", "TheZ": "0", "TheT": "0"}
    if image.time_step_s is not None:
        known |= {"DeltaT": _number(address.t * image.time_step_s), "DeltaTUnit": "s"}
    if position is not None:
        y, x = position
        known |= {"PositionX": _number(x), "PositionXUnit": "µm", "PositionY": _number(y), "PositionYUnit": "µm"}
    if image.z_step_um is not None:
        known |= {"PositionZ": _number(address.z * image.z_step_um), "PositionZUnit": "µm"}
    return known


def _number(value: float) -> str:
    """Return at most 17 characters: ten digits are less than a nanometre of any stage."""
    return format(value, ".10g")


def _colour(rgb: str) -> int:
    """Return OME's colour: RGBA as a signed integer of 32 bits."""
    return int.from_bytes(bytes.fromhex(f"{rgb}FF"), "big", signed=True)


def _clean(text: str) -> str:
    """Return a text with a mark in place of each character that XML cannot hold."""
    return _NOT_XML.sub("\N{REPLACEMENT CHARACTER}", text)
