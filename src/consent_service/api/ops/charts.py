"""Charts as SVG, written by hand: no script, no inline style, colours and the dark scheme by the style sheet's classes.

Every chart has a title and a description for those who hear it, and its numbers stand in a table beside it. It comes in
two widths, so that its letters keep their size on a phone.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import groupby

from markupsafe import Markup, escape

Share = float | None
"""From 0 to 1, or None where nothing is told."""

WIDE, NARROW = 760, 340
_MARGINS = (40, 8, 8, 22)
"""Left, right, above, below."""
_STEPS = (1, 1.2, 1.6, 2, 2.4, 3, 4, 5, 6, 8, 10)
_Draw = Callable[[int, str], Markup]


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a chart."""

    name: str
    css: str
    values: tuple[Share, ...]


@dataclass(frozen=True, slots=True)
class Stack:
    """One layer of stacked columns."""

    name: str
    css: str
    values: tuple[int | None, ...]


def spark(identity: str, title: str, description: str, values: Sequence[Share]) -> Markup:
    """Draw the course of one share on a small tile, from 0 to 100 %."""
    width, height = 280, 84
    plot = _Plot(width, height, len(values), 1.0, margins=(4, 6, 6, 6))
    guides = "".join(f'<path class="guide" d="M4 {plot.y(at):.1f}H{width - 6}"/>' for at in (0.0, 0.5, 1.0))
    body = guides + "".join(plot.area(run) + plot.path(run, "line") for run in _runs(values)) + plot.end_dot(values)
    return _svg(identity, title, description, width, height, body, "spark")


def lines(identity: str, title: str, description: str, labels: Sequence[str], drawn: Sequence[Line]) -> Markup:
    """Draw shares over days as lines."""
    top = _ceiling(max((v for line in drawn for v in line.values if v is not None), default=0.0), 0.05)
    return _both(
        lambda width, end: _lines(f"{identity}-{end}", title, description, labels, drawn, min(top, 1.0), width)
    )


def columns(identity: str, title: str, description: str, labels: Sequence[str], drawn: Sequence[Stack]) -> Markup:
    """Draw numbers over days as stacked columns."""
    sums = [sum(stack.values[place] or 0 for stack in drawn) for place in range(len(labels))]
    top = _ceiling(max(sums, default=0), 4)
    return _both(lambda width, end: _columns(f"{identity}-{end}", title, description, labels, drawn, top, width))


def _both(draw: _Draw) -> Markup:
    wide, narrow = draw(WIDE, "wide"), draw(NARROW, "narrow")
    return Markup('<div class="wide">{}</div><div class="narrow">{}</div>').format(wide, narrow)


def _lines(
    identity: str, title: str, description: str, labels: Sequence[str], drawn: Sequence[Line], top: float, width: int
) -> Markup:
    plot = _Plot(width, 200, len(labels), top)
    body = plot.frame(labels, [f"{top * part:.0%}" for part in (0, 0.5, 1)])
    for line in drawn:
        body += "".join(plot.path(run, f"line {line.css}") for run in _runs(line.values))
        body += plot.end_dot(line.values, line.css)
    return _svg(identity, title, description, width, 200, body, "chart")


def _columns(
    identity: str, title: str, description: str, labels: Sequence[str], drawn: Sequence[Stack], top: float, width: int
) -> Markup:
    plot = _Plot(width, 220, len(labels), top, between=True)
    body = plot.frame(labels, [f"{top * part:,.0f}" for part in (0, 0.5, 1)])
    bar = max(1.0, min(60.0, plot.step * 0.7))
    for place, label in enumerate(labels):
        body += _column(plot, place, bar, label, drawn)
    return _svg(identity, title, description, width, 220, body, "chart")


def _column(plot: "_Plot", place: int, bar: float, label: str, drawn: Sequence[Stack]) -> str:
    told = [(stack, stack.values[place]) for stack in drawn]
    words = ", ".join(f"{stack.name} {'withheld' if n is None else n}" for stack, n in told)
    parts, base = "", 0.0
    for stack, number in told:
        if number:
            low, high = plot.y(base), plot.y(base + number)
            parts += (
                f'<rect class="{stack.css}" x="{plot.x(place) - bar / 2:.1f}" y="{high:.1f}" '
                f'width="{bar:.1f}" height="{low - high:.1f}"/>'
            )
            base += number
    return f"<g><title>{escape(label)}: {escape(words)}</title>{parts}</g>"


class _Plot:
    """Where things stand in a drawing."""

    def __init__(
        self,
        width: int,
        height: int,
        number: int,
        top: float,
        *,
        margins: tuple[int, int, int, int] = _MARGINS,
        between: bool = False,
    ) -> None:
        self.width, self.height, self.number, self.highest = width, height, number, top or 1.0
        left, right, self.top, self.bottom = margins
        self.left, self.right = left, right
        places = number if between else number - 1
        self.step = (width - left - right) / max(1, places)
        self.offset = self.step / 2 if between else 0.0

    def x(self, place: int) -> float:
        """Give the place of a value from the left; a lone one stands in the middle."""
        if self.number == 1:
            return self.left + (self.width - self.left - self.right) / 2
        return self.left + self.offset + place * self.step

    def y(self, value: float) -> float:
        """Give the height of a value from the top."""
        room = self.height - self.top - self.bottom
        return self.top + room * (1 - value / self.highest)

    def path(self, run: Sequence[tuple[int, float]], css: str) -> str:
        """Draw a line through a run of values; a lone value is a dot."""
        if len(run) == 1:
            return f'<circle class="{css} lone" cx="{self.x(run[0][0]):.1f}" cy="{self.y(run[0][1]):.1f}" r="2"/>'
        points = "L".join(f"{self.x(place):.1f} {self.y(value):.1f}" for place, value in run)
        return f'<path class="{css}" d="M{points}"/>'

    def area(self, run: Sequence[tuple[int, float]]) -> str:
        """Fill what lies under a run of values."""
        points = "L".join(f"{self.x(place):.1f} {self.y(value):.1f}" for place, value in run)
        first, last = self.x(run[0][0]), self.x(run[-1][0])
        return f'<path class="area" d="M{first:.1f} {self.y(0):.1f}L{points}L{last:.1f} {self.y(0):.1f}Z"/>'

    def end_dot(self, values: Sequence[Share], css: str = "") -> str:
        """Mark the newest value that is told."""
        told = [(place, value) for place, value in enumerate(values) if value is not None]
        if not told:
            return ""
        place, value = told[-1]
        return f'<circle class="dot {css}" cx="{self.x(place):.1f}" cy="{self.y(value):.1f}" r="3.5"/>'

    def frame(self, labels: Sequence[str], scale: Sequence[str]) -> str:
        """Draw guides with their numbers, and the first, middle and last day."""
        drawn = ""
        for part, text in zip((0, 0.5, 1), scale, strict=True):
            y = self.y(self.highest * part)
            drawn += f'<path class="guide" d="M{self.left} {y:.1f}H{self.width - self.right}"/>'
            drawn += f'<text class="scale" x="{self.left - 6}" y="{y + 4:.1f}" text-anchor="end">{escape(text)}</text>'
        places = sorted({0, len(labels) // 2, len(labels) - 1}) if labels else []
        for place in places:
            anchor = "start" if place == 0 and len(labels) > 1 else "end" if place == len(labels) - 1 > 0 else "middle"
            drawn += (
                f'<text class="scale" x="{self.x(place):.1f}" y="{self.height - 5}" text-anchor="{anchor}">'
                f"{escape(labels[place])}</text>"
            )
        return drawn


def _runs(values: Sequence[Share]) -> list[list[tuple[int, float]]]:
    """Give the stretches of values that follow each other; what is withheld is a gap."""
    pairs = groupby(enumerate(values), key=lambda pair: pair[1] is None)
    return [[(place, value) for place, value in run if value is not None] for gap, run in pairs if not gap]


def _ceiling(value: float, least: float) -> float:
    """Give a round number at or above a value, for the end of a scale."""
    value = max(value, least)
    unit = 10.0 ** (len(str(int(value))) - 1) if value >= 1 else 0.01
    while True:
        for step in _STEPS:
            if step * unit >= value:
                return step * unit
        unit *= 10


def _svg(identity: str, title: str, description: str, width: int, height: int, body: str, css: str) -> Markup:
    head = Markup(
        '<svg class="{}" viewBox="0 0 {} {}" role="img" aria-labelledby="{}-t {}-d" focusable="false">'
        '<title id="{}-t">{}</title><desc id="{}-d">{}</desc>'
    ).format(css, width, height, identity, identity, identity, title, identity, description)
    # The body is made of numbers, of class names written here, and of texts that were escaped one by one.
    return head + Markup(body) + Markup("</svg>")  # noqa: S704  # nosec B704 - see above
