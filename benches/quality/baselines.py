"""What else could be computed from the same rows and texts: by hand, and by other systems.

X are exemplars and Q hints, one row for each query and of unit length; mu is the mean of the rows searched.
"""

import numpy as np

from dataset import unit

WEIGHTS = (0.15, 0.25, 0.4, 0.7, 1.0)
FORCES = (0.25, 0.5, 0.75, 1.0)


def centred_sum(X, Q, mu, weight):
    return Q + weight * unit(X - mu)


def plain_sum(X, Q, weight):
    """Marqo's weighted query; with weight 1 also Qdrant's average_vector of exemplar and text."""
    return Q + weight * X


def move_to(X, Q, force):
    """Weaviate's nearText with moveTo: the text moved towards the example."""
    return Q * (1 - force / 2) + X * force / 2


def rocchio(Q, wanted, unwanted, weights=(1.0, 0.5, 0.25)):
    """Rocchio's query; `wanted` and `unwanted` are means of rows, zero where there is none."""
    return weights[0] * Q + weights[1] * wanted - weights[2] * unwanted


def average_vector(positives, negatives):
    """Qdrant's recommendation by average_vector for one query: positives and negatives are matrices."""
    mean = positives.mean(0)
    return unit(mean + mean - negatives.mean(0) if len(negatives) else mean)


def best_score(database, positives, negatives):
    """Qdrant's recommendation by best_score for one query: a score for each row."""
    positive = (database @ positives.T).max(1)
    # Below any cosine.
    negative = (database @ negatives.T).max(1) if len(negatives) else np.full(len(database), -2.0)
    return np.where(positive > negative, sigmoid(positive), -sigmoid(negative))


def sigmoid(x):
    """Qdrant's, which has no exponential."""
    return 0.5 * (x / (1 + np.abs(x)) + 1)


def best(candidates):
    """Of {setting: AP of each query} the setting with the largest mean, chosen with hindsight."""
    setting = max(candidates, key=lambda key: candidates[key].mean())
    return setting, candidates[setting]


class Qdrant:
    """qdrant-client's local mode over the rows searched."""

    def __init__(self, database):
        from qdrant_client import QdrantClient, models

        self.models = models
        self.size = len(database)
        self.client = QdrantClient(":memory:")
        distance = models.VectorParams(size=database.shape[1], distance=models.Distance.COSINE)
        self.client.create_collection("items", vectors_config=distance)
        self.client.upload_collection("items", vectors=database, ids=range(len(database)), batch_size=1000)

    def scores(self, strategy, positives, negatives):
        recommend = self.models.RecommendInput(
            positive=positives.tolist(), negative=negatives.tolist(), strategy=self.models.RecommendStrategy(strategy)
        )
        query = self.models.RecommendQuery(recommend=recommend)
        answer = self.client.query_points("items", query=query, limit=self.size, with_payload=False)
        scores = np.full(self.size, -np.inf)
        scores[[point.id for point in answer.points]] = [point.score for point in answer.points]
        return scores
