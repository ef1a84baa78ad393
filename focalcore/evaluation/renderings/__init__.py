"""A report as it is shown: in the terminal, as JSON, as a page."""
