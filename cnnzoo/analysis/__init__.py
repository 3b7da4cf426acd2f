"""MEASURES networks: parameters, MACs, depth, tables."""
