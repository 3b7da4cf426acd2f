"""Latency and memory, measured on this machine: planned, timed in turn, kept with the machine."""
