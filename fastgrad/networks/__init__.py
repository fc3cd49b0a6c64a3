"""Networks in readable NumPy: forward, backward, each layer one small piece."""

from fastgrad.networks.activations import ELU, GELU, LeakyReLU, ReLU, Sigmoid, SiLU, Softplus, Tanh
from fastgrad.networks.conv2d import Conv2D
from fastgrad.networks.dense import Dense
from fastgrad.networks.dropout import Dropout
from fastgrad.networks.embedding import Embedding
from fastgrad.networks.known import kind_of as kind_of  # before anybody can replace a method
from fastgrad.networks.losses import HalfSquaredError, LogisticLoss, MeanSquaredError, SoftmaxCrossEntropy
from fastgrad.networks.network import Network
from fastgrad.networks.normalisation import BatchNorm, LayerNorm
from fastgrad.networks.pooling import AvgPool2D, MaxPool2D
from fastgrad.networks.residual import Residual
from fastgrad.networks.shaping import Flatten

__all__ = [
    "ELU",
    "GELU",
    "AvgPool2D",
    "BatchNorm",
    "Conv2D",
    "Dense",
    "Dropout",
    "Embedding",
    "Flatten",
    "HalfSquaredError",
    "LayerNorm",
    "LeakyReLU",
    "LogisticLoss",
    "MaxPool2D",
    "MeanSquaredError",
    "Network",
    "ReLU",
    "Residual",
    "SiLU",
    "Sigmoid",
    "SoftmaxCrossEntropy",
    "Softplus",
    "Tanh",
]
