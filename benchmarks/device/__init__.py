"""A device: the bits it gives, and the time and memory it takes."""
