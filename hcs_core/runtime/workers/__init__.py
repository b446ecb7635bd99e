"""The local executor, and the processes that it starts."""
