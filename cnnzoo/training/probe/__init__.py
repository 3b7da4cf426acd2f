"""PROBES networks: vectors of their features once, kept on disk, then a head in seconds."""
