"""The compiler: the frozen plan, and the passes that make it."""
