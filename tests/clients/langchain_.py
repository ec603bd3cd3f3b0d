"""LangChain: a retriever over PGVector's own table, and w as the query vector of its store. Run by tests/clients.sh."""

import json
import os

import common
import psycopg

# [docs
from typing import Any

from langchain_core.documents import Document
from langchain_core.embeddings import Embeddings
from langchain_core.retrievers import BaseRetriever

SEARCH = """
    SELECT d.document, d.cmetadata
    FROM   langchain_pg_collection AS c,
           hinted_exemplar_search('langchain_pg_embedding', 'embedding', key => 'id', k => %(k)s,
               exemplars => ARRAY(SELECT embedding FROM langchain_pg_embedding WHERE id = ANY (%(like)s)),
               hint      => %(hint)s::vector,
               filter    => format('collection_id = %%L', c.uuid)) AS found
           JOIN langchain_pg_embedding AS d ON d.id = found.key
    WHERE  c.name = %(collection)s
    ORDER  BY found.distance
"""


class HintedRetriever(BaseRetriever):
    """Documents by words and by documents like them, from the table that PGVector keeps."""

    connection: Any
    embeddings: Embeddings
    collection: str
    like: list[str] = []
    k: int = 5

    def _get_relevant_documents(self, query, *, run_manager):
        hint = str(self.embeddings.embed_query(query))
        given = {"hint": hint, "like": self.like, "collection": self.collection, "k": self.k}
        return [Document(page_content=text, metadata=data) for text, data in self.connection.execute(SEARCH, given)]
# docs]


class Words(Embeddings):
    """Stands in for a model: texts with words in common lie near each other."""

    def embed_query(self, text):
        return common.words(text)

    def embed_documents(self, texts):
        return [common.words(text) for text in texts]


def main():
    from langchain_postgres import PGVector
    from langchain_postgres.vectorstores import DistanceStrategy

    url = f"postgresql+psycopg://{os.environ.get('PGUSER', '')}@/{os.environ['PGDATABASE']}?host={os.environ['PGHOST']}&port={os.environ['PGPORT']}"
    embeddings = Words()
    store = PGVector(embeddings, connection=url, collection_name="notes", distance_strategy=DistanceStrategy.MAX_INNER_PRODUCT, create_extension=False)
    other = PGVector(embeddings, connection=url, collection_name="other", create_extension=False)
    texts = common.texts()
    store.add_texts(texts, ids=[str(i) for i in range(len(texts))], metadatas=[{"place": i} for i in range(len(texts))])
    other.add_texts(["red bicycle elsewhere"] * 3, ids=["a", "b", "c"])
    liked = [str(i) for i, text in enumerate(texts) if text.startswith("red bicycle")][:3]

    with psycopg.connect(autocommit=True) as connection:
        retriever = HintedRetriever(connection=connection, embeddings=embeddings, collection="notes", like=liked, k=8)
        found = retriever.invoke("bicycle")
        common.check("LangChain: a retriever by example and by words", len(found) == 8 and all("bicycle" in d.page_content for d in found)
                     and sum(d.page_content.startswith("red") for d in found) >= 5)
        common.check("LangChain: it keeps to its collection", all("number" in d.page_content for d in found) and {"place"} == set(found[0].metadata))
        common.check("LangChain: words alone do", all("kettle" in d.page_content for d in HintedRetriever(
            connection=connection, embeddings=embeddings, collection="notes").invoke("kettle")))
        query, hint, like = "bicycle", str(embeddings.embed_query("bicycle")), liked
        # [docs
        # The weight vector is a query vector: for the store as it is, made with DistanceStrategy.MAX_INNER_PRODUCT.
        WEIGHTS = """
            SELECT hinted_exemplar('langchain_pg_embedding', 'embedding',
                       exemplars     => ARRAY(SELECT embedding FROM langchain_pg_embedding WHERE id = ANY (%s)),
                       hint          => %s::vector,
                       source_filter => format('collection_id = %%L', (SELECT uuid FROM langchain_pg_collection WHERE name = %s)))::text
        """
        weights = json.loads(connection.execute(WEIGHTS, [like, hint, "notes"]).fetchone()[0])
        documents = store.similarity_search_by_vector(weights, k=8)
        # docs]
        common.check("LangChain: w is a query vector of its store", [d.page_content for d in documents] == [d.page_content for d in retriever.invoke(query)])
        filtered = store.similarity_search_by_vector(weights, k=3, filter={"place": {"$gte": 100}})
        common.check("LangChain: with the store's own filter", len(filtered) == 3 and all(d.metadata["place"] >= 100 for d in filtered))


main()
