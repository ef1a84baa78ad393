"""The losses, one file for each, and what they have in common: operands, options, reduction."""
