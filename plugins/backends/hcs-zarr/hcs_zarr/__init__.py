"""OME-Zarr plates written for hcs_core."""
