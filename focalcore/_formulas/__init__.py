"""The mathematics of the losses, written with functions of the array API standard alone.

Each formula is a class. Its constructor computes what the value, the slope (first derivative) and
the curvature (second derivative) share, and a method returns each of them. `focal` holds the
product rule that all formulas follow; `sigmoid`, `softmax` and `probability` say what the two
factors are.
"""
