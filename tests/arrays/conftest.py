"""Settings of the property tests."""

from hypothesis import settings

settings.register_profile("rooms", deadline=None, max_examples=60, database=None)
settings.load_profile("rooms")
