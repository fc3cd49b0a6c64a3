"""The torch modules and functions that bench_torch.py measures."""

from __future__ import annotations

from itertools import pairwise

import torch

nn, F = torch.nn, torch.nn.functional


def perceptron(*sizes):
    """Linear layers with tanh between them, in double precision."""
    torch.manual_seed(0)
    parts = [part for a, b in pairwise(sizes) for part in (nn.Linear(a, b), nn.Tanh())]
    return nn.Sequential(*parts[:-1]).double()


class Attention(nn.Module):
    """Attention over tokens, and a layer for each token by itself, both beside their inputs."""

    def __init__(self, features, heads):
        super().__init__()
        self.heads = heads
        self.norm, self.after = nn.LayerNorm(features), nn.LayerNorm(features)
        self.qkv, self.out = nn.Linear(features, 3 * features), nn.Linear(features, features)
        self.wide, self.narrow = nn.Linear(features, 2 * features), nn.Linear(2 * features, features)

    def forward(self, x):
        """Tokens (samples, tokens, features)."""
        samples, tokens, features = x.shape
        shape = samples, tokens, 3, self.heads, features // self.heads
        q, k, v = self.qkv(self.norm(x)).view(shape).permute(2, 0, 3, 1, 4)
        mixed = F.scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(x.shape)
        x = x + self.out(mixed)
        return x + self.narrow(F.gelu(self.wide(self.after(x))))


class Mixed(nn.Module):
    """Convolutions, batch normalisation in training, GELU, a residual branch, attention: 49,162 numbers."""

    def __init__(self, channels=24, features=48):
        super().__init__()
        self.stem, self.stem_norm = nn.Conv2d(3, channels, 3, padding=1), nn.BatchNorm2d(channels)
        self.one, self.one_norm = nn.Conv2d(channels, channels, 3, padding=1), nn.BatchNorm2d(channels)
        self.two, self.two_norm = nn.Conv2d(channels, channels, 3, padding=1), nn.BatchNorm2d(channels)
        self.down = nn.Conv2d(channels, features, 4, stride=4)
        self.attention, self.head = Attention(features, 4), nn.Linear(features, 10)

    def forward(self, x):
        """Images (samples, 3, height, width)."""
        x = F.gelu(self.stem_norm(self.stem(x)))
        x = x + self.two_norm(self.two(F.gelu(self.one_norm(self.one(x)))))
        tokens = self.down(x).flatten(2).transpose(1, 2)
        return self.head(self.attention(tokens).mean(1))


class Sine(torch.autograd.Function):
    """sin(x) with a backward of its own."""

    @staticmethod
    def forward(ctx, x):
        """sin(x)."""
        ctx.save_for_backward(x)
        return x.sin()

    @staticmethod
    def backward(ctx, upstream):
        """cos(x)."""
        return upstream * ctx.saved_tensors[0].cos()
