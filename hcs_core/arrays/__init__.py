"""Arrays: memory types, conversion between them, the one dtype policy, and `step_function`."""
