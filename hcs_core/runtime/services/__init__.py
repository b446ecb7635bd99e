"""What a plate offers beside pipelines: workspace, patterns, positions and mosaics."""
