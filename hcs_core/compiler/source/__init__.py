"""What a plate gives to the pipelines of a run: its images, the wells and their shapes, and what sites lack."""
