"""RUNS networks: a Keras model as a fast function on NumPy arrays."""
