"""Bars as SVG: one a server and setting, with the range of its rounds. Made by the benchmark itself, read by the documentation."""

from __future__ import annotations

from html import escape
from pathlib import Path

from bench.kit.figures import Spread

WIDTH, LEFT, BAR, GAP, TOP = 720, 210, 18, 8, 44
STYLE = "text{font:13px system-ui,sans-serif;fill:#222}.b{fill:#3b6ea5}.m{fill:#c2410c}.r{stroke:#111;stroke-width:1.5}"
STYLE += ".l{stroke:#888;stroke-dasharray:4 4}rect.g{fill:#fff}"


def bars(path: Path, title: str, rows: list[tuple[str, Spread]], *, limit: float | None, ours: str) -> None:
    """``limit``: where a dashed line stands. ``ours``: the label whose bar is told apart."""
    most = max([each.high for _, each in rows] + ([limit] if limit else [])) or 1.0
    scale = (WIDTH - LEFT - 90) / most
    height = TOP + len(rows) * (BAR + GAP) + 14
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img"><title>{escape(title)}</title><style>{STYLE}</style>']
    out.append(f'<rect class="g" width="{WIDTH}" height="{height}"/><text x="12" y="24" font-weight="600">{escape(title)}</text>')
    for number, (label, value) in enumerate(rows):
        top = TOP + number * (BAR + GAP)
        middle = top + BAR / 2
        kind = "m" if label.startswith(ours) else "b"
        out.append(f'<text x="{LEFT - 8}" y="{middle + 5}" text-anchor="end">{escape(label)}</text>')
        out.append(f'<rect class="{kind}" x="{LEFT}" y="{top}" width="{value.median * scale:.1f}" height="{BAR}"/>')
        out.append(f'<line class="r" x1="{LEFT + value.low * scale:.1f}" x2="{LEFT + value.high * scale:.1f}" y1="{middle}" y2="{middle}"/>')
        out.append(f'<text x="{LEFT + value.high * scale + 6:.1f}" y="{middle + 5}">{value.median:.3g}</text>')
    if limit:
        at = LEFT + limit * scale
        out.append(f'<line class="l" x1="{at:.1f}" x2="{at:.1f}" y1="{TOP - 8}" y2="{height - 8}"/>')
    path.write_text("\n".join([*out, "</svg>", ""]), "utf-8")
