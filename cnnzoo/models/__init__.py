"""IS what networks are made of: tensor functions on `keras`, one file per family."""
