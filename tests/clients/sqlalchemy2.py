"""SQLAlchemy 2, Core and ORM."""

import common

# [docs
from pgvector.sqlalchemy import Vector
from sqlalchemy import create_engine, func, literal, select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column


class Base(DeclarativeBase):
    pass


class Image(Base):
    __tablename__ = "images"
    id: Mapped[int] = mapped_column(primary_key=True)
    path: Mapped[str]
    embedding: Mapped[list[float]] = mapped_column(Vector(4))


# SQLAlchemy knows no named arguments, so the call is text; CAST, because it takes :: for the start of a parameter.
def weights(image_id, hint):
    return text("""
        hinted_exemplar('images', 'embedding',
            exemplar => (SELECT embedding FROM images WHERE id = :id),
            hint     => CAST(:hint AS vector))
    """).bindparams(id=image_id, hint=str(list(hint)))


def search(session, image_id, hint):
    return session.scalars(select(Image).order_by(Image.embedding.op("<#>")(weights(image_id, hint))).limit(5)).all()
# docs]


engine = create_engine("postgresql+psycopg://")
with Session(engine) as session:
    expected = common.expected(session.execute(text(common.SEARCH)).all())
    common.check("SQLAlchemy 2, ORM", [(image.id, image.path) for image in search(session, 7, common.HINT)] == expected)

images = Image.__table__
with engine.connect() as connection:
    # [docs
    # Core, with positional arguments: source, embedding, exemplar, hint.
    example = select(images.c.embedding).where(images.c.id == 7).scalar_subquery()
    call = func.hinted_exemplar("images", "embedding", example, literal(common.HINT, Vector(4)))
    query = select(images.c.id, images.c.path).order_by(images.c.embedding.op("<#>")(call)).limit(5)
    # docs]
    rows = connection.execute(query).all()
    common.check("SQLAlchemy 2, Core", [tuple(row) for row in rows] == expected)
    try:
        connection.execute(select(weights(7, [0.5, 0.5])))
        state = ""
    except DBAPIError as error:
        state = error.orig.sqlstate
    common.check("SQLAlchemy 2, an error by its SQLSTATE", state.startswith("22"))
    connection.rollback()
    try:
        connection.execute(text("SELECT hinted_exemplar('images', 'embedding', hint => :hint::vector)"), {"hint": str(common.HINT)})
    except DBAPIError as error:
        common.first_error("SQLAlchemy 2", error.orig.diag.message_primary)
