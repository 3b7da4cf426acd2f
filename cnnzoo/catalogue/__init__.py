"""KNOWS what exists: networks, weights, preprocessing, facts. Standard library only."""
