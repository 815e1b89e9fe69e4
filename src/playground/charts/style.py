"""What all charts share: a size that reads from the back row, and the colours of a prompt's parts."""

from __future__ import annotations

FONT_SIZE = 16


PART_COLOURS = {
    "system": "#4f7cac",
    "examples": "#8d6cab",
    "history": "#a8805a",
    "text": "#2b8f86",
    "clause": "#2b8f86",  # what a prompt of Scenario B has in the place of a text
    "worked": "#7a8f3c",
    "question": "#d98a2b",
    "chat format": "#8a97a3",
}
