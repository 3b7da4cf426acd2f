"""TEACHES networks: datasets, fine-tuning, reports."""
