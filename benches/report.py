"""Makes one table and one plot of what was measured.

usage: python report.py SOLVE_FILE SERVER_FILE PLOT        tab-separated lines of compare.py and server.sh; the plot is SVG
"""
import math
import statistics
import sys

PASS, WORSE = "yes", "NO"


def read(path):
    with open(path) as file:
        lines = [line.rstrip("\n").split("\t") for line in file if line.strip()]
    return lines


def ms(value):
    return f"{value:.2f}" if value < 10 else f"{value:.0f}"


def times(value):
    return f"{value:.1f}" if value < 10 else f"{value:.0f}"


def slope(points):
    """Of the least-squares line through the logarithms; not a number for a single point."""
    if len(points) < 2:
        return math.nan
    return statistics.linear_regression([math.log(x) for x, _ in points], [math.log(y) for _, y in points]).slope


def solve_table(cells):
    print("| rows x dimensions | cosine form, ms | LinearSVC / that | its J / that's J | fit, ms | L-BFGS / fit | its J - fit's, relative "
          "| fit with hint, ms | L-BFGS / that | its J - that's, relative | passes of memory |")
    print("|---|---|---|---|---|---|---|---|---|---|---|")
    for c in cells:
        relative = lambda other, own: f"{c[other] / c[own] - 1:+.0e}"
        print(f"| {c['n']:.0f} x {c['d']:.0f} | {ms(c['cosine'])} | {times(c['svc'] / c['cosine'])} "
              f"| {c['svc_J'] / c['cosine_J']:.3f} | {ms(c['plain'])} | {times(c['lbfgs'] / c['plain'])} "
              f"| {relative('lbfgs_J', 'plain_J')} | {ms(c['hinted'])} | {times(c['lbfgs_hint'] / c['hinted'])} "
              f"| {relative('lbfgs_hint_J', 'hinted_J')} | {c['hinted'] / c['memory']:.0f} |")


def met(condition):
    return PASS if condition else WORSE


def goals(cells, server):
    at = {(c["n"], c["d"]): c for c in cells}
    print("\n| goal | measured | met |")
    print("|---|---|---|")
    row = lambda goal, measured, condition: print(f"| {goal} | {measured} | {met(condition)} |")
    if c := at.get((1000, 512)):
        row("1000 x 512 with hint: at most 4 ms", f"{c['hinted']:.2f} ms", c["hinted"] <= 4)
        row("10 times faster than LinearSVC, to an objective at least as low", f"{c['svc'] / c['cosine']:.1f} times",
            c["svc"] >= 10 * c["cosine"] and c["cosine_J"] <= c["svc_J"])
    slowest = min(min(c["svc"] / c["cosine"], c["lbfgs"] / c["plain"], c["lbfgs_hint"] / c["hinted"]) for c in cells)
    row("never slower than LinearSVC or L-BFGS", f"at least {slowest:.1f} times as fast", slowest >= 1)
    least = min(min(c["lbfgs_J"] / c["plain_J"], c["lbfgs_hint_J"] / c["hinted_J"], c["svc_J"] / c["cosine_J"]) for c in cells) - 1
    # The objectives themselves differ by this, since what weighs the background is in single precision here.
    row("nor ending at a higher objective", f"at most {max(0, -least):.0e} above, relative", least > -1e-7)
    if not server:
        return
    s = server
    row("sampling 1000 of 1M rows beside 10k rows: at most 1.3 times", f"{s['sampling_10000']:.2f}, {s['sampling_100000']:.2f}, {s['sampling_1000000']:.2f} ms of 10k, 100k, 1M: {s['sampling_1000000'] / s['sampling_10000']:.2f} times (by hand {s['sampling_by_hand_1000000'] / s['sampling_by_hand_10000']:.2f})",
        s["sampling_1000000"] <= 1.3 * s["sampling_10000"])
    again = f"; {s['call_same_sample']:.2f} ms with the seed of the call before"
    row("whole call on 1M rows: at most 10 ms", f"{s['call']:.2f} ms{again}", s["call"] <= 10)
    row("beside the same on 10k rows: at most 1.3 times", f"{s['call'] / s['call_10000']:.2f} times ({s['call_10000']:.2f} ms)", s["call"] <= 1.3 * s["call_10000"])
    row("10 times faster than a client", f"{s['client'] / s['call']:.1f} times ({s['client']:.1f} ms: rows {s['client_fetch']:.1f}, LinearSVC {s['client_fit']:.1f}); {s['client'] / s['call_same_sample']:.1f} times with the same seed", s["client"] >= 10 * s["call"])
    for name, key, goal in [("hinted top 20", "hinted", 3), ("the same with expand => 10", "hinted_expand", 6)]:
        row(f"{name} through HNSW beside plain top 20 ({s['knn']:.2f} ms): at most {goal} times",
            f"{s[key] / s['knn']:.1f} times; {s[key + '_same_sample'] / s['knn']:.1f} with the same seed", s[key] <= goal * s["knn"])
    aged, plain = s["hinted_writes_aged"], s["knn_writes"]
    row(f"hinted top 20 under constant writes, with a sample_max_age, beside plain top 20 ({plain:.2f} ms): at most 2.2 times",
        f"{aged / plain:.1f} times; {s['hinted_writes'] / plain:.1f} without", aged <= 2.2 * plain)
    for size in ["1000x512", "10000x1536"]:
        row(f"memory of a fit at {size}: at most 2 times the sample", f"{s['memory_' + size]:.2f} times", s["memory_" + size] <= 2)


COLOURS = ["#1b9e77", "#d95f02", "#7570b3", "#e7298a", "#66a61e"]


def panel(x0, title, axis, lines, dashed):
    """One log-log plot: lines are (label, points), and so is dashed."""
    every = [point for _, points in lines + dashed for point in points]
    (x_low, x_high), (y_low, y_high) = (((min(v), max(v)) for v in zip(*every)))
    x_low, x_high, y_low, y_high = x_low * 0.8, x_high * 3, y_low * 0.7, y_high * 1.4
    left, top, width, height = x0 + 58, 40, 330, 270
    X = lambda x: left + width * math.log(x / x_low) / math.log(x_high / x_low)
    Y = lambda y: top + height - height * math.log(y / y_low) / math.log(y_high / y_low)
    out = [f'<text x="{left + width / 2}" y="22" text-anchor="middle" font-weight="bold">{title}</text>',
           f'<rect x="{left}" y="{top}" width="{width}" height="{height}" fill="none" stroke="#999"/>',
           f'<text x="{left + width / 2}" y="{top + height + 36}" text-anchor="middle">{axis}</text>']
    for exponent in range(-3, 6):
        if y_low <= 10**exponent <= y_high:
            out.append(f'<line x1="{left}" x2="{left + width}" y1="{Y(10**exponent):.1f}" y2="{Y(10**exponent):.1f}" stroke="#ddd"/>')
            out.append(f'<text x="{left - 6}" y="{Y(10**exponent) + 4:.1f}" text-anchor="end">{10**exponent:g} ms</text>')
    shown = []
    for x in sorted({x for x, _ in every}, key=lambda x: (x == 384, x)):
        if all(abs(X(x) - other) > 26 for other in shown):
            shown.append(X(x))
            out.append(f'<text x="{X(x):.1f}" y="{top + height + 17}" text-anchor="middle">{x:.0f}</text>')
    # Labels beside the last points, from below, none upon another.
    labels, free = {}, top + height
    for index, (_, points) in sorted(enumerate(lines + dashed), key=lambda line: line[1][1][-1][1]):
        labels[index] = min(Y(points[-1][1]), free)
        free = labels[index] - 13
    for index, (label, points) in enumerate(lines + dashed):
        is_dashed = index >= len(lines)
        colour = "#555" if is_dashed else COLOURS[index % len(COLOURS)]
        path = " ".join(f"{X(x):.1f},{Y(y):.1f}" for x, y in points)
        dash = ' stroke-dasharray="5 4"' if is_dashed else ""
        out.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"{dash}/>')
        out += [f'<circle cx="{X(x):.1f}" cy="{Y(y):.1f}" r="3" fill="{colour}"/>' for x, y in points]
        out.append(f'<text x="{X(points[-1][0]) + 7:.1f}" y="{labels[index] + 4:.1f}" fill="{colour}">{label}</text>')
    return out


def plot(cells, path):
    ns, ds = sorted({c["n"] for c in cells}), sorted({c["d"] for c in cells})
    by = lambda key, **fixed: [(c["d"] if "n" in fixed else c["n"], c[key]) for c in cells if all(c[k] == v for k, v in fixed.items())]
    slopes = [f"{slope(by('hinted', d=d)):.2f}" for d in ds], [f"{slope(by('hinted', n=n)):.2f}" for n in ns]
    n, d = (1000 if 1000 in ns else ns[0]), (512 if 512 in ds else ds[0])
    out = ['<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 850 365" font-family="sans-serif" font-size="12">',
           '<rect width="850" height="365" fill="white"/>']
    out += panel(0, "Fit with a hint, against rows", "rows", [(f"{d:.0f} d", by("hinted", d=d)) for d in ds], [("LinearSVC", by("svc", d=d))])
    out += panel(425, "against dimensions", "dimensions", [(f"{n:.0f} rows", by("hinted", n=n)) for n in ns], [("LinearSVC", by("svc", n=n))])
    out.append(f'<text x="425" y="358" text-anchor="middle" fill="#555">LinearSVC, without a hint, at {d:.0f} dimensions and at {n:.0f} rows</text></svg>')
    with open(path, "w") as file:
        file.write("\n".join(out) + "\n")
    print(f"\nLog-log slopes of the fit with a hint: against rows {', '.join(slopes[0])} (at {', '.join(f'{d:.0f}' for d in ds)} dimensions), "
          f"against dimensions {', '.join(slopes[1])} (at {', '.join(f'{n:.0f}' for n in ns)} rows).")


def main(solve, server, path):
    header, *lines = read(solve)
    cells = [dict(zip(header, map(float, line))) for line in lines]
    solve_table(cells)
    goals(cells, {name: float(value) for name, value in read(server)})
    plot(cells, path)


main(*sys.argv[1:])
