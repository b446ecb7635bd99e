"""Storage: the `StorageBackend` protocol, the layout of a store, addresses of planes."""
