"""SAYS it on the command line: one file per verb, each thin."""
