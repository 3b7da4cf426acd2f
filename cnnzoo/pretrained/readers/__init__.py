"""Weight files as tensors by name: one module per format, nothing read before it is asked for."""
