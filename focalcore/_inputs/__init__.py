"""What the caller gave: options, arrays and their home, shapes, labels, and what is bad in them."""
