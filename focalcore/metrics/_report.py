"""A report on one set of predictions, as text or as a dict."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from .._typing import ArrayLike
from ..evaluation import Report
from .predictions import read_predictions


def focal_report(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    *,
    gamma: float | Sequence[float] = 2.0,
    alpha: float | Sequence[float] | None = None,
    labels: ArrayLike | None = None,
    target_names: Sequence[str] | None = None,
    sample_weight: ArrayLike | None = None,
    from_logits: bool = False,
    digits: int = 4,
    output_dict: bool = False,
) -> str | dict[str, Any]:
    """Losses by class, as text, in the manner of scikit-learn's ``classification_report``.

    For each gamma it has the mean loss of each class and its share of the loss, the mean of all,
    the log loss of the posterior, by which several gammas compare, and the share that the hardest
    rows carry.

    Parameters
    ----------
    y_true : array of shape (n,) or (n, n_classes)
        The labels: numbers, bool, or text; or a row of 0 and 1, of classes that are independent.
    y_pred : array of shape (n,), (n, 1) or (n, n_classes), of any library
        Probabilities, of the second of two classes, or of all classes in the order of their sorted
        labels or of the columns of `y_true`. With `from_logits` the scores before the sigmoid or
        the softmax.
    gamma : float or sequence of float, default 2.0
        The focusing parameters, >= 0, each of which is reported.
    alpha : float or sequence of float, optional
        The class balance: in [0, 1], the second of two classes weighs alpha, the first 1 - alpha;
        or, where `y_pred` has a column for each class, a weight of each.
    labels : array, optional
        All classes, if `y_true` may lack some. None: those of `y_true`.
    target_names : sequence of str, optional
        What the classes are called, in the order of their sorted labels.
    sample_weight : array of shape (n,), optional
        What each row weighs, >= 0.
    from_logits : bool, default False
        Whether `y_pred` holds logits.
    digits : int, default 4
        Decimals in the text.
    output_dict : bool, default False
        Whether to return a dict in place of text.

    Returns
    -------
    str or dict
        The text, or what `focalcore.evaluation.Report.to_dict` gives.

    Raises
    ------
    TypeError, ValueError
        As for `focal_loss`; names that are not as many as the classes; rows of 0 and 1 that are all
        one-hot, of which nothing tells whether classes are independent.

    See Also
    --------
    focalcore.evaluation.FocalReport : The same for batches, and for several places.

    References
    ----------
    Lin et al., "Focal loss for dense object detection", ICCV 2017.

    Examples
    --------
    >>> from focalcore.metrics import focal_report
    >>> y_pred = [[0.1, 0.9], [0.9, 0.1], [0.8, 0.2], [0.35, 0.65]]
    >>> print(focal_report(["spam", "ham", "ham", "spam"], y_pred))
    gamma 2        count  focal loss  share
    <BLANKLINE>
    ham                2      0.0050    16%
    spam               2      0.0269    84%
    <BLANKLINE>
    all                4      0.0160   100%
    hardest 20%                         66%
    log loss           4      0.0509
    <BLANKLINE>
    """
    given = read_predictions(y_true, y_pred, labels, target_names, sample_weight, from_logits)
    computed = given.report(gamma, alpha).compute()
    return computed.to_dict() if output_dict else "\n".join(_lines(computed, digits))


def _lines(report: Report, digits: int) -> Iterator[str]:
    """Yield the lines of a report: a table for each gamma."""
    classes = report.losses[0].classes
    width = max(len("hardest 20%"), *(len(c.name) for c in classes))
    total = sum(c.count for c in classes)
    counted = "positives" if report.task == "multi-label" else "count"
    of_counts = max(len(counted), 7)

    def line(name: str, count: Any = "", loss: Any = "", share: Any = "") -> str:
        loss = f"{loss:.{digits}f}" if isinstance(loss, float) else loss or ""
        share = f"{share:.0%}" if isinstance(share, float) else share or ""
        count = f"{count:,}" if isinstance(count, int) else count
        return f"{name:<{width}}  {count:>{of_counts}}  {loss:>10}  {share:>5}".rstrip()

    for score in report.losses:
        yield line(f"gamma {score.gamma:g}", counted, "focal loss", "share")
        yield ""
        for own in score.classes:
            yield line(own.name, own.count, own.focal_loss, own.share)
        yield ""
        yield line("all", total, score.focal_loss, 1.0)
        yield line("hardest 20%", share=score.hardest["20%"])
        yield line("log loss", total, score.log_loss)
        yield ""
