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
# spacing of the dots for the quick check of occupied space, and the tolerance at box edges
_DOT_MM, _HAIR = 0.5, 1e-6


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
    """Boxes on a page that must not be written over.

    A raster of dots, with those inside any box marked, rules out most positions on a crowded page
    without comparing boxes: the number of dots does not grow with the number of boxes.
    """

    def __init__(self, page: Boxes, boxes: Boxes) -> None:
        self.page = page
        across, up = np.maximum(np.ceil((page[2:] - page[:2]) / _DOT_MM).astype(int), 0) + 1
        self._dots = np.zeros((across, up), dtype=np.int32)
        self._sums: npt.NDArray[np.int32] | None = None
        # all boxes added so far
        self.boxes = np.empty((0, 4))
        self.add(boxes)

    def add(self, boxes: Boxes) -> None:
        """Add boxes."""
        self.boxes = np.concatenate([self.boxes, boxes])
        for left, bottom, right, top in self._inside(boxes[~np.isnan(boxes).any(axis=1)]).tolist():
            self._dots[left:right, bottom:top] = 1
        self._sums = None

    def surely(self, boxes: Boxes) -> npt.NDArray[np.bool_]:
        """Which boxes share a dot with occupied space; others may still overlap it between dots."""
        if self._sums is None:
            self._sums = np.zeros(np.add(self._dots.shape, 1), dtype=np.int32)
            np.cumsum(self._dots, axis=0, out=self._sums[1:, 1:])
            np.cumsum(self._sums[1:, 1:], axis=1, out=self._sums[1:, 1:])
        left, bottom, right, top = self._inside(boxes).T
        right, top, sums = np.maximum(left, right), np.maximum(bottom, top), self._sums
        inside = sums[right, top] - sums[left, top] - sums[right, bottom] + sums[left, bottom]
        return np.asarray(inside > 0)

    def _inside(self, boxes: Boxes) -> npt.NDArray[np.int_]:
        """Index of the first dots inside each box, across and up, and of the first ones after."""
        at = (boxes - np.tile(self.page[:2], 2)) / _DOT_MM
        low, high = np.floor(at[:, :2] + _HAIR) + 1, np.ceil(at[:, 2:] - _HAIR)
        return np.clip(box(low, high), 0, np.tile(self._dots.shape, 2)).astype(int)


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
    for taken in (lines, marks):
        worth = worth[~taken.surely(places[worth])]
    if not len(worth):
        return None
    around = box(
        np.minimum(centre, places[worth, :2].min(axis=0)) - 1,
        np.maximum(centre, places[worth, 2:].max(axis=0)) + 1,
    )
    near_lines, near = (taken.boxes[meets(taken.boxes, around)] for taken in (lines, marks))
    others = near[~meets(near, box(centre - 0.6 * reach, centre + 0.6 * reach))]
    for there in (near_lines, near):
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
