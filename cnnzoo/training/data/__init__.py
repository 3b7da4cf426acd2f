"""Readers of datasets, one per form, and the one look at every picture before training."""
