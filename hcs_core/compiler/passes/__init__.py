"""The five passes, and what each asks: devices, memory, names of stores, writers."""
