"""Free space on a page: candidate positions for a name, and what is already drawn there."""

import numpy as np
import numpy.typing as npt

Boxes = npt.NDArray[np.float64]
"""Left, bottom, right and top of each box, in mm from the bottom left of the page."""

GAP_MM = 0.5
_LEADER_FROM_MM = 1.2
_PIECE_MM = 1.0
_STEPS_MM = (0.0, 0.8, 1.6, 2.6, 4.0, 6.0, 8.5, 12.0, 16.0, 21.0, 27.0)
_WAYS = (
    *((1, 0), (1, 0.6), (1, -0.6), (-1, 0), (-1, 0.6), (-1, -0.6), (0, 1), (0, -1)),
    *((0.5, 1), (-0.5, 1), (0.5, -1), (-0.5, -1)),
    # for marks crowded in a corner: names fan out from there
    *((across / 10, 1.0) for across in range(-9, 10, 2)),
    *((1.0, up / 10) for up in (2, 4, 8)),
)
_STEP = np.repeat(_STEPS_MM, len(_WAYS))
_WAY = np.tile(np.array(_WAYS, dtype=float), (len(_STEPS_MM), 1))
_PARTS = 8


def box(low: Boxes, high: Boxes) -> Boxes:
    """A box, or many, from two corners."""
    return np.concatenate([low, high], axis=-1)


def meets(boxes: Boxes, other: Boxes) -> npt.NDArray[np.bool_]:
    """Which boxes overlap another box, or (by broadcasting) many others."""
    return np.asarray(
        (boxes[..., 0] < other[..., 2])
        & (boxes[..., 1] < other[..., 3])
        & (other[..., 0] < boxes[..., 2])
        & (other[..., 1] < boxes[..., 3])
    )


def pieces(starts: Boxes, ends: Boxes) -> Boxes:
    """Cut lines into boxes short enough to follow them, with a small margin."""
    return _pieces(starts, ends)[0]


def _pieces(starts: Boxes, ends: Boxes) -> tuple[Boxes, npt.NDArray[np.int_]]:
    """The boxes along some lines, and the index of the line of each box."""
    ways = ends - starts
    level = (np.abs(ways) < 1e-6).any(axis=1)
    counts = np.ceil(np.hypot(ways[:, 0], ways[:, 1]) / _PIECE_MM)
    counts = np.where(level, 1, np.maximum(1, counts)).astype(int)
    line = np.repeat(np.arange(len(counts)), counts)
    number = np.arange(len(line)) - np.repeat(np.cumsum(counts) - counts, counts)
    step = (1.0 / counts)[line]
    last = number + 1 == counts[line]
    share = np.where(last, 1.0, (number + 1) * step)
    one, other = (starts[line] + at[:, None] * ways[line] for at in (number * step, share))
    return box(np.minimum(one, other) - 0.2, np.maximum(one, other) + 0.2), line


def leader(centre: Boxes, reach: float, place: Boxes) -> tuple[Boxes, Boxes]:
    """Ends of the line from the edge of a mark to its name, or to each of several positions."""
    near = np.clip(centre, place[..., :2], place[..., 2:])
    off = near - centre
    way = off / np.hypot(off[..., :1], off[..., 1:])
    return centre + (reach + 0.2) * way, near - 0.2 * way


class Taken:
    """Boxes on a page that must not be written over."""

    def __init__(self, page: Boxes, boxes: Boxes) -> None:
        self.page, self.boxes = page, boxes

    def add(self, boxes: Boxes) -> None:
        """Add boxes."""
        self.boxes = np.concatenate([self.boxes, boxes])


def free_place(
    centre: Boxes, reach: float, size: Boxes, lines: Taken, marks: Taken
) -> tuple[Boxes, Boxes] | None:
    """The nearest free position for a name, with the pieces of its leader line if it needs one.

    Parameters
    ----------
    centre, reach
        Centre and radius of the mark.
    size
        Width and height of the name.
    lines
        What a name must not cross; leader lines may.
    marks
        What neither may cross, except the mark itself.

    Returns
    -------
    tuple or None
        The box of the name, and boxes along the leader line; None if there is no free position.
    """
    # the edge of the name that faces the mark is at that distance
    low = centre + _WAY * (reach + GAP_MM + _STEP)[:, None] - size * (1 - _WAY) / 2
    places, page = box(low, low + size), marks.page
    on_page = (page[:2] <= places[:, :2]) & (places[:, 2:] <= page[2:])
    worth = np.flatnonzero(on_page.all(axis=1))
    if not len(worth):
        return None
    around = box(
        np.minimum(centre, places[worth, :2].min(axis=0)) - 1,
        np.maximum(centre, places[worth, 2:].max(axis=0)) + 1,
    )
    near_lines, near = (taken.boxes[meets(taken.boxes, around)] for taken in (lines, marks))
    others = near[~meets(near, box(centre - 0.6 * reach, centre + 0.6 * reach))]
    # a few boxes at a time: on a crowded page the first of them rule out most positions
    for there in np.array_split(np.concatenate([near, near_lines]), _PARTS):
        worth = worth[~meets(places[worth, None], there).any(axis=1)]
    if not len(worth):
        return None
    if _STEP[worth[0]] < _LEADER_FROM_MM:
        return places[worth[0]], np.empty((0, 4))
    ways, line = _pieces(*leader(centre, reach, places[worth]))
    crossed = np.zeros(len(worth), dtype=bool)
    crossed[line[meets(ways[:, None], others).any(axis=1)]] = True
    if crossed.all():
        return None
    first = int(np.argmin(crossed))
    return places[worth[first]], ways[line == first]
