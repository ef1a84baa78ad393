"""Proof that every library and device gives the same, exact numbers.

`exact` is focal loss by its definition, in 60-digit arithmetic. `targets` are the libraries and
devices. `tolerances` is the one table of what an implementation may be off by.
"""
