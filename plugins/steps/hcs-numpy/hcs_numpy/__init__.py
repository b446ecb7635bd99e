"""Image operations on numpy arrays for hcs_core."""
