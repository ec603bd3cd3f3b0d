"""The figure for the README: a band for each data set with a dot for each method, as SVG on a card of its own."""

from html import escape

import main_table as m

WIDTH, LEFT, RIGHT, TOP, ROW, LANE = 880, 230, 36, 84, 74, 10
INK, FAINT, LINE = "#1f2328", "#59636e", "#d1d9e0"
DOTS = {
    m.KNN: ("nearest neighbour", "#8c959f", 5),
    m.TEXT: ("text", "#bf8700", 5),
    m.EQUAL_SUM: ("exemplar + text", "#8250df", 5),
    m.ORACLE: ("centred sum, best weight in hindsight", "#cf222e", 5),
    m.OURS: ("hinted_exemplar", "#218bff", 6.5),
    m.NEUTRAL: ("hinted_exemplar with a neutral text", "#0a3069", 6.5),
}
# Where the legend's entries are: two lines of three.
PLACES = [(x, y) for y in (28, 54) for x in (30, 344, 580)]


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
    parts = []
    for (x, y), (label, colour, radius) in zip(PLACES, DOTS.values()):
        parts += [dot(x, y, colour, radius), words(x + 14, y + 5, label)]
    return parts


def axis(x, right, bottom):
    parts = []
    for tenth in range(0, round(right * 10) + 1, 1 if right < 0.6 else 2):
        at = x(tenth / 10)
        parts.append(f'<line x1="{at:.1f}" y1="{TOP}" x2="{at:.1f}" y2="{bottom}" stroke="{LINE}"/>')
        parts.append(words(at, bottom + 20, f"{tenth / 10:.1f}", FAINT, "middle"))
    return parts + [words((x(0) + x(right)) / 2, bottom + 38, "mean average precision", FAINT, "middle")]


def data_set(x, y, name, result):
    """A lane for each method, so that no dot hides another."""
    label, _, detail = name.partition("_")
    parts = [
        words(24, y - 2, label),
        words(24, y + 15, f"{detail}, {result['queries']} queries".lstrip(", "), FAINT, size=12),
        f'<line x1="24" y1="{y + ROW / 2}" x2="{WIDTH - RIGHT}" y2="{y + ROW / 2}" stroke="{LINE}"/>',
    ]
    for number, (method, (_, colour, radius)) in enumerate(DOTS.items()):
        lane = y + LANE * (number - (len(DOTS) - 1) / 2)
        value = x(result["methods"][method]["map"])
        parts.append(
            f'<line x1="{x(0):.1f}" y1="{lane}" x2="{value:.1f}" y2="{lane}" stroke="{colour}" stroke-width="2"/>'
        )
        parts.append(dot(value, lane, colour, radius))
    return parts


def dot(x, y, colour, radius):
    return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius}" fill="{colour}" stroke="#ffffff" stroke-width="1.5"/>'


def words(x, y, text, colour=INK, anchor="start", size=14):
    place = f'x="{x:.1f}" y="{y:.1f}" fill="{colour}" text-anchor="{anchor}" font-size="{size}"'
    return f"<text {place}>{escape(text)}</text>"
