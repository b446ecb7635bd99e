"""Reading TIFF planes for hcs_core."""
