"""The picture of the README: what each gamma leaves of the loss.

Run from this folder: python loss_curve.py [FILE]
"""

import sys

import matplotlib.pyplot as plt

from focalcore.plot import LossCurveDisplay

GAMMAS = (0, 0.5, 1, 2, 5)  # those of the paper's Figure 1


def main():
    """Draw the picture into the file that is named."""
    display = LossCurveDisplay.from_gammas(GAMMAS)
    display.figure_.set_size_inches(7.5, 4.2)
    display.figure_.savefig(
        sys.argv[1] if len(sys.argv) > 1 else "loss-curve.png", dpi=120, bbox_inches="tight"
    )
    plt.close(display.figure_)


if __name__ == "__main__":
    main()
