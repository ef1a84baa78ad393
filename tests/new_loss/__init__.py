"""A loss of its own, as somebody adds one: a formula, a loss and a function."""
