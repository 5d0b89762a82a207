"""Charts as SVG in a few lines: horizontal bars, and a line over time."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

_COLORS = {"bare": "#8c8c8c", "ours": "#1f6f5c", "ordinary": "#b5651d"}
_STYLE = (
    "<style>text{font:13px system-ui,sans-serif;fill:#333}.t{font-weight:600}"
    "@media(prefers-color-scheme:dark){text{fill:#ddd}}</style>"
)


@dataclass(frozen=True)
class Bar:
    """One bar."""

    name: str
    value: float
    kind: str


def bars(title: str, rows: Sequence[Bar]) -> str:
    """Draw one bar for each row, on a common linear scale."""
    most = max(row.value for row in rows)
    width, left, step = 860, 330, 26
    parts = [f'<text class="t" x="10" y="22">{escape(title)}</text>']
    for number, row in enumerate(rows):
        y = 40 + number * step
        length = max(1.0, (width - left - 110) * row.value / most)
        parts.append(f'<text x="{left - 10}" y="{y + 14}" text-anchor="end">{escape(row.name)}</text>')
        parts.append(f'<rect x="{left}" y="{y}" width="{length:.1f}" height="18" rx="2" fill="{_COLORS[row.kind]}"/>')
        parts.append(f'<text x="{left + length + 8:.1f}" y="{y + 14}">{row.value:,.0f}</text>')
    return _svg(width, 50 + len(rows) * step, parts)


def line(title: str, points: Sequence[tuple[float, float]], unit: str) -> str:
    """Draw a value over minutes, from zero."""
    width, height, left, bottom = 860, 320, 70, 40
    last, most = max(x for x, _ in points) or 1.0, 1.15 * max(y for _, y in points)

    def place(x: float, y: float) -> str:
        across = left + (width - left - 20) * x / last
        return f"{across:.1f},{height - bottom - (height - bottom - 50) * y / most:.1f}"

    parts = [f'<text class="t" x="10" y="22">{escape(title)}</text>']
    for share in (0.0, 0.25, 0.5, 0.75, 1.0):
        y = height - bottom - (height - bottom - 50) * share
        parts.append(f'<line x1="{left}" x2="{width - 20}" y1="{y:.1f}" y2="{y:.1f}" stroke="#8884"/>')
        parts.append(f'<text x="{left - 8}" y="{y + 4:.1f}" text-anchor="end">{most * share:,.0f}</text>')
    drawn = " ".join(place(x, y) for x, y in points)
    parts.append(f'<polyline points="{drawn}" fill="none" stroke="{_COLORS["ours"]}" stroke-width="2"/>')
    parts.append(f'<text x="{width - 20}" y="{height - 12}" text-anchor="end">{last:,.1f} minutes</text>')
    parts.append(f'<text x="{left}" y="{height - 12}">{escape(unit)}</text>')
    return _svg(width, height, parts)


def _svg(width: int, height: int, parts: Sequence[str]) -> str:
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img">'
    return "\n".join([head, _STYLE, *parts, "</svg>", ""])
