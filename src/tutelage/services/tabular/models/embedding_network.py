"""A multilayer perceptron with an embedding for each category, as an estimator. Imports torch."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from torch import Tensor, nn

MAX_EMBEDDING = 32
PREDICTED_AT_ONCE = 16_384
"""Rows of one forward pass, so that a prediction's memory does not grow with the table."""


class Columns:
    """What the training rows say of the encoded matrix: means and spreads of numbers, the codes of categories."""

    def __init__(self, matrix: Any, categories: list[int]) -> None:
        rows = np.asarray(matrix, dtype="float64")
        self.categories = list(categories)
        self.numbers = [column for column in range(rows.shape[1]) if column not in set(categories)]
        given = np.ma.masked_invalid(rows[:, self.numbers])
        self.mean = np.asarray(given.mean(axis=0).filled(0.0))
        spread = np.asarray(given.std(axis=0).filled(0.0))
        self.spread = np.where(spread > 0, spread, 1.0)
        self.counts = [int(np.nanmax(rows[:, column], initial=-1)) + 1 for column in categories]

    def tensors(self, matrix: Any) -> tuple[Tensor, Tensor]:
        """Return numbers, standardized, with 0 and a mark where one is missing, and codes from 1 on, 0 for unknown."""
        rows = np.asarray(matrix, dtype="float64")
        numbers = (rows[:, self.numbers] - self.mean) / self.spread
        absent = ~np.isfinite(numbers)
        both = np.concatenate([np.where(absent, 0.0, numbers), absent], axis=1)
        codes = rows[:, self.categories] + 1
        known = np.isfinite(codes) & (codes >= 1) & (codes <= np.asarray(self.counts, dtype="float64"))
        return torch.from_numpy(both.astype("float32")), torch.from_numpy(np.where(known, codes, 0).astype("int64"))


class Perceptron(nn.Module):
    """Numbers and embedded categories -> hidden layers of ReLU with dropout -> scores.

    Entity embeddings of Guo and Berkhahn 2016 (arXiv 1604.06737), of round(1.6 n^0.56) dimensions for n categories,
    fast.ai's rule. Row 0 stands for what was never seen: zeros.
    """

    def __init__(
        self, columns: Columns, *, num_outputs: int, hidden_units: int, num_layers: int, dropout: float
    ) -> None:
        super().__init__()
        sizes = [min(MAX_EMBEDDING, max(2, round(1.6 * (count + 1) ** 0.56))) for count in columns.counts]
        pairs = zip(columns.counts, sizes, strict=True)
        embeddings = [nn.Embedding(count + 1, size, padding_idx=0) for count, size in pairs]
        with torch.no_grad():  # begin near zero, where the unknown is and stays
            for embedding in embeddings:
                embedding.weight.mul_(1 / math.sqrt(embedding.embedding_dim))
        self.embeddings = nn.ModuleList(embeddings)
        width = 2 * len(columns.numbers) + sum(sizes)
        layers: list[nn.Module] = []
        for _ in range(num_layers):
            layers += [nn.Linear(width, hidden_units), nn.ReLU(), nn.Dropout(dropout)]
            width = hidden_units
        self.layers = nn.Sequential(*layers, nn.Linear(width, num_outputs))

    def forward(self, numbers: Tensor, codes: Tensor) -> Tensor:  # (B, 2 N), (B, C) -> (B, outputs)
        """Return scores."""
        embedded = [embedding(codes[:, index]) for index, embedding in enumerate(self.embeddings)]
        return self.layers(torch.cat([numbers, *embedded], dim=1))  # type: ignore[no-any-return]


class EmbeddingNetwork(BaseEstimator):  # type: ignore[misc]
    """What the classifier and the regressor share; trained by `network_learning.train_network`."""

    def __init__(
        self,
        max_iter: int,
        hidden_units: int,
        num_layers: int,
        learning_rate: float,
        weight_decay: float,
        dropout: float,
        batch_size: int,
        seed: int,
        threads: int,
    ) -> None:
        self.max_iter, self.batch_size = max_iter, batch_size
        self.hidden_units, self.num_layers, self.dropout = hidden_units, num_layers, dropout
        self.learning_rate, self.weight_decay = learning_rate, weight_decay
        self.seed, self.threads = seed, threads

    def build(self, matrix: Any, categories: list[int], *, num_outputs: int) -> None:
        """Make the network for these columns."""
        self.columns_ = Columns(matrix, categories)
        self.network_ = Perceptron(
            self.columns_,
            num_outputs=num_outputs,
            hidden_units=self.hidden_units,
            num_layers=self.num_layers,
            dropout=self.dropout,
        )

    def scores(self, matrix: Any) -> Tensor:
        """Return the network's outputs, (rows, outputs), without a trace in its mode."""
        numbers, codes = self.columns_.tensors(matrix)
        was_training = self.network_.training
        self.network_.eval()
        with torch.no_grad():
            parts = zip(torch.split(numbers, PREDICTED_AT_ONCE), torch.split(codes, PREDICTED_AT_ONCE), strict=True)
            said = [self.network_(*part) for part in parts]
        self.network_.train(was_training)
        return torch.cat(said)

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "network_")


class EmbeddingClassifier(ClassifierMixin, EmbeddingNetwork):  # type: ignore[misc]
    """Predicts classes by softmax."""

    def predict_proba(self, matrix: Any) -> Any:
        """Return a probability for each of `classes_`."""
        return torch.softmax(self.scores(matrix).double(), dim=1).numpy()

    def predict(self, matrix: Any) -> Any:
        """Return the most probable labels."""
        return self.classes_[self.predict_proba(matrix).argmax(axis=1)]


class EmbeddingRegressor(RegressorMixin, EmbeddingNetwork):  # type: ignore[misc]
    """Predicts a number."""

    def predict(self, matrix: Any) -> Any:
        """Return the output."""
        return self.scores(matrix).double().numpy()[:, 0]
