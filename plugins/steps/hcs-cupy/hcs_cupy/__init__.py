"""Image operations on CuPy arrays for hcs_core."""
