"""FETCHES weights: download, cache, readers per file format, checked assignment."""
