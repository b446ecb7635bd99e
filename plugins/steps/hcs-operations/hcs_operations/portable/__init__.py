"""Kernels written once against the array API, for any array library that follows it."""
