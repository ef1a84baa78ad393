"""The mathematics, in the array API and nothing else.

Each formula is a class: built from arrays, it works out what value, slope and curvature share, and
gives each of the three by a method. `focal` holds the product rule that all of them are instances
of; `sigmoid`, `softmax` and `probability` say what the two factors are.
"""
