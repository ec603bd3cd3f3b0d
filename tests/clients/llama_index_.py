"""LlamaIndex: a retriever with w as the query vector of PGVectorStore. Run by tests/clients.sh."""

import os

import common
import psycopg

# [docs
import json

from llama_index.core.retrievers import BaseRetriever
from llama_index.core.schema import NodeWithScore
from llama_index.core.vector_stores import VectorStoreQuery

# PGVectorStore calls its table data_ and the name that it was given.
WEIGHTS = """
    SELECT hinted_exemplar('data_notes', 'embedding',
               exemplars => ARRAY(SELECT embedding FROM data_notes WHERE node_id = ANY (%(like)s)),
               hint      => %(hint)s::vector)::text
"""


class HintedRetriever(BaseRetriever):
    """Nodes by words and by nodes like them."""

    def __init__(self, store, embed_model, connection, like=(), k=5):
        self._store, self._embed_model, self._connection, self._like, self._k = store, embed_model, connection, list(like), k
        super().__init__()

    def _retrieve(self, query_bundle):
        hint = str(self._embed_model.get_query_embedding(query_bundle.query_str))
        weights = self._connection.execute(WEIGHTS, {"hint": hint, "like": self._like}).fetchone()[0]
        found = self._store.query(VectorStoreQuery(query_embedding=json.loads(weights), similarity_top_k=self._k))
        return [NodeWithScore(node=node, score=score) for node, score in zip(found.nodes, found.similarities)]
# docs]


def main():
    from llama_index.core.base.embeddings.base import BaseEmbedding
    from llama_index.core.schema import TextNode
    from llama_index.vector_stores.postgres import PGVectorStore

    class Words(BaseEmbedding):
        """Stands in for a model: texts with words in common lie near each other."""

        def _get_text_embedding(self, text):
            return common.words(text)

        def _get_query_embedding(self, query):
            return common.words(query)

        async def _aget_query_embedding(self, query):
            return common.words(query)

    address = f"{os.environ.get('PGUSER', '')}@/{os.environ['PGDATABASE']}?host={os.environ['PGHOST']}&port={os.environ['PGPORT']}"
    store = PGVectorStore(connection_string=f"postgresql+psycopg2://{address}", async_connection_string=f"postgresql+asyncpg://{address}",
                          table_name="notes", schema_name="public", embed_dim=32)
    texts = common.texts()
    store.add([TextNode(id_=str(i), text=text, embedding=common.words(text)) for i, text in enumerate(texts)])
    liked = [str(i) for i, text in enumerate(texts) if text.startswith("red bicycle")][:3]
    with psycopg.connect(autocommit=True) as connection:
        found = HintedRetriever(store, Words(), connection, like=liked, k=8).retrieve("bicycle")
        common.check("LlamaIndex: a retriever by example and by words", len(found) == 8 and all("bicycle" in n.text for n in found)
                     and sum(n.text.startswith("red") for n in found) >= 5)
        common.check("LlamaIndex: with scores, the best first", [n.score for n in found] == sorted((n.score for n in found), reverse=True))
        common.check("LlamaIndex: words alone do", all("kettle" in n.text for n in HintedRetriever(store, Words(), connection).retrieve("kettle")))


main()
