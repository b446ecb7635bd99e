"""What the image operations of hcs_core are: signatures, estimates, and kernels for any array library."""
