"""The training of logistic_regression.py by Keras, on the backend that KERAS_BACKEND names.

KERAS_BACKEND=jax python examples/keras_fit.py
"""

import keras
from logistic_regression import digits

from focalcore.keras import BinaryFocalLoss

features, labels = digits()
dense = keras.layers.Dense(1, use_bias=False, kernel_initializer="zeros")
model = keras.Sequential([keras.Input((10,)), dense])
model.compile(
    optimizer=keras.optimizers.SGD(0.5),
    loss=BinaryFocalLoss(gamma=2.0, alpha=0.75, from_logits=True),
)
model.fit(features, labels, epochs=200, batch_size=len(labels), verbose=0)
print(keras.ops.convert_to_numpy(dense.kernel)[:, 0].round(5))
