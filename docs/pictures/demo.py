"""Draws what `make demo` prints, as `demo.svg`: `make pictures`.

The picture loads nothing, no font either: whoever shows it need not ask anybody else.
"""

from __future__ import annotations

import io
import os
import subprocess
import sys
from pathlib import Path

from rich.console import Console
from rich.text import Text

ROOT = Path(__file__).resolve().parents[2]
PICTURE = Path(__file__).with_suffix(".svg")
MARGIN = 2

COLOURS = {
    r"^\$ .*|^\w.*": "bold",
    r"^ +\d+ ms(?=  )": "bold green",
    r'"[^"]*"(?=:)': "cyan",
    r'(?<=: )"[^"]*"': "yellow",
    r"\w+://[\w.:/]+": "#7aa9d6",
}
"""What stands out: commands and headings, times, the keys and the texts of a handler, addresses."""

FORMAT = """\
<svg viewBox="0 0 {width} {height}" xmlns="http://www.w3.org/2000/svg">
<style>
.{unique_id}-matrix {{ font: {char_height}px ui-monospace, Menlo, Consolas, "DejaVu Sans Mono", monospace }}
.{unique_id}-title {{ font: bold 18px sans-serif }}
{styles}
</style>
<defs>
<clipPath id="{unique_id}-clip-terminal"><rect width="{terminal_width}" height="{terminal_height}"/></clipPath>
{lines}
</defs>
{chrome}
<g class="{unique_id}-matrix" transform="translate({terminal_x}, {terminal_y})">
{backgrounds}{matrix}
</g>
</svg>
"""
"""Rich's own, without its fonts, which come from elsewhere."""


def told() -> str:
    """Run the demo, and return what it prints."""
    command = [sys.executable, str(ROOT / "examples" / "tutorial" / "demo.py")]
    environment = {**os.environ, "DEMO_EXIT": "1", "PYTHONIOENCODING": "utf-8"}
    demo = subprocess.run(command, env=environment, check=False, stdout=subprocess.PIPE, encoding="utf-8")
    if demo.returncode != 0:
        raise RuntimeError(f"expected the demo to end well, got {demo.returncode}:\n{demo.stdout}")
    return demo.stdout


def draw(printed: str) -> str:
    """Return the picture of a terminal in which `make demo` has printed this."""
    lines = ["$ make demo", *printed.rstrip().splitlines()]
    width = max(map(len, lines)) + MARGIN
    console = Console(record=True, width=width, file=io.StringIO(), force_terminal=True, color_system="truecolor")
    for line in lines:
        console.print(_coloured(line), soft_wrap=True)
    drawn = console.export_svg(title="backburner", code_format=FORMAT, unique_id="demo")
    return "\n".join(line.rstrip() for line in drawn.splitlines()) + "\n"


def _coloured(line: str) -> Text:
    text = Text(line)
    for pattern, colour in COLOURS.items():
        text.highlight_regex(pattern, colour)
    return text


if __name__ == "__main__":
    PICTURE.write_text(draw(told()), encoding="utf-8")
