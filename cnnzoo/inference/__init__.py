"""PREDICTS with networks: images in, labels out."""
