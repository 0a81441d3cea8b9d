"""Images in few colours, a tenth of the size."""

from pathlib import Path

from PIL import Image

COLOURS = 16


def few_colours(path: Path, most: int) -> Image.Image:
    """An image at most so many pixels wide, in few colours."""
    with Image.open(path) as image:
        small = image.convert("RGB")
    if small.width > most:
        height = round(small.height * most / small.width)
        # Sharper filters draw a second, faint line along every thin one.
        small = small.resize((most, height), Image.Resampling.HAMMING)
    few = small.quantize(COLOURS, Image.Quantize.FASTOCTREE)
    # Colours close to the background, like the shade of every other row, would tint the background.
    palette, at = few.getpalette() or [], 3 * few.tobytes()[0]
    palette[at : at + 3] = small.tobytes()[:3]
    few.putpalette(palette)
    return few
