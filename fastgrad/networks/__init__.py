"""Networks in readable NumPy: layers, activations, losses, and the Network that chains them.

Users build networks from these classes, and the network engine evaluates them incrementally. A batch
(samples, ...) and parameters as named blocks go in; a cost, or gradients by those names, come out.
"""

from fastgrad.networks.activations import ELU as ELU
from fastgrad.networks.activations import GELU as GELU
from fastgrad.networks.activations import LeakyReLU as LeakyReLU
from fastgrad.networks.activations import ReLU as ReLU
from fastgrad.networks.activations import Sigmoid as Sigmoid
from fastgrad.networks.activations import SiLU as SiLU
from fastgrad.networks.activations import Softplus as Softplus
from fastgrad.networks.activations import Tanh as Tanh
from fastgrad.networks.conv2d import Conv2D as Conv2D
from fastgrad.networks.dense import Dense as Dense
from fastgrad.networks.dropout import Dropout as Dropout
from fastgrad.networks.embedding import Embedding as Embedding
from fastgrad.networks.known import PUBLIC  # imported now: it notes the methods before anybody replaces one
from fastgrad.networks.losses import HalfSquaredError as HalfSquaredError
from fastgrad.networks.losses import LogisticLoss as LogisticLoss
from fastgrad.networks.losses import MeanSquaredError as MeanSquaredError
from fastgrad.networks.losses import SoftmaxCrossEntropy as SoftmaxCrossEntropy
from fastgrad.networks.network import Network as Network
from fastgrad.networks.normalisation import BatchNorm as BatchNorm
from fastgrad.networks.normalisation import LayerNorm as LayerNorm
from fastgrad.networks.pooling import AvgPool2D as AvgPool2D
from fastgrad.networks.pooling import MaxPool2D as MaxPool2D
from fastgrad.networks.residual import Residual as Residual
from fastgrad.networks.shaping import Flatten as Flatten

__all__ = [kind.__name__ for kind in PUBLIC]
