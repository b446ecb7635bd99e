"""The plate: components and well names, the inventory, microscope handlers and readers, detection."""
