"""Measuring what kernels, conversions and libraries cost on this machine."""
