"""Kernels for the host: loops over vectors, compiled to machine code, called with pointers."""
