"""The figure for the README: a dot for each method in a row for each data set, as SVG on a card of its own."""

from html import escape

import main_table as m

WIDTH, LEFT, RIGHT, TOP, ROW = 860, 190, 40, 92, 52
INK, FAINT, LINE = "#1f2328", "#59636e", "#d1d9e0"
DOTS = {
    m.KNN: ("nearest neighbour", "#8c959f", 6),
    m.TEXT: ("text", "#bf8700", 6),
    m.EQUAL_SUM: ("exemplar + text", "#8250df", 6),
    m.ORACLE: ("centred sum, best weight in hindsight", "#cf222e", 6),
    m.OURS: ("hinted_exemplar", "#54aeff", 8),
    m.NEUTRAL: ("with a neutral text", "#0550ae", 8),
}


def draw(results):
    height = TOP + ROW * len(results) + 46
    highest = max(r["methods"][method]["map"] for r in results.values() for method in DOTS)
    right = min(1.0, (int(highest * 10) + 1) / 10)

    def x(value):
        return LEFT + (WIDTH - LEFT - RIGHT) * value / right

    bottom = TOP + ROW * len(results)
    parts = [*frame(height), *legend(), *axis(x, right, bottom)]
    for number, (name, result) in enumerate(results.items()):
        parts += data_set(x, TOP + ROW * (number + 0.5), name, result)
    return "\n".join([*parts, "</svg>"]) + "\n"


def frame(height):
    size = f'width="{WIDTH}" height="{height}" viewBox="0 0 {WIDTH} {height}"'
    return [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family="Helvetica, Arial, sans-serif" font-size="14">',
        "<title>Mean average precision of each method on each data set</title>",
        f'<rect width="{WIDTH}" height="{height}" rx="8" fill="#ffffff"/>',
    ]


def legend():
    """The methods in two lines of three."""
    parts = []
    for number, (label, colour, radius) in enumerate(DOTS.values()):
        left, y = (24, 220, 400)[number % 3], 28 + 26 * (number // 3)
        if number >= 3:
            left = (24, 320, 500)[number % 3]
        parts += [dot(left, y, colour, radius), words(left + 14, y + 5, label)]
    return parts


def axis(x, right, bottom):
    parts = []
    for tenth in range(0, round(right * 10) + 1, 1 if right < 0.6 else 2):
        at = x(tenth / 10)
        parts.append(f'<line x1="{at:.1f}" y1="{TOP}" x2="{at:.1f}" y2="{bottom}" stroke="{LINE}"/>')
        parts.append(words(at, bottom + 20, f"{tenth / 10:.1f}", FAINT, "middle"))
    return parts + [words((x(0) + x(right)) / 2, bottom + 38, "mean average precision", FAINT, "middle")]


def data_set(x, y, name, result):
    label, _, detail = name.partition("_")
    values = {method: result["methods"][method]["map"] for method in DOTS}
    low, high = min(values.values()), max(values.values())
    return [
        words(24, y - 2, label),
        words(24, y + 15, f"{detail}, {result['queries']} queries".lstrip(", "), FAINT, size=11),
        f'<line x1="{x(low):.1f}" y1="{y}" x2="{x(high):.1f}" y2="{y}" stroke="{LINE}" stroke-width="3"/>',
        *(dot(x(value), y, *DOTS[method][1:]) for method, value in values.items()),
    ]


def dot(x, y, colour, radius):
    return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius}" fill="{colour}" stroke="#ffffff" stroke-width="1.5"/>'


def words(x, y, text, colour=INK, anchor="start", size=14):
    return f'<text x="{x:.1f}" y="{y:.1f}" fill="{colour}" text-anchor="{anchor}" font-size="{size}">{escape(text)}</text>'
