"""Image operations on PyTorch tensors for hcs_core."""
