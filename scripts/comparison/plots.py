# SPDX-License-Identifier: MIT
#
# Plots, drawn by gnuplot as SVG that stands in a page. A panel is as wide as
# a telephone, so that a page can put several side by side or below each other
# and the letters stay as large. TCP and UDP differ by mark, by dash and by
# name; colour only repeats it.
# Read next: figures.py, which fills them.
import html
import re
import shutil
import subprocess

WIDTH, HEIGHT, LETTERS = 400, 270, 14

# Dark on white; filled and solid, hollow and dashed: told apart in grey, too.
INK = {"TCP": "#0b4f9e", "UDP": "#a63603", "wire": "#444444"}
DASHES = {"TCP": "dt 1", "UDP": "dt (7,4)", "wire": "dt (1.5,3)"}
MARKS = {"TCP": "pt 7 ps 0.9", "UDP": "pt 4 ps 0.9"}
# Else one bar hides the other.
SIDESTEP = {"TCP": -0.07, "UDP": 0.07, "wire": 0.07}

HEAD = """\
set encoding utf8
set terminal svg noenhanced size {width},{height} \
font "sans-serif,{letters}" background "#ffffff"
set border 3 lc rgb "#333333"
set tics nomirror out scale 0.5
set grid ytics lc rgb "#d8d8d8" dt 1 lw 0.75
set key above left Left reverse horizontal samplen 3
set xlabel {x} offset 0,0.3
set ylabel {y}
"""


def available():
    return shutil.which("gnuplot") is not None


def quoted(text):
    """As gnuplot reads a string."""
    text = str(text).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{text}"'


def line(side):
    return f'lc rgb "{INK[side]}" lw 2 {DASHES[side]}'


class Failed(Exception):
    """gnuplot draws nothing; says why."""


class Panel:
    """One plot: its axes, what is drawn, and what is said of it to those who
    do not see it."""

    def __init__(self, name, title, x, y):
        self.name, self.title, self.about = name, title, title
        self.blocks, self.plots = [], []
        self.script = HEAD.format(
            width=WIDTH,
            height=HEIGHT,
            letters=LETTERS,
            x=quoted(x),
            y=quoted(y),
        )

    def set(self, *lines):
        self.script += "".join(f"set {line}\n" for line in lines)

    def add(self, rows, columns, how, title=None):
        """Rows of numbers, and gnuplot's words for how they are drawn."""
        block = f"$block{len(self.blocks)}"
        lines = (" ".join(f"{n:.9g}" for n in row) + "\n" for row in rows)
        self.blocks.append(f"{block} << END\n{''.join(lines)}END\n")
        name = f"title {quoted(title)}" if title else "notitle"
        self.plots.append(f"{block} using {columns} with {how} {name}")

    def mark_x(self, x, text):
        """A dotted line upright at x, and what it is."""
        self.set(
            f"arrow from {x},graph 0 to {x},graph 1 nohead "
            'lc rgb "#555555" dt (1.5,3) lw 1.5',
            f"label {quoted(text)} at {x},graph 0.94 offset 0.8,0",
        )

    def svg(self):
        script = "".join(self.blocks) + self.script
        script += "plot " + ", \\\n    ".join(self.plots) + "\n"
        done = subprocess.run(
            ["gnuplot"], input=script, capture_output=True, encoding="utf-8"
        )
        if done.returncode or "</svg>" not in done.stdout:
            why = " ".join(done.stderr.split())[:500]
            raise Failed(f"gnuplot: {why or 'draws nothing'}")
        return inline(done.stdout, self.name, self.about)


def categories(names):
    names = [quoted(name.replace("%", "%%")) for name in names]  # a format
    ticks = ", ".join(f"{name} {i}" for i, name in enumerate(names))
    return f"xtics ({ticks})", f"xrange [-0.5:{len(names) - 0.5}]"


def by_category(panel, names, sides, top):
    """Medians with their quartiles, a line a side: sides[side] is a list of
    Spread, or None where nothing is known."""
    panel.set(*categories(names), f"yrange [0:{top:.9g}]")
    for side, stats in sides.items():
        rows = [
            (place + SIDESTEP[side], stat.median, stat.low, stat.high)
            for place, stat in enumerate(stats)
            if stat
        ]
        if rows and side in MARKS:
            bar = f'lc rgb "{INK[side]}" lw 2 {MARKS[side]}'
            panel.add(rows, "1:2:3:4", f"yerrorbars {bar}")
            how = f"linespoints {line(side)} {MARKS[side]}"
            panel.add(rows, "1:2", how, side)
        elif rows:
            panel.add(rows, "1:2", f"lines {line(side)}", side)


def points(panel, sides):
    """A mark at each place: sides[side] is a list of (x, y)."""
    last = max(x for rows in sides.values() for x, _ in rows)
    panel.set(f"xrange [0:{last + 1}]", "yrange [0:*]")
    panel.set("offsets 0,0,graph 0.12,0")
    for side, rows in sides.items():
        mark = f'lc rgb "{INK[side]}" lw 1.5 {MARKS[side]}'
        panel.add(rows, "1:2", f"points {mark}", side)


def inline(svg, name, about):
    """An SVG document as an element of a page: no prologue, a size that fits
    its box, a name to be read aloud, and ids that no other element has."""
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"(\b(?:xlink:)?href=['\"]#)", rf"\1{name}-", svg)
    svg = svg.replace("url(#", f"url(#{name}-")
    svg = re.sub(r"(\sid=['\"])", rf"\1{name}-", svg)
    svg = re.sub(r"<title>Gnuplot</title>\s*<desc>[^<]*</desc>", "", svg)
    opening = svg[: svg.index(">") + 1]
    width, height = re.search(
        r"viewBox=['\"]0 0 ([\d.]+) ([\d.]+)['\"]", opening
    ).groups()
    return (
        f'<svg role="img" aria-label="{html.escape(about)}" '
        f'viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        'xmlns="http://www.w3.org/2000/svg" '
        'xmlns:xlink="http://www.w3.org/1999/xlink">'
        + svg[len(opening) :].strip()
    )
