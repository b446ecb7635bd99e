"""Names and texts that lie about on disks: no parser may stumble over one."""

from __future__ import annotations

NO_IMAGES = (
    "", ".", "..", "/", "Thumbs.db", ".DS_Store", "desktop.ini", "notes.txt", "results.csv", "README.md",
    "plate.xml", "experiment.json", "macro.ijm", "backup.zip",
)  # fmt: skip
"""Names that are no image's in any microscope's grammar."""

NAMES = (
    *NO_IMAGES,
    "a" * 5_000,
    "_A01" * 500 + ".tif",
    "A01" * 500 + ".png",
    "A01_s1_w1_z1_t1.tif",
    "r01c01f01p01-ch1sk1fk1fl1.tiff",
    "../../etc/passwd",
    "C:\\plate\\A01.tif",
    "folder//A01.tif",
    "A01\0.tif",
    "A01\n.tif",
    "A٠١.tif",  # noqa: RUF001 - digits of another script are the point
    "Ａ０１.tif",  # noqa: RUF001 - as are wide ones
    "板_A01.tif",
    "re\u0301sume\u0301_A01.tif",
    "\ud800_A01.tif",
    "A01_s99999999999999999999.tif",
    "A01_s-1.tif",
    "A01_s1.5.tif",
    "A00_s0_w0.tif",
    "ZZ99_s1.tif",
    "%s%d{0}{well}.tif",
    "(((((A01[.tif",
)
"""Names of any kind: empty, endless, with other scripts' digits, broken, and of other microscopes."""

HEADERS = (
    "",
    " \n\t",
    "\0" * 40,
    "garbage",
    "<",
    "<?xml version='1.0'?>",
    "<?xml version='1.0' encoding='utf-16'?><a/>",
    "<MetaData><prop id=",
    "<OME><Image><Pixels SizeX='many' PhysicalSizeX='wide' PhysicalSizeXUnit='parsec'/></Image></OME>",
    "<a>" * 200,
    "<!DOCTYPE a [<!ENTITY b 'b'>]><a>&b;&c;</a>",
    "{",
    "{}",
    "[]",
    "null",
    "NaN",
    '{"shape": [1, 2',
    "key = value\nkey = other\n= \n",
    "ImageJ=1.53\nimages=x\nspacing=nan\n",
    "\ud800\ufffe板",
    "9" * 5_000,
    "-1e999 inf nan 0x",
    "A" * 100_000,
)
"""Texts of any kind beside pixels: none, broken XML and JSON, numbers that are none, other programs' texts."""
