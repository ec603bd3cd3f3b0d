"""Django."""

import os

import common
import django
from django.conf import settings
from django.db.utils import DataError, ProgrammingError

settings.configure(
    DATABASES={"default": {"ENGINE": "django.db.backends.postgresql", "NAME": os.environ["PGDATABASE"], "USER": os.environ["PGUSER"],
                           "HOST": os.environ["PGHOST"], "PORT": os.environ["PGPORT"]}},
    INSTALLED_APPS=[], DEFAULT_AUTO_FIELD="django.db.models.BigAutoField")
django.setup()

# [docs
from django.db import models
from django.db.models.expressions import RawSQL
from pgvector.django import VectorField


class Image(models.Model):
    path = models.TextField()
    embedding = VectorField(dimensions=4)

    class Meta:
        db_table = "images"
        managed = False
        app_label = "shop"


def search(image_id, hint):
    distance = RawSQL(
        """embedding <#> hinted_exemplar('images', 'embedding',
               exemplar => (SELECT embedding FROM images WHERE id = %s),
               hint     => %s::vector)""",
        (image_id, str(list(hint))),
    )
    return Image.objects.order_by(distance)[:5]
# docs]


from django.db import connection  # noqa: E402

with connection.cursor() as cursor:
    cursor.execute(common.SEARCH)
    expected = common.expected(cursor.fetchall())
common.check("Django", [(image.id, image.path) for image in search(7, common.HINT)] == expected)
try:
    list(search(7, [0.5, 0.5]))
    state = ""
except DataError as error:
    state = error.__cause__.sqlstate
common.check("Django, an error by its SQLSTATE", state.startswith("22"))
try:
    list(Image.objects.order_by(RawSQL("embedding <#> hinted_exemplar('images', 'embedding', hint => %s)", (common.HINT,))))
except ProgrammingError as error:
    common.first_error("Django", error.__cause__.diag.message_primary)
