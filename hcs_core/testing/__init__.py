"""For tests, of the core and of every plugin: builders and fakes."""
