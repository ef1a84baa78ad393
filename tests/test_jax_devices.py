"""Many devices in JAX: the mean is that of the whole batch."""

import json

import numpy as np
import pytest

import focalcore

jax = pytest.importorskip("jax", reason="jax is not installed")

from . import jax_devices  # noqa: E402
from .programs import output_of  # noqa: E402

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def found():
    """What four devices find, of all cases: JAX has to be started for them."""
    flags = "--xla_force_host_platform_device_count=4"
    return json.loads(output_of("-m", "tests.jax_devices", JAX_PLATFORMS="cpu", XLA_FLAGS=flags))


def expected(name, shards, positives):
    """The loss and the gradient of the rows that count, by NumPy."""
    features, labels, counted = jax_devices.batch(shards, positives)
    features, labels, w = features[counted], labels[counted], jax_devices.parameters(name)
    if name == "sigmoid":
        value, grad = focalcore.sigmoid_focal_loss_value_and_grad(
            features @ w, labels, alpha=0.25, reduction="mean", normalizer="positives"
        )
    else:
        value, grad = focalcore.softmax_focal_loss_value_and_grad(
            features @ w, labels, alpha=[1.0, 2.0, 3.0], reduction="mean"
        )
    return value, features.T @ grad


@pytest.mark.parametrize("case", jax_devices.CASES, ids="-".join)
def test_devices_of_jax_have_the_mean_of_the_whole_batch(found, case):
    values, gradient = found["-".join(case)]
    value, expected_gradient = expected(*case[2:])
    assert len(values) == 4
    assert len(set(values)) == 1
    assert values[0] == pytest.approx(value, rel=1e-14)
    scale = np.abs(expected_gradient).max()
    np.testing.assert_allclose(gradient, expected_gradient, rtol=0, atol=1e-14 * scale)
