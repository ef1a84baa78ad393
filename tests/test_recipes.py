"""The recipes in docs: what a page says of its code holds of this very code."""

import functools
import math
import os

import pytest

import focalcore

from .pages import recipe
from .programs import require

torch = pytest.importorskip("torch", reason="torch is not installed")

from torch.nn.functional import cross_entropy, interpolate, one_hot  # noqa: E402
from torch.testing import assert_close  # noqa: E402

import focalcore.torch  # noqa: E402

from .workers import Workers  # noqa: E402

slow = pytest.mark.slow
exact = functools.partial(assert_close, rtol=1e-12, atol=1e-14)


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path, monkeypatch):
    """Trainers leave folders."""
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def draw():
    return torch.Generator().manual_seed(3)


def gradient(loss, x):
    """The gradient of a loss in its logits."""
    x = x.detach().requires_grad_()
    return torch.autograd.grad(loss(x), x)[0]


def lin(x, y, alpha=0.25):
    """The paper's formula, of each logit and its label."""
    p_t = torch.where(y == 1, x.sigmoid(), 1 - x.sigmoid())
    return torch.where(y == 1, alpha, 1 - alpha) * (1 - p_t) ** 2 * -p_t.log()


def of_rows(x, t):
    """The paper's formula, of each row of logits and its class."""
    log_p = x.log_softmax(1).gather(1, t[:, None])[:, 0]
    return (1 - log_p.exp()) ** 2 * -log_p


class TestDetection:
    ANCHORS, CLASSES = 12, 5

    @pytest.fixture
    def logits(self, draw):
        shape = 2, self.ANCHORS, self.CLASSES
        return torch.randn(shape, generator=draw, dtype=torch.float64)

    @pytest.fixture
    def labels(self, draw):
        """Of each anchor its class, or -1 for background, or -2 for ignored."""
        return torch.randint(-2, self.CLASSES, (2, self.ANCHORS), generator=draw)

    def of_image(self, logits, labels):
        """RetinaNet's loss of an image, summed, and its number of objects."""
        counts, rows = labels > -2, one_hot(labels.clamp(min=0), self.CLASSES)
        rows = torch.where((labels >= 0)[:, None], rows, 0)
        return lin(logits[counts], rows[counts]).sum(), (labels >= 0).sum()

    def test_a_match_becomes_the_class_of_its_box(self):
        labels_of = recipe("detection", "A RetinaNet head").labels_of
        found = labels_of(torch.tensor([1, -2, 0, -1]), torch.tensor([7, 9]))
        assert found.tolist() == [9, -2, 7, -1]

    def test_an_image_without_boxes_is_background(self):
        labels_of = recipe("detection", "A RetinaNet head").labels_of
        none = torch.empty(0, dtype=torch.int64)
        assert labels_of(torch.tensor([-1, -1]), none).tolist() == [-1, -1]

    def test_a_batch_is_divided_by_its_objects(self, logits, labels):
        def expected(x):
            sums, counts = zip(*map(self.of_image, x, labels), strict=True)
            return sum(sums) / sum(counts)

        loss = recipe("detection", "A RetinaNet head").classification_loss
        exact(loss(logits, labels), expected(logits))
        exact(gradient(lambda x: loss(x, labels), logits), gradient(expected, logits))

    def test_the_module_has_the_same_options(self, logits, labels):
        options = {"class_axis": -1, "background": -1, "ignore_index": -2}
        module = focalcore.torch.SigmoidFocalLoss(reduction="mean_positive", **options)
        loss = recipe("detection", "A RetinaNet head").classification_loss
        exact(module(logits, labels), loss(logits, labels))

    def test_an_ignored_anchor_has_no_gradient_whatever_its_logits(self, logits, labels):
        logits[labels == -2] = math.nan
        loss = recipe("detection", "A RetinaNet head").classification_loss
        found = gradient(lambda x: loss(x, labels), logits)
        assert (found[labels == -2] == 0).all()
        assert (found[labels != -2] != 0).all()

    def test_without_objects_a_sum_is_left(self, logits):
        loss = recipe("detection", "A RetinaNet head").classification_loss
        background = torch.full((2, self.ANCHORS), -1)
        exact(loss(logits, background), lin(logits, torch.zeros(())).sum())

    def test_a_mean_for_each_image_is_torchvisions(self, logits, labels):
        labels[1] = -1  # and one image without objects

        def expected(x):
            pairs = map(self.of_image, x, labels)
            return sum(total / count.clamp(min=1) for total, count in pairs) / 2

        loss = recipe("detection", "A mean for each image").mean_of_images
        close = functools.partial(assert_close, rtol=1e-6, atol=1e-8)  # the weights are float32
        close(loss(logits, labels), expected(logits))
        close(gradient(lambda x: loss(x, labels), logits), gradient(expected, logits))

    def test_detr_is_divided_by_its_boxes(self, logits):
        names = recipe("detection", "DETR")
        labels = torch.full((2, self.ANCHORS), self.CLASSES)  # no object
        labels[0, 3], labels[1, 7], labels[1, 2] = 1, 4, 4
        boxes = names.number_of_boxes([[1], [4, 4]])
        assert boxes == 3

        def expected(x):
            rows = one_hot(labels, self.CLASSES + 1)[..., :-1]
            return lin(x, rows).mean(1).sum() / 3 * x.shape[1]

        exact(names.labels_loss(logits, labels, boxes), expected(logits))
        exact(
            gradient(lambda x: names.labels_loss(x, labels, boxes), logits),
            gradient(expected, logits),
        )

    def test_the_matching_cost_is_detrs(self, logits):
        classes, p = torch.tensor([4, 0, 4]), logits[0].sigmoid()
        positive = 0.25 * (1 - p) ** 2 * -(p + 1e-8).log()
        negative = 0.75 * p**2 * -(1 - p + 1e-8).log()
        found = focalcore.focal_cost(logits[0], classes)
        assert_close(found, (positive - negative)[:, classes], rtol=1e-6, atol=1e-7)


class TestSegmentation:
    @pytest.fixture
    def logits(self, draw):
        return torch.randn(2, 4, 8, 8, generator=draw, dtype=torch.float64)

    @pytest.fixture
    def labels(self, draw):
        labels = torch.randint(0, 4, (2, 8, 8), generator=draw)
        labels[torch.rand(2, 8, 8, generator=draw) < 0.3] = 255
        return labels

    @pytest.mark.parametrize("weighted", [False, True], ids=["unweighted", "weighted"])
    def test_gamma_of_0_is_the_cross_entropy(self, logits, labels, weighted):
        weights = torch.tensor([0.5, 1, 2, 4], dtype=torch.float64) if weighted else None
        options = {"alpha": weights, "normalizer": "alpha"} if weighted else {}
        found = focalcore.softmax_focal_loss(
            logits, labels, gamma=0, axis=1, ignore_index=255, reduction="mean", **options
        )
        exact(found, cross_entropy(logits, labels, weights, ignore_index=255))

    def test_every_head_has_the_mean_of_the_labelled_pixels(self, logits, labels):
        heads, counts = [logits, logits[:, :, ::4, ::4] + 1], labels != 255

        def expected(x, low):
            enlarged = interpolate(low, (8, 8), mode="bilinear")
            means = (of_rows(z, labels * counts)[counts].mean() for z in (x, enlarged))
            return sum(share * mean for share, mean in zip((1.0, 0.4), means, strict=True))

        found = recipe("segmentation", "Auxiliary heads").loss_of_heads(heads, labels)
        exact(found, expected(*heads))

    def test_a_pixel_of_255_has_no_gradient_in_any_head(self, logits, labels):
        labels[0] = 255
        low = logits[:, :, ::4, ::4].clone()
        heads = [x.requires_grad_() for x in (logits, low)]
        loss = recipe("segmentation", "Auxiliary heads").loss_of_heads(heads, labels)
        for found in torch.autograd.grad(loss, heads):
            assert (found[0] == 0).all()
            assert (found[1] != 0).any()


class TestSoftTargets:
    def test_mixup_is_the_mean_of_the_losses_of_both_labels(self, draw, monkeypatch):
        names, labels = recipe("soft-targets", "Mixup"), torch.tensor([0, 1, 2, 2, 1, 0])
        order = torch.randperm(6, generator=draw)
        monkeypatch.setattr(torch, "randperm", lambda _: order)
        features = torch.randn(6, 3, generator=draw, dtype=torch.float64)
        mixed, targets = names.mixup(features, labels, 0.7, classes=3)
        exact(mixed, 0.7 * features + 0.3 * features[order])

        def expected(x):
            return (0.7 * of_rows(x, labels) + 0.3 * of_rows(x, labels[order])).mean()

        exact(names.mixup_loss(mixed, targets), expected(mixed))
        exact(gradient(lambda x: names.mixup_loss(x, targets), mixed), gradient(expected, mixed))

    def test_modules_smooth_the_cross_entropy_alone(self, draw):
        logits, labels = torch.randn(6, 3, generator=draw), torch.tensor([0, 1, 2, 2, 1, 0])
        expected = focalcore.softmax_focal_loss(
            logits, labels, label_smoothing=0.1, soft_targets="hard", reduction="mean"
        )
        exact(focalcore.torch.SoftmaxFocalLoss(label_smoothing=0.1)(logits, labels), expected)


ROWS, IGNORED = 16, (1, 2, 3, 5, 14)  # so that no two parts of a batch have the same count


def batch():
    """Features and class labels, a part of which is ignored."""
    draw = torch.Generator().manual_seed(1)
    labels = torch.randint(0, 3, (ROWS,), generator=draw)
    labels[list(IGNORED)] = -100
    return torch.randn(ROWS, 10, generator=draw, dtype=torch.float64), labels


def linear():
    """A model, the same in every process."""
    model = torch.nn.Linear(10, 3, dtype=torch.float64)
    with torch.no_grad():
        model.weight.copy_(torch.linspace(-1, 1, 30).reshape(3, 10))
        model.bias.zero_()
    return model


def in_parts(rows):
    """The batch cut into parts of so many rows."""
    return list(zip(*(x.split(rows) for x in batch()), strict=True))


def mean_of_all(model, features, labels):
    """The mean over all rows that count, by the paper's formula."""
    counts = labels >= 0
    return of_rows(model(features)[counts], labels[counts]).mean()


@pytest.fixture
def whole():
    """The gradient of the batch at once."""
    model = linear()
    mean_of_all(model, *batch()).backward()
    return model.weight.grad


class TestParts:
    def test_the_mean_of_means_is_another_gradient(self, whole):
        model = linear()
        for features, labels in in_parts(4):
            (mean_of_all(model, features, labels) / 4).backward()
        assert (model.weight.grad - whole).abs().max() > 0.05 * whole.abs().max()

    @pytest.mark.parametrize("rows", [16, 4, 5], ids="parts-of-{}".format)
    def test_parts_have_the_gradient_of_the_batch(self, whole, rows):
        model = linear()
        recipe("trainers", "torch").backward(model, in_parts(rows))
        exact(model.weight.grad, whole)

    @slow
    def test_parts_of_lightning_have_the_gradient_of_the_batch(self, whole):
        names = recipe("trainers", "Lightning")
        exact(step_of_lightning(names.InParts(size=4), rows=ROWS), whole)

    @slow
    def test_lightning_divides_what_it_accumulates(self, whole):
        names, count = recipe("trainers", "Lightning"), (batch()[1] >= 0).sum()

        class Model(names.Model):
            def training_step(self, batch, _):
                features, labels = batch
                return self.criterion(self.layer(features), labels, normalizer=count / 4)

        exact(step_of_lightning(Model(), rows=4, accumulate_grad_batches=4), whole)

    @slow
    def test_accelerate_divides_what_it_accumulates(self, whole, monkeypatch):
        accelerator = recipe("trainers", "accelerate").accelerator
        monkeypatch.setattr(accelerator, "gradient_accumulation_steps", 4)
        model, count = linear(), (batch()[1] >= 0).sum()
        for features, labels in in_parts(4):
            loss = focalcore.torch.SoftmaxFocalLoss()(model(features), labels, normalizer=count / 4)
            accelerator.backward(loss)
        exact(model.weight.grad, whole)

    @slow
    def test_parts_of_accelerate_have_the_gradient_of_the_batch(self, whole):
        exact(step_of_accelerate(in_parts(4)), whole)

    @slow
    def test_parts_of_hugging_face_have_the_gradient_of_the_batch(self, whole):
        exact(step_of_hugging_face(ROWS // 4), whole)


def step_of_lightning(module, rows, **options):
    """What an epoch moves the weights by, of so many rows for each batch of the loader."""
    names = recipe("trainers", "Lightning")
    module.layer = linear()
    module.configure_optimizers = lambda: torch.optim.SGD(module.parameters(), lr=1.0)
    data = torch.utils.data.TensorDataset(*batch())
    trainer = names.lightning.Trainer(
        max_epochs=1, accelerator="cpu", enable_model_summary=False, **names.quiet, **options
    )
    trainer.fit(module, torch.utils.data.DataLoader(data, batch_size=rows))
    return linear().weight - module.layer.weight


def step_of_accelerate(parts):
    names = recipe("trainers", "accelerate")
    layer = linear()
    optimizer = torch.optim.SGD(layer.parameters(), lr=1.0)
    names.step(*names.accelerator.prepare(layer, optimizer), parts)
    return linear().weight.detach() - layer.weight.detach()


def mean_of_the_workers(outputs, labels, **_):
    """What the module makes of a batch when it is not told what the whole counts."""
    return focalcore.torch.SoftmaxFocalLoss()(outputs.logits, labels)


def step_of_hugging_face(rows, accumulated=4, loss=None):
    """What a step moves the weights by, of so many rows for each part and each process."""
    names = recipe("trainers", "Hugging Face")
    from transformers.modeling_outputs import TokenClassifierOutput

    class Model(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = linear()

        def forward(self, features):
            return TokenClassifierOutput(logits=self.layer(features))

    arguments = names.TrainingArguments(
        "out",
        per_device_train_batch_size=rows,
        gradient_accumulation_steps=accumulated,
        max_steps=1,
        optim="sgd",
        learning_rate=1.0,
        lr_scheduler_type="constant",
        max_grad_norm=0,
        remove_unused_columns=False,  # the labels, which the model doesn't take
        report_to="none",
        save_strategy="no",
        use_cpu=True,
    )
    model = Model()
    names.Trainer(
        model,
        arguments,
        train_dataset=[{"features": x, "labels": t} for x, t in zip(*batch(), strict=True)],
        compute_loss_func=loss or names.compute_loss,
    ).train()
    return linear().weight.detach() - model.layer.weight.detach()


def step_of_ddp(parts):
    model = torch.nn.parallel.DistributedDataParallel(linear())
    recipe("trainers", "torch").backward(model, parts)
    return model.module.weight.grad


def as_launched(step, rank, *arguments):
    """A step in a process that knows of the others, as a launcher tells it."""
    addresses = {"MASTER_ADDR": "localhost", "MASTER_PORT": "29511"}
    ranks = {"RANK": str(rank), "LOCAL_RANK": str(rank), "WORLD_SIZE": "2"}
    os.environ.update(ranks | addresses)
    try:
        return step(*arguments)
    finally:
        for name in ranks | addresses:
            del os.environ[name]


def boxes_of_worker(targets):
    return recipe("detection", "DETR").number_of_boxes(targets)


@pytest.fixture(scope="module")
def workers():
    """Two processes, which start with the first task."""
    with Workers(2) as two:
        yield two


@slow
@pytest.mark.parametrize("kind", ["gpt2", "llama"])
def test_next_tokens_are_what_hugging_face_counts(kind):
    names = recipe("trainers", "Hugging Face")
    from transformers import AutoConfig, AutoModelForCausalLM

    size = {"hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 1}
    config = AutoConfig.for_model(kind, vocab_size=50, intermediate_size=8, **size)
    tokens, counted = torch.arange(48).reshape(8, 6), []
    labels = tokens.clone()
    labels[:, 0] = -100

    def loss(outputs, labels, num_items_in_batch=None):
        counted.append(num_items_in_batch)
        return names.next_token_loss(outputs, labels, num_items_in_batch)

    names.Trainer(
        AutoModelForCausalLM.from_config(config),
        names.arguments,
        train_dataset=[{"input_ids": x, "labels": t} for x, t in zip(tokens, labels, strict=True)],
        compute_loss_func=loss,
    ).train()
    assert counted == [4 * 5] * 4  # four rows to a step, of which nothing predicts the first token


@slow
class TestWorkers:
    """Two processes, whose batches have different counts."""

    def parts(self, rows=2):
        """The parts of each worker."""
        parts = in_parts(rows)
        return parts[: len(parts) // 2], parts[len(parts) // 2 :]

    def test_parts_of_workers_have_the_gradient_of_the_batch(self, workers, whole):
        for found in workers.map(step_of_ddp, [(own,) for own in self.parts()]):
            exact(found, whole)

    def test_parts_of_accelerates_workers_have_the_gradient_of_the_batch(self, workers, whole):
        require("accelerate")
        steps = [(step_of_accelerate, rank, own) for rank, own in enumerate(self.parts())]
        for found in workers.map(as_launched, steps):
            exact(found, whole)

    def test_parts_of_hugging_faces_workers_have_the_gradient_of_the_batch(self, workers, whole):
        require("transformers")
        steps = [(step_of_hugging_face, rank, 2) for rank in range(2)]
        for found in workers.map(as_launched, steps):
            exact(found, whole)

    def test_hugging_face_multiplies_by_its_workers(self, workers, whole):
        require("transformers")
        steps = [(step_of_hugging_face, rank, 8, 1, mean_of_the_workers) for rank in range(2)]
        for found in workers.map(as_launched, steps):
            exact(found, 2 * whole)

    def test_the_number_of_boxes_is_that_of_all_workers_divided_by_them(self, workers):
        found = workers.map(boxes_of_worker, [([[1, 2], [3]],), ([[], []],)])
        assert found == [1.5, 1.5]
