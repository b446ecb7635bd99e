"""Pipelines: steps and function patterns, the configuration, and the files that hold them."""
