"""A plugin for hooks that are not here yet."""

hcs_api = 99
