"""Stitchers for hcs_core: what places the fields of a well, and fuses them into one image."""
