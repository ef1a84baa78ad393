"""Coming from another library: what to write here gives its value and its gradient.

Each row of docs/migration.md is run: what is written here against the other's published formula,
which stands below, and against the other package itself where it is installed.
"""

import importlib
import importlib.util
import sys
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest

torch = pytest.importorskip("torch", reason="torch is not installed")

import focalcore  # noqa: E402

from .pages import ROOT  # noqa: E402
from .programs import require  # noqa: E402

one_hot = torch.nn.functional.one_hot

PAGE = (ROOT / "docs" / "migration.md").read_text()
C = 3
draw = torch.Generator().manual_seed(5)


def rows_of(text):
    """The rows of a table: what is written there, what is written here, what differs."""
    lines = [line for line in text.splitlines() if line.startswith("| ") and "`" in line]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def inputs(*behind):
    """What the letters of the page stand for, with such axes behind that of the classes.

    k are labels or -1, s soft labels, v weights of the classes.
    """
    shape = (6, *behind)
    x = 2 * torch.randn(6, C, *behind, generator=draw, dtype=torch.float64)
    t = torch.randint(0, C, shape, generator=draw)
    m = torch.randint(0, C, shape, generator=draw)
    m[::4] = 255
    return {
        "x": x,
        "y": torch.randint(0, 2, x.shape, generator=draw).double(),
        "t": t,
        "one_hot": one_hot(t, C).movedim(-1, 1).double(),
        "b": torch.randint(0, C + 1, shape, generator=draw),
        "m": m,
        "w": torch.rand(6, generator=draw, dtype=torch.float64),
        "n": 7.0,
        "k": torch.randint(-1, C, shape, generator=draw),
        "s": torch.rand(x.shape, generator=draw, dtype=torch.float64),
        "v": torch.tensor([0.5, 0.25, 1.5], dtype=torch.float64),
        "gamma": 2.0,
        **beside(shape),
    }


def beside(shape):
    """What the letters of the losses beside the focal loss stand for, besides."""
    own = torch.Generator().manual_seed(6)
    heatmap = torch.rand(shape[0], C, *shape[1:], generator=own, dtype=torch.float64)
    return {
        "q": 0.1 + 0.9 * torch.rand(shape[0], generator=own, dtype=torch.float64),
        "g": torch.where(heatmap > 0.7, 1.0, heatmap),
        "d": (C - 1) * torch.rand(shape[0], generator=own, dtype=torch.float64),
    }


def lin(p, y, alpha=None, gamma=2.0):
    """The paper's formula, of probabilities and labels that are 0, 1 or between."""
    p_t = p * y + (1 - p) * (1 - y)
    alpha_t = 1 if alpha is None else alpha * y + (1 - alpha) * (1 - y)
    return alpha_t * (1 - p_t) ** gamma * -(y * p.log() + (1 - y) * (1 - p).log())


def one_of(p, t, gamma=2.0):
    """The paper's formula of the probability that a row gives its class."""
    p_t = p.gather(1, t[:, None])[:, 0]
    return (1 - p_t) ** gamma * -p_t.log()


def hot(b):
    """The row of each class label, which is 0 for background."""
    return one_hot(b, C + 1)[..., :C].movedim(-1, 1)


INPUTS = {  # of each section of the page
    "Detection": inputs(),
    "Segmentation": inputs(4, 5),
    "Frameworks": inputs(),
    "A modulating factor": inputs(),
    "Beside the focal loss": inputs(),
}
INPUTS["Beside the focal loss"]["h"] = hot(INPUTS["Beside the focal loss"]["b"])


def star(x, y, gamma=2):
    """FL*, equation 6 of the paper's appendix, where beta is 0."""
    return -torch.nn.functional.logsigmoid(gamma * x * (2 * y - 1)) / gamma


def one_vs_rest(x, m):
    """The mean over the classes of their means over the pixels that are not 255."""
    means = [lin(x.sigmoid()[:, c][m != 255], (m[m != 255] == c) * 1.0).mean() for c in range(C)]
    return torch.stack(means).mean()


def with_constant_factor(p, y):
    """The formula where the modulating factor is a number, as to derivatives."""
    p_t = p * y + (1 - p) * (1 - y)
    return (1 - p_t.detach()) ** 2 * -p_t.log()


def asl(x, y, holds):
    """ASL's code, with its defaults."""
    p = x.sigmoid()
    q = (1 - p + 0.05).clamp(max=1)
    p_t, gamma = p * y + q * (1 - y), 1 * y + 4 * (1 - y)
    weight = (1 - p_t.detach() if holds else 1 - p_t) ** gamma
    return -((y * p.log() + (1 - y) * q.log()) * weight).sum()


def asl_single_label(x, t):
    """ASL's code for single labels, with its defaults."""
    log_p, rows = x.log_softmax(1), one_hot(t, C).to(x)
    p = log_p.exp()
    weight = (1 - p * rows - (1 - p) * (1 - rows)) ** (0 * rows + 4 * (1 - rows))
    return -((0.9 * rows + 0.1 / C) * log_p * weight).sum(1).mean()


def qfl(x, b, q):
    """mmdet's code: all logits as negatives, then those of the labels."""
    p, rows = x.sigmoid(), torch.nonzero(b < C).squeeze(1)
    loss = bce(x, torch.zeros_like(x)) * p**2
    score, at = q[rows], (rows, b[rows])
    return loss.index_put(at, bce(x[at], score) * (score - p[at]).abs() ** 2).sum(1).mean()


def vfl(x, s, *, holds=False):
    """The code of mmdet, and of ultralytics and RT-DETR where positives have scores above 0."""
    p = x.sigmoid().detach() if holds else x.sigmoid()
    weight = s * (s > 0) + 0.75 * (p - s).abs() ** 2 * (s <= 0)
    return bce(x, s) * weight


def of_peaks(x, g):
    """CenterNet's code, of each element."""
    p, is_peak = x.sigmoid(), g.eq(1)
    far = (1 - g) ** 4 * p**2 * (1 - p).log()
    return -torch.where(is_peak, (1 - p) ** 2 * p.log(), far)


def dfl(x, d):
    """The cross-entropy of the bins on either side."""
    ce, left = torch.nn.functional.cross_entropy, d.long()
    lower, upper = (ce(x, bins, reduction="none") for bins in (left, left + 1))
    return lower * (left + 1 - d) + upper * (d - left)


def poly1(x, y):
    """PolyLoss' code."""
    p_t = x.sigmoid() * y + (1 - x.sigmoid()) * (1 - y)
    return lin(x.sigmoid(), y) + (1 - p_t) ** 3


def cost_class(x, t):
    """The code of Deformable DETR's matcher, without what is added to the probabilities."""
    p = x.sigmoid()
    positive, negative = 0.25 * (1 - p) ** 2 * -p.log(), 0.75 * p**2 * -(1 - p).log()
    return positive[:, t] - negative[:, t]


# what each of the others computes, by its published formula
FORMULAS = {
    "torchvision `sigmoid_focal_loss(x, y)`": lambda x, y, **_: lin(x.sigmoid(), y, 0.25),
    "fvcore `sigmoid_focal_loss(x, y)`": lambda x, y, **_: lin(x.sigmoid(), y),
    "fvcore `sigmoid_focal_loss_star(x, y, gamma=2)`": lambda x, y, **_: star(x, y),
    "detectron2 RetinaNet `loss_cls`": lambda x, b, n, **_: (
        lin(x.sigmoid()[b >= 0], hot(b)[b >= 0], 0.25).sum() / n
    ),
    'mmcv `sigmoid_focal_loss(x, b, 2.0, 0.25, None, "mean")`': lambda x, b, **_: (
        lin(x.sigmoid(), hot(b), 0.25).sum() / len(x)
    ),
    'mmcv `softmax_focal_loss(x, t, 2.0, 0.25, None, "mean")`': lambda x, t, **_: (
        0.25 * one_of(x.softmax(1), t).sum() / len(x)
    ),
    "mmdet `FocalLoss()(x, b)`": lambda x, b, **_: lin(x.sigmoid(), hot(b), 0.25).mean(),
    "mmdet `FocalLoss(loss_weight=2)(x, b, w, avg_factor=n)`": lambda x, b, w, n, **_: (
        2 * (lin(x.sigmoid(), hot(b), 0.25) * w[:, None]).sum() / n
    ),
    "DETR `sigmoid_focal_loss(x, y, n)`": lambda x, y, n, **_: (
        lin(x.sigmoid(), y, 0.25).mean(1).sum() / n
    ),
    "Deformable DETR `loss_labels`": lambda x, b, n, **_: (
        lin(x.sigmoid(), hot(b), 0.25).mean(1).sum() / n * x.shape[1]
    ),
    "ultralytics `FocalLoss()(x, y)`": lambda x, y, **_: (
        lin(x.sigmoid(), y, 0.25, 1.5).mean(1).sum()
    ),
    "yolov5 `FocalLoss(BCEWithLogitsLoss())(x, y)`": lambda x, y, **_: lin(
        x.sigmoid(), y, 0.25, 1.5
    ).mean(),
    'kornia `focal_loss(x, t, alpha=None, reduction="mean")`': lambda x, t, **_: (
        one_of(x.softmax(1), t).mean() / C
    ),
    'kornia `binary_focal_loss_with_logits(x, y, reduction="mean")`': lambda x, y, **_: lin(
        x.sigmoid(), y, 0.25
    ).mean(),
    "MONAI `FocalLoss()(x, y)`": lambda x, y, **_: lin(x.sigmoid(), y).mean(),
    "MONAI `FocalLoss(to_onehot_y=True, use_softmax=True)(x, t[:, None])`": lambda x, t, **_: (
        one_of(x.softmax(1), t).mean() / C
    ),
    "MONAI `FocalLoss(to_onehot_y=True, use_softmax=True, ignore_index=255)(x, m[:, None])`": (
        lambda x, m, **_: one_of(x.softmax(1), m * (m != 255))[m != 255].mean()
    ),
    'segmentation-models-pytorch `FocalLoss("binary")(x, y)`': lambda x, y, **_: lin(
        x.sigmoid(), y
    ).mean(),
    'segmentation-models-pytorch `FocalLoss("multiclass", ignore_index=255)(x, m)`': (
        lambda x, m, **_: one_vs_rest(x, m)
    ),
    "optax `sigmoid_focal_loss(x, y)`": lambda x, y, **_: lin(x.sigmoid(), y),
    "Keras `BinaryFocalCrossentropy()(y, p)`": lambda p, y, **_: lin(p, y).mean(),
    "Keras `CategoricalFocalCrossentropy()(one_hot, p)`": lambda p, t, **_: (
        0.25 * one_of(p, t).mean()
    ),
    "focal-loss `binary_focal_loss(y, p, gamma)`": lambda p, y, **_: lin(p, y),
    "focal-loss `sparse_categorical_focal_loss(t, p, gamma)`": lambda p, t, **_: one_of(p, t),
    "imbalanced-losses `SigmoidFocalLoss()(x, y)`": lambda x, y, **_: lin(
        x.sigmoid(), y, 0.25
    ).mean(),
    "imbalanced-losses `SoftmaxFocalLoss()(x, t)`": lambda x, t, **_: one_of(
        x.softmax(1), t
    ).mean(),
    'itakurah `FocalLoss(task_type="binary")(x, y)`': lambda x, y, **_: lin(x.sigmoid(), y).mean(),
    'itakurah `FocalLoss(task_type="multi-class", num_classes=3)(x, t)`': lambda x, t, **_: one_of(
        x.softmax(1), t
    ).mean(),
    "braintools `sigmoid_focal_loss(x, y)`": lambda x, y, **_: lin(x.sigmoid(), y),
    "clcarwin `FocalLoss(gamma=2)(x, t)`": lambda x, t, **_: with_constant_factor(
        x.softmax(1).gather(1, t[:, None]), 1
    ).mean(),
    "ASL `AsymmetricLoss(gamma_neg=2, gamma_pos=2, clip=0)(x, y)`": lambda x, y, **_: (
        with_constant_factor(x.sigmoid(), y).sum()
    ),
    "ASL `AsymmetricLoss()(x, y)`": lambda x, y, **_: asl(x, y, True),
    "timm `AsymmetricLossMultiLabel()(x, y)`": lambda x, y, **_: asl(x, y, False),
    "ASL `ASLSingleLabel()(x, t)`": lambda x, t, **_: asl_single_label(x, t),
    "mmdet `QualityFocalLoss()(x, (b, q))`": lambda x, b, q, **_: qfl(x, b, q),
    "mmdet `VarifocalLoss()(x, q[:, None] * h)`": lambda x, q, h, **_: vfl(
        x, q[:, None] * h
    ).mean(),
    "ultralytics `VarifocalLoss()(x, q[:, None] * h, h)`": lambda x, q, h, **_: (
        vfl(x, q[:, None] * h).mean(1).sum()
    ),
    "RT-DETR `loss_labels_vfl`": lambda x, q, h, n, **_: (
        vfl(x, q[:, None] * h, holds=True).sum() / n
    ),
    "CenterNet `FocalLoss()(x.sigmoid(), g)`": lambda x, g, **_: (
        of_peaks(x, g).sum() / g.eq(1).sum()
    ),
    "mmdet `GaussianFocalLoss()(x.sigmoid(), g)`": lambda x, g, **_: of_peaks(x, g).mean(),
    "mmdet `DistributionFocalLoss()(x, d)`": lambda x, d, **_: dfl(x, d).mean(),
    "ultralytics `DFLoss(3)(x, d[:, None])`": lambda x, d, **_: dfl(x, d)[:, None],
    "PolyLoss `poly1_focal_loss(x, y, epsilon=1, alpha=None)`": lambda x, y, **_: poly1(x, y),
    "Deformable DETR `HungarianMatcher`": lambda x, t, **_: cost_class(x, t),
}

SECTIONS = {
    section: rows_of(text.partition("\n## ")[0])
    for section in INPUTS
    for text in [PAGE.partition(f"## {section}")[2]]
}
ROWS = [
    pytest.param(there, here.strip("`"), INPUTS[section], id=there)
    for section, rows in SECTIONS.items()
    for there, here, _ in rows
]


def value_and_gradient(loss, letters):
    """A loss of the letters, and the gradient of its sum in the logits, those of p too."""
    x = letters["x"].detach().requires_grad_()
    value = loss(letters | {"x": x, "p": x.softmax(1)})
    return value.detach(), *torch.autograd.grad(value.sum(), x)


def written(code, names):
    """The loss that a cell of the page computes."""
    return lambda letters: eval(code, names | letters)  # the page's own code


OURS = {name: getattr(focalcore, name) for name in focalcore.__all__}


def same(found, expected, rtol=1e-12):
    for mine, theirs in zip(found, expected, strict=True):
        torch.testing.assert_close(mine, theirs.to(mine.dtype), rtol=rtol, atol=rtol / 10)


@pytest.mark.parametrize(("there", "here", "letters"), ROWS)
def test_what_to_write_here_has_the_value_and_gradient_of_the_other(there, here, letters):
    found = value_and_gradient(written(here, OURS), letters)
    expected = value_and_gradient(lambda given: FORMULAS[there](**given), letters)
    same(found, expected)


def test_every_row_has_its_formula():
    assert [row[0] for rows in SECTIONS.values() for row in rows] == list(FORMULAS)


# where the others are, and how exact: some compute in float32
PACKAGES = {
    "fvcore": ("fvcore.nn", 1e-5),
    "DETR": ("transformers.loss.loss_for_object_detection", 1e-12),
    "kornia": ("kornia.losses", 1e-12),
    "MONAI": ("monai.losses", 1e-5),
    "segmentation-models-pytorch": ("segmentation_models_pytorch.losses", 1e-12),
    "imbalanced-losses": ("imbalanced_losses", 1e-12),
    "Keras": ("keras.losses", 1e-5),
}


def package(name):
    """The module that has an other's losses; the test is skipped where it is not installed."""
    first, *_ = name.split(".")
    require(first)
    if first == "segmentation_models_pytorch":  # whose encoders need torchvision, its losses don't
        unopened = importlib.util.module_from_spec(importlib.util.find_spec(first))
        sys.modules.setdefault(first, unopened)
    return importlib.import_module(name)


@pytest.mark.parametrize(
    ("there", "here", "letters"), [row for row in ROWS if row.values[0].split(" `")[0] in PACKAGES]
)
def test_the_other_package_has_this_value_and_gradient(there, here, letters):
    name, code = there.rstrip("`").split(" `")
    module, rtol = PACKAGES[name]
    expected = value_and_gradient(written(code, vars(package(module))), letters)
    same(value_and_gradient(written(here, OURS), letters), expected, rtol)


class Difference(NamedTuple):
    """What an option of another is here, as the page says: the same value and gradient."""

    formula: Callable[..., Any]
    here: str
    package: str = ""
    there: str = ""


def smoothed(p, t, s):
    """The formula where smoothing enters the cross-entropy alone."""
    ce = -(1 - s) * p.gather(1, t[:, None])[:, 0].log() - s * p.log().mean(1)
    return (1 - p.gather(1, t[:, None])[:, 0]) ** 2 * ce


def where_0(t, a):
    """What the labels weigh where class 0 is the background."""
    return torch.tensor([1 - a, a, a], dtype=torch.float64)[t]


DIFFERENCES = {
    "mmcv-weight-is-that-of-the-label": Difference(
        lambda x, t, v, **_: (lin(x.sigmoid(), hot(t), 0.25) * v[t][:, None]).sum() / len(x),
        "sigmoid_focal_loss(x, t, class_axis=1, alpha=0.25, weight=v[t], "
        'reduction="mean", normalizer=len(x))',
    ),
    "mmcv-negative-label-is-background": Difference(
        lambda x, k, **_: lin(x.sigmoid(), hot(k % (C + 1)), 0.25).sum(),
        'sigmoid_focal_loss(x, k, class_axis=1, background=-1, alpha=0.25, reduction="sum")',
    ),
    "mmcv-softmax-counts-rows-without-a-class": Difference(
        lambda x, k, **_: (one_of(x.softmax(1), k.clamp(0)) * (k >= 0)).sum() / len(x),
        'softmax_focal_loss(x, k, axis=1, ignore_index=-1, reduction="mean", normalizer=len(x))',
    ),
    "a-normalizer-of-0-is-1": Difference(
        lambda x, b, **_: lin(x.sigmoid(), hot(b)).sum(),
        'sigmoid_focal_loss(x, b, class_axis=1, reduction="mean", normalizer=0)',
    ),
    "ultralytics-alpha-of-0-is-off": Difference(
        lambda x, y, **_: lin(x.sigmoid(), y, None, 1.5).mean(1).sum(),
        'sigmoid_focal_loss(x, y, gamma=1.5, reduction="mean", normalizer=x.shape[1])',
    ),
    "clcarwin-alpha-weighs-class-0": Difference(
        lambda x, k, **_: (
            with_constant_factor(x[:, :2].softmax(1).gather(1, (k[:, None] > 0) * 1), 1)[:, 0]
            * torch.tensor([0.3, 1 - 0.3], dtype=torch.float64)[(k > 0) * 1]
        ).mean(),
        "softmax_focal_loss(x[:, :2], (k > 0) * 1, alpha=[0.3, 1 - 0.3], detach_factor=True, "
        'reduction="mean")',
    ),
    "kornia-alpha-spares-class-0": Difference(
        lambda x, t, **_: (one_of(x.softmax(1), t) * where_0(t, 0.3)).sum(),
        'softmax_focal_loss(x, t, axis=1, alpha=[0.7, 0.3, 0.3], reduction="sum")',
        "kornia",
        'focal_loss(x, t, alpha=0.3, reduction="sum")',
    ),
    "kornia-weight-multiplies-alpha": Difference(
        lambda x, t, v, **_: (0.5 * one_of(x.softmax(1), t) * v[t]).sum(),
        'softmax_focal_loss(x, t, axis=1, alpha=0.5 * v, reduction="sum")',
        "kornia",
        'focal_loss(x, t, alpha=0.5, weight=v, reduction="sum")',
    ),
    "kornia-counts-what-it-ignores": Difference(
        lambda x, m, **_: one_of(x.softmax(1), m * (m != 255))[m != 255].sum() / x.numel(),
        'softmax_focal_loss(x, m, axis=1, ignore_index=255, reduction="sum") / x.numel()',
        "kornia",
        'focal_loss(x, m, alpha=None, ignore_index=255, reduction="mean")',
    ),
    "kornia-keeps-the-class-axis": Difference(
        lambda x, t, one_hot, **_: one_of(x.softmax(1), t)[:, None] * one_hot,
        "softmax_focal_loss(x, t, axis=1)[:, None] * one_hot",
        "kornia",
        "focal_loss(x, t, alpha=None)",
    ),
    "kornia-soft-labels-are-a-mixture": Difference(
        lambda x, s, v, **_: (
            (v[:, None] * s * 0.25 * lin(x.sigmoid(), 1)) + (1 - s) * 0.75 * lin(x.sigmoid(), 0)
        ),
        'sigmoid_focal_loss(x, s, alpha=0.25, pos_weight=v[:, None], soft_targets="mixture")',
        "kornia",
        "binary_focal_loss_with_logits(x, s, pos_weight=v)",
    ),
    "MONAI-list-as-alpha-is-pos_weight": Difference(
        lambda x, y, v, **_: (lin(x.sigmoid(), y) * torch.where(y == 1, v[:, None], 1)).mean(),
        'sigmoid_focal_loss(x, y, pos_weight=v[:, None], reduction="mean")',
        "MONAI",
        "FocalLoss(alpha=v.tolist())(x, y)",
    ),
    "MONAI-alpha-of-a-softmax-spares-class-0": Difference(
        lambda x, t, one_hot, **_: (one_of(x.softmax(1), t) * where_0(t, 0.3))[:, None] * one_hot,
        "softmax_focal_loss(x, t, axis=1, alpha=[0.7, 0.3, 0.3])[:, None] * one_hot",
        "MONAI",
        'FocalLoss(to_onehot_y=True, use_softmax=True, alpha=0.3, reduction="none")(x, t[:, None])',
    ),
    "MONAI-sum-is-a-mean-behind-the-classes": Difference(
        lambda x, y, **_: lin(x.sigmoid(), y).mean(2).sum(),
        "sigmoid_focal_loss(x, y).mean(2).sum()",
        "MONAI",
        'FocalLoss(reduction="sum")(x, y)',
    ),
    "smp-class_weights-are-in-the-denominator": Difference(
        lambda x, t, v, **_: (lin(x.sigmoid(), hot(t)).mean((0, 2)) * v).sum() / v.sum(),
        "sigmoid_focal_loss(x, t, class_axis=1, weight=v[None, :, None], "
        'reduction="mean", normalizer="weight")',
        "segmentation-models-pytorch",
        'FocalLoss("multiclass", class_weights=v.tolist())(x, t)',
    ),
    "smp-sum-is-a-mean-over-the-classes": Difference(
        lambda x, t, **_: lin(x.sigmoid(), hot(t)).sum() / C,
        'sigmoid_focal_loss(x, t, class_axis=1, reduction="sum") / x.shape[1]',
        "segmentation-models-pytorch",
        'FocalLoss("multiclass", reduction="sum")(x, t)',
    ),
    "imbalanced-losses-smoothing-is-hard": Difference(
        lambda x, t, **_: smoothed(x.softmax(1), t, 0.1).mean(),
        "softmax_focal_loss(x, t, axis=1, label_smoothing=0.1, soft_targets='hard', "
        'reduction="mean")',
        "imbalanced-losses",
        "SoftmaxFocalLoss(label_smoothing=0.1)(x, t)",
    ),
    "imbalanced-losses-mean_positive-counts-what-is-not-background": Difference(
        lambda x, t, **_: one_of(x.softmax(1), t).sum() / (t > 0).sum(),
        'softmax_focal_loss(x, t, axis=1, background=0, reduction="mean", normalizer="positives")',
        "imbalanced-losses",
        'SoftmaxFocalLoss(reduction="mean_positive")(x, t)',
    ),
    "imbalanced-losses-divide-by-their-weights": Difference(
        lambda x, t, w, **_: (one_of(x.softmax(1), t) * w[:, None]).sum() / (5 * w.sum()),
        "softmax_focal_loss(x, t, axis=1, weight=w[:, None], "
        'reduction="mean", normalizer="weight")',
        "imbalanced-losses",
        "SoftmaxFocalLoss()(x, t, sample_weight=w[:, None].expand(t.shape))",
    ),
}
every_difference = pytest.mark.parametrize("difference", DIFFERENCES.values(), ids=DIFFERENCES)
LETTERS = {bool(behind): inputs(*behind) for behind in [(), (5,)]}


@every_difference
def test_an_option_of_another_is_here_what_the_page_says(difference):
    letters = LETTERS[difference.package != ""]
    expected = value_and_gradient(lambda given: difference.formula(**given), letters)
    same(value_and_gradient(written(difference.here, OURS), letters), expected)


@pytest.mark.parametrize(
    "difference",
    [pytest.param(d, id=name) for name, d in DIFFERENCES.items() if d.package],
)
def test_an_option_of_the_other_package_is_what_the_page_says(difference):
    module, rtol = PACKAGES[difference.package]
    expected = value_and_gradient(written(difference.there, vars(package(module))), LETTERS[True])
    same(value_and_gradient(written(difference.here, OURS), LETTERS[True]), expected, rtol)


def bce(x, s):
    return torch.nn.functional.binary_cross_entropy_with_logits(x, s, reduction="none")


# the modulating factors that soft labels have elsewhere, none of which is "expected" or "mixture"
FACTORS = {
    "MONAI": lambda x, s: (-x * (2 * s - 1)).sigmoid() ** 2 * bce(x, s),
    "segmentation-models-pytorch": lambda x, s: (1 - (-bce(x, s)).exp()) ** 2 * bce(x, s),
}


@pytest.mark.parametrize("name", FACTORS)
def test_soft_labels_have_another_factor_elsewhere(name):
    x, s = LETTERS[False]["x"], LETTERS[False]["s"]
    theirs = FACTORS[name](x, s)
    for meaning in ("expected", "mixture"):
        ours = focalcore.sigmoid_focal_loss(x, s, soft_targets=meaning)
        assert ((ours - theirs).abs() > 0.01 * theirs).any()


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("MONAI", 'FocalLoss(reduction="none")(x, s)'),
        ("segmentation-models-pytorch", 'FocalLoss("binary", reduction="none")(x, s).view_as(x)'),
    ],
)
def test_soft_labels_have_this_factor_in_the_other_package(name, code):
    module, rtol = PACKAGES[name]
    expected = value_and_gradient(written(code, vars(package(module))), LETTERS[False])
    same(
        value_and_gradient(lambda g: FACTORS[name](g["x"], g["s"]), LETTERS[False]), expected, rtol
    )


def test_fvcore_computes_in_float32():
    x, y = (torch.ones(2, dtype=torch.float64) for _ in "xy")
    assert package("fvcore.nn").sigmoid_focal_loss(x, y).dtype == torch.float32
    assert focalcore.sigmoid_focal_loss(x, y).dtype == torch.float64
