"""A result sheet for notebooks: pictures or texts, margins, the line where it ends, the report in words."""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence
from html import escape
from typing import Any

from .arrays import Fit
from .database import Row

STYLE = """<style>
.hx{font:14px system-ui,sans-serif;color:#1a1a1a;background:#fff}
.hx ol{display:grid;grid-template-columns:repeat(auto-fill,minmax(9rem,1fr));gap:.5rem;list-style:none;padding:0;margin:0}
.hx li{border:1px solid #ccc;border-radius:4px;padding:.4rem;overflow:hidden}
.hx li.below{opacity:.6}
.hx li.ends{grid-column:1/-1;border:0;border-top:2px dashed #a33;color:#a33;border-radius:0}
.hx img{display:block;width:100%;height:7rem;object-fit:contain}
.hx small{color:#555}
</style>"""


class Sheet:
    """HTML that a notebook shows, and the same in plain text."""

    def __init__(self, html: str, plain: str) -> None:
        self.html, self.plain = html, plain

    def _repr_html_(self) -> str:
        return self.html

    def __repr__(self) -> str:
        return self.plain


def sheet(
    rows: Sequence[Row],
    show: Callable[[Any], str | bytes] | dict[Any, str | bytes] | None = None,
    *,
    fit: Fit | None = None,
) -> Sheet:
    """Lays out rows that :func:`hinted_exemplar.search` found.

    ``show`` gives for a key a text, or the bytes of a PNG or JPEG picture; without it the key is shown. Texts are escaped.
    """
    fit = fit or getattr(rows, "fit", None)
    of = show.get if isinstance(show, dict) else (show or str)
    wanted = sum(row.margin is not None and row.margin > 0 for row in rows)
    ends = f"about here it ends: {wanted} {'row has' if wanted == 1 else 'rows have'} a margin above 0"
    report = in_words(fit) if fit else []
    items, lines, ended = [], list(report), False
    for row in rows:
        below = row.margin is not None and row.margin <= 0
        if below and not ended:
            ended = True
            items.append(f'<li class="ends">{ends}</li>')
            lines.append(f"---- {ends} ----")
        value, margin = of(row.key), "" if row.margin is None else f"{row.margin:.2f}"
        small = margin and f"<small>margin {margin}</small>"
        items.append(f"<li{' class=below' if below else ''}>{content(value, row.key)}{small}</li>")
        lines.append(f"{margin:>6}  {value if isinstance(value, str) else row.key}")
    paragraphs = "".join(f"<p>{escape(line)}</p>" for line in report)
    return Sheet(f'{STYLE}<div class="hx">{paragraphs}<ol>{"".join(items)}</ol></div>', "\n".join(lines))


def in_words(fit: Fit) -> list[str]:
    """The report as sentences."""
    lines = []
    if fit.hint_z is not None:
        good = "describes" if fit.hint_z >= 1.5 else "may describe" if fit.hint_z >= 0.7 else "does not describe"
        lines.append(f"The hint {good} the examples ({fit.hint_z:.1f} standard deviations above the rows).")
    for i, margin in enumerate(fit.exemplar_margins):
        if margin < 0.5:
            lines.append(f"Exemplar {i + 1} is hardly recognised (margin {margin:.2f}).")
    lines.extend(conflict[0].upper() + conflict[1:] + "." for conflict in fit.conflicts)
    if fit.false_negative_count:
        lines.append(f"{fit.false_negative_count} of {fit.negatives} sampled rows may be wanted too.")
    if not fit.converged:
        lines.append("The fit did not converge; raise max_iter.")
    return lines


def content(value: str | bytes | None, key: Any) -> str:
    """A picture or a text as HTML."""
    if isinstance(value, bytes):
        kind = "png" if value[:4] == b"\x89PNG" else "jpeg"
        data = base64.b64encode(value).decode()
        return f'<img alt="{escape(str(key), quote=True)}" src="data:image/{kind};base64,{data}">'
    return f"<div>{escape(str(key if value is None else value))}</div>"
