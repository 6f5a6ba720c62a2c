# SPDX-License-Identifier: Apache-2.0
"""out/bench/report.html: the figures, and the curves as drawings, in one file that needs no other."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime, timezone

import jinja2
from markupsafe import Markup

from ..errors import AssayError
from ..report.html import FOLDER
from .curves import Series
from .figures import Figure

WIDTH, HEIGHT = 560, 300
LEFT, RIGHT, TOP, BOTTOM = 78, 18, 14, 44


def number(value: float) -> str:
    """With as many digits as one reads."""
    for limit, word in ((1e9, "G"), (1e6, "M")):
        if abs(value) >= limit:
            return f"{value / limit:.3g} {word}"
    return f"{value:,.0f}" if value == int(value) or abs(value) >= 100 else f"{value:.1f}"


def ticks(top: float, count: int = 5) -> list[float]:
    """Round numbers from 0 to `top` or a little above."""
    step = 10 ** math.floor(math.log10(max(top, 1e-9) / count))
    step = next(step * k for k in (1, 2, 5, 10, 20) if step * k * count >= top)
    return [step * n for n in range(math.ceil(top / step - 1e-9) + 1)]


@dataclass
class Drawing:
    """A plot in the coordinates of its SVG."""

    series: Series
    x_ticks: list[tuple[float, str]]
    y_ticks: list[tuple[float, str]]
    lines: list[tuple[str, list[tuple[float, float, str]]]]

    @property
    def headline(self) -> str:
        """What one reads from it."""
        plot = self.series
        if plot.curve.log:
            return f"{number(plot.refvmm[0])} at {plot.x[0]} bits, {number(plot.refvmm[-1])} at {plot.x[-1]}"
        bare = f"; the bare program {number(plot.slope(plot.bare))}" if plot.bare else ""
        return f"{number(plot.slope(plot.refvmm))} {plot.unit} for each{bare}"


def draw(plot: Series) -> Drawing:
    """Where everything goes."""
    values = plot.refvmm + plot.bare
    low_x, high_x = (plot.x[0], plot.x[-1]) if plot.curve.log else (0, plot.x[-1])
    if plot.curve.log:
        low, high = math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)))
        marks = [(float(n), number(10.0 ** n)) for n in range(low, high + 1)]
        scaled = math.log10
    else:
        marks = [(tick, number(tick)) for tick in ticks(max(values))]
        low, high = 0, marks[-1][0]
        scaled = float

    def across(x: float) -> float:
        return round(LEFT + (x - low_x) / (high_x - low_x) * (WIDTH - LEFT - RIGHT), 1)

    def up(y: float) -> float:
        return round(HEIGHT - BOTTOM - (y - low) / (high - low) * (HEIGHT - TOP - BOTTOM), 1)

    lines = [(who, [(across(x), up(scaled(y)), f"{who}, {x} {plot.curve.axis}: {y:,.0f} {plot.unit}") for x, y in zip(plot.x, ys)])
             for who, ys in (("bare", plot.bare), ("refvmm", plot.refvmm)) if ys]
    shown: list[tuple[float, str]] = []
    for x in plot.x:  # no label on top of another
        if not shown or across(x) - shown[-1][0] > 22:
            shown.append((across(x), str(x)))
    return Drawing(plot, shown, [(up(at), text) for at, text in marks], lines)


def render(rows: list[Figure], plots: list[Series], cell: str) -> str:
    """The page as text."""
    environment = jinja2.Environment(loader=jinja2.FileSystemLoader(FOLDER), autoescape=True, undefined=jinja2.StrictUndefined,
                                     trim_blocks=True, lstrip_blocks=True)
    environment.globals.update(number=number)
    titles: dict[str, list[Drawing]] = {}
    for plot in plots:
        titles.setdefault(plot.curve.title, []).append(draw(plot))
    try:
        style = Markup((FOLDER / "style.css").read_text("utf-8") + (FOLDER / "bench.css").read_text("utf-8"))
        template = environment.get_template("bench.html.j2")
    except (OSError, jinja2.TemplateError) as error:
        raise AssayError(f"{FOLDER}: the template of the benchmark's page cannot be used: {error}") from error
    return template.render(style=style, rows=rows, groups=titles, cell=cell, missed=[row for row in rows if row.good is False],
                           when=datetime.now(timezone.utc).strftime("%Y-%m-%d %H:%M UTC"), width=WIDTH, height=HEIGHT,
                           left=LEFT, right=WIDTH - RIGHT, top=TOP, bottom=HEIGHT - BOTTOM)
