"""The training of logistic_regression.py by two torch workers, one with twice the rows.

The mean is that of all rows, so they end at the weights that one process ends at. Run it with

    torchrun --standalone --nproc-per-node 2 examples/torch_workers.py
"""

import torch
import torch.distributed as dist
from logistic_regression import digits
from torch.nn.parallel import DistributedDataParallel

from focalcore.torch import SigmoidFocalLoss


def trained():
    """Return the weights, and leave nothing behind that holds on to the other worker."""
    own = slice(0, 600) if dist.get_rank() == 0 else slice(600, None)
    features, labels = (torch.asarray(x)[own] for x in digits())

    linear = torch.nn.Linear(10, 1, bias=False, dtype=torch.float64)
    torch.nn.init.zeros_(linear.weight)
    model = DistributedDataParallel(linear)
    criterion = SigmoidFocalLoss(alpha=0.75, gamma=2.0)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.5)

    for _ in range(200):
        optimizer.zero_grad()
        loss = criterion(model(features).squeeze(1), labels)
        loss.backward()
        optimizer.step()
    return linear.weight.detach().numpy()[0]


dist.init_process_group("gloo")
weights = trained()
if dist.get_rank() == 0:
    print(weights.round(5))
dist.barrier()  # none leaves while another still talks to it
dist.destroy_process_group()
