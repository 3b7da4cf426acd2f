"""Pages and parts of pages that the site makes from what the package knows."""
