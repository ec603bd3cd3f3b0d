"""A search that is refined by clicking, for notebooks. Needs ipywidgets."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from html import escape
from typing import Any

import ipywidgets as widgets
import numpy.typing as npt

from .database import Rows, search
from .sheet import content, in_words, sheet

NO_REASON = "no reason"


class Feedback:
    """Tiles with "more" and "not" below each; every click searches again.

    Parameters
    ----------
    connection, table, **arguments
        As for :func:`hinted_exemplar.search`.
    show
        For a key a text, or the bytes of a picture, as for :func:`hinted_exemplar.sheet`.
    reasons
        Texts and their embeddings, to choose from for a row that was rejected.
    k
        How many rows are shown.
    """

    def __init__(
        self,
        connection: Any,
        table: str,
        *,
        show: Callable[[Any], str | bytes] | Mapping[Any, str | bytes] | None = None,
        reasons: Mapping[str, npt.ArrayLike] | None = None,
        like: Any = (),
        unlike: Any = (),
        k: int = 12,
        **arguments: Any,
    ) -> None:
        self._connection = connection
        self._search = lambda **judged: search(connection, table, **arguments, **judged)
        self._show = show.get if isinstance(show, Mapping) else (show or str)
        self._reasons = dict(reasons or {})
        self._k = k
        self.like: list[Hashable] = list(like)
        """Keys of the rows that are wanted."""
        self.unlike: dict[Hashable, str | None] = dict.fromkeys(unlike)
        """Keys of the rows that are not, each with the text of its reason."""
        self.rows = Rows()
        """What was found last."""
        self._past: list[tuple[list, dict]] = []
        self._said, self._judged, self._tiles = widgets.HTML(), widgets.HBox(), widgets.HBox()
        for box in (self._judged, self._tiles):
            box.layout.flex_flow = "row wrap"
        self.widget = widgets.VBox([self._said, self._judged, self._tiles])
        """What the notebook shows."""
        self._again()

    def more(self, key: Hashable) -> None:
        """This row is wanted."""
        self._change(lambda: (self.unlike.pop(key, None), key in self.like or self.like.append(key)))

    def reject(self, key: Hashable, reason: str | None = None) -> None:
        """This row is not wanted, because of what the text says."""
        self._change(lambda: (key in self.like and self.like.remove(key), self.unlike.update({key: reason})))

    def forget(self, key: Hashable) -> None:
        """Nothing was said of this row."""
        self._change(lambda: (self.unlike.pop(key, None), key in self.like and self.like.remove(key)))

    def undo(self) -> None:
        """As before the last click."""
        if self._past:
            self.like, self.unlike = self._past.pop()
            self._again()

    def _repr_mimebundle_(self, **options: Any) -> dict[str, Any]:
        # Where nothing can be clicked, such as on a page of the manual, the rows are shown all the same.
        still = sheet(self.rows, self._show)
        return {**self.widget._repr_mimebundle_(**options), "text/html": still.html, "text/plain": still.plain}

    def _change(self, change: Callable[[], Any]) -> None:
        self._past.append((self.like.copy(), self.unlike.copy()))
        change()
        self._again()

    def _again(self) -> None:
        try:
            found = self._search(
                like=self.like,
                unlike=list(self.unlike),
                reasons=[self._reasons.get(reason) for reason in self.unlike.values()] or None,
                k=self._k + len(self.unlike),
            )
        except Exception as error:
            if not isinstance(error, (LookupError, ValueError)) and not hasattr(error, "sqlstate"):
                raise
            # After an error of the server a transaction takes no more statements.
            if hasattr(self._connection, "rollback"):
                self._connection.rollback()
            said = [str(error)]
        else:
            self.rows = Rows([row for row in found if row.key not in self.unlike][: self._k])
            self.rows.fit, self.rows.by = found.fit, found.by
            said = in_words(found.fit)
        self._said.value = "<br>".join(map(escape, said))
        self._judged.children = [*map(self._liked, self.like), *map(self._rejected, self.unlike), *self._undo()]
        self._tiles.children = [self._tile(row) for row in self.rows]

    def _tile(self, row: Any) -> widgets.VBox:
        margin = "" if row.margin is None else f"<small>margin {row.margin:.2f}</small>"
        shown = widgets.HTML(content(self._show(row.key), row.key) + margin)
        buttons = [_button("more", lambda: self.more(row.key)), _button("not", lambda: self.reject(row.key))]
        layout = widgets.Layout(width="11rem", border="1px solid #ccc", margin="2px", padding="4px")
        return widgets.VBox([shown, widgets.HBox(buttons)], layout=layout)

    def _liked(self, key: Hashable) -> widgets.HBox:
        return widgets.HBox([widgets.HTML(f"<b>{escape(str(key))}</b>"), _button("forget", lambda: self.forget(key))])

    def _rejected(self, key: Hashable) -> widgets.HBox:
        said = widgets.HTML(f"<s>{escape(str(key))}</s>")
        chosen = widgets.Dropdown(options=[NO_REASON, *self._reasons], value=self.unlike[key] or NO_REASON)
        chosen.layout.width = "9rem"
        chosen.observe(lambda change: self.reject(key, None if change.new == NO_REASON else change.new), "value")
        return widgets.HBox([said, chosen, _button("forget", lambda: self.forget(key))])

    def _undo(self) -> list[widgets.Button]:
        return [_button("undo", self.undo)] if self._past else []


def _button(text: str, act: Callable[[], None]) -> widgets.Button:
    button = widgets.Button(description=text, layout=widgets.Layout(width="4.5rem"))
    button.on_click(lambda _: act())
    return button
