"""Make the predictions that examples/ ships: logistic regressions on handwritten digits.

The data is the test set of the UCI hand-written digits (E. Alpaydin and C. Kaynak, 1998,
https://doi.org/10.24432/C50P49), in the copy that scikit-learn bundles: 1797 images of 8 x 8
pixels. Half of them train, half are predicted. Needs scikit-learn; run it again with

    python examples/make_digits.py
"""

from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split

FOLDER = Path(__file__).parent


def main() -> None:
    """Write digits-{multiclass,multilabel,binary}.npz and digits-binary.csv."""
    pixels, digits = load_digits(return_X_y=True)
    train, test, y_train, y_test = train_test_split(
        pixels / 16, digits, test_size=0.5, random_state=0, stratify=digits
    )

    def logits(labels: np.ndarray) -> np.ndarray:
        model = LogisticRegression(max_iter=1000).fit(train, labels)
        return model.decision_function(test).astype(np.float32)

    save("multiclass", logits(y_train), y_test.astype(np.int64))
    # ten labels that may go together: the digit, one against the rest, imbalanced 1 to 9
    one_hot = np.eye(10, dtype=np.int8)
    against_rest = [logits(y_train == digit) for digit in range(10)]
    save("multilabel", np.stack(against_rest, axis=1), one_hot[y_test])
    save("binary", against_rest[8], one_hot[y_test][:, 8])
    table = np.stack([against_rest[8], one_hot[y_test][:, 8]], axis=1)
    np.savetxt(
        FOLDER / "digits-binary.csv",
        table,
        fmt=["%.9g", "%d"],
        delimiter=",",
        header="logit,target",
        comments="",
    )


def save(name: str, logits: np.ndarray, targets: np.ndarray) -> None:
    """Write a file of predictions."""
    np.savez(FOLDER / f"digits-{name}.npz", logits=logits, targets=targets)


if __name__ == "__main__":
    main()
