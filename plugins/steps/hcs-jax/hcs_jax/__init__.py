"""Image operations on JAX arrays for hcs_core."""
