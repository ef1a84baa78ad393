"""A loss still works while the interpreter goes down."""

import numpy as np

from focalcore import sigmoid_focal_loss

from .programs import output_of

PROGRAM = """
import atexit, threading, time
import numpy as np
import focalcore

focalcore.use_threads(2)
x = np.linspace(-3, 3, 3_000_000)  # over threads

def loss():
    print(repr(float(focalcore.sigmoid_focal_loss(x, x > 0, reduction="mean"))))

def later():
    threading.main_thread().join()
    loss()

atexit.register(loss)
threading.Thread(target=later).start()
"""


def test_in_a_thread_that_outlives_the_main_one_and_at_the_exit():
    x = np.linspace(-3, 3, 3_000_000)
    expected = float(sigmoid_focal_loss(x, x > 0, reduction="mean"))
    assert output_of("-c", PROGRAM).split() == [repr(expected)] * 2
