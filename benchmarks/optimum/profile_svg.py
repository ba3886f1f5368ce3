"""A performance profile: for how many sets a program needs at most so many times the best time."""

from __future__ import annotations

import math
from html import escape

WIDTH, HEIGHT = 640, 360
LEFT, RIGHT, TOP, BOTTOM = 56, 150, 16, 44
MOST = 1000.0  # times the best
COLOURS = {"Ossau": "#c2410c", "scikit-learn": "#1d4ed8", "glum": "#15803d", "LIBLINEAR": "#7e22ce",
           "Snap ML": "#475569"}  # fmt: skip


def times_of(result: dict) -> dict[str, float]:
    times = {name: peer["seconds"] for name, peer in result["peers"].items() if "seconds" in peer}
    return {"Ossau": result["seconds"]} | times


def curves(results: dict) -> dict[str, list[float]]:
    """For each program its sorted quotients to the best time, of the sets that it solved."""
    quotients: dict[str, list[float]] = {name: [] for name in COLOURS}
    for result in results["sets"]:
        times = times_of(result)
        best = min(times.values())
        for name, seconds in times.items():
            quotients[name].append(seconds / best)
    return {name: sorted(values) for name, values in quotients.items()}


def place_x(quotient: float) -> float:
    share = math.log(min(quotient, MOST)) / math.log(MOST)
    return LEFT + share * (WIDTH - LEFT - RIGHT)


def place_y(share: float) -> float:
    return HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM)


def path(values: list[float], sets: int) -> str:
    points = [f"M{LEFT},{place_y(0):.1f}"]
    for count, quotient in enumerate(values, start=1):
        points.append(f"H{place_x(quotient):.1f}V{place_y(count / sets):.1f}")
    return "".join(points) + f"H{WIDTH - RIGHT}"


def render(results: dict) -> str:
    sets = len(results["sets"])
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
        'font-family="sans-serif" font-size="12" fill="#1f2937">\n'
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>\n'
    ]
    for times in (1, 2, 5, 10, 30, 100, 300, 1000):
        x = place_x(times)
        out.append(f'<path d="M{x:.1f},{place_y(0):.1f}V{place_y(1):.1f}" stroke="#e5e7eb"/>'
                   f'<text x="{x:.1f}" y="{HEIGHT - 26}" text-anchor="middle">{times}</text>\n')  # fmt: skip
    for share in (0, 0.25, 0.5, 0.75, 1):
        y = place_y(share)
        out.append(f'<path d="M{LEFT},{y:.1f}H{WIDTH - RIGHT}" stroke="#e5e7eb"/>'
                   f'<text x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{share:.0%}</text>\n')  # fmt: skip
    out.append(f'<text x="{(LEFT + WIDTH - RIGHT) / 2}" y="{HEIGHT - 8}" text-anchor="middle">'
               f"time over the best program's, of {sets} sets</text>\n")  # fmt: skip
    for row, (name, values) in enumerate(curves(results).items()):
        y = TOP + 12 + 20 * row
        colour = COLOURS[name]
        out.append(f'<path d="{path(values, sets)}" fill="none" stroke="{colour}" stroke-width="2"/>'
                   f'<path d="M{WIDTH - RIGHT + 12},{y - 4}h20" stroke="{colour}" stroke-width="2"/>'
                   f'<text x="{WIDTH - RIGHT + 38}" y="{y}">{escape(name)}</text>\n')  # fmt: skip
    return "".join(out) + "</svg>\n"
