"""What a plugin is: specs, events, hook specs, registry, discovery, manager."""
