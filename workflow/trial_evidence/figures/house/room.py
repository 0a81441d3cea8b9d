"""Room on a page: the places that a name could take, and what stands there already."""

import numpy as np
import numpy.typing as npt

Boxes = npt.NDArray[np.float64]
"""Left, bottom, right and top of each, in mm from the bottom left of the page."""

GAP_MM = 0.5
_LEADER_FROM_MM = 1.2
_PIECE_MM = 1.0
_STEPS_MM = (0.0, 0.8, 1.6, 2.6, 4.0, 6.0, 8.5, 12.0, 16.0, 21.0, 27.0)
_WAYS = (
    *((1, 0), (1, 0.6), (1, -0.6), (-1, 0), (-1, 0.6), (-1, -0.6), (0, 1), (0, -1)),
    *((0.5, 1), (-0.5, 1), (0.5, -1), (-0.5, -1)),
    # marks that crowd a corner: names fan out from there
    *((across / 10, 1.0) for across in range(-9, 10, 2)),
    *((1.0, up / 10) for up in (2, 4, 8)),
)
_STEP = np.repeat(_STEPS_MM, len(_WAYS))
_WAY = np.tile(np.array(_WAYS, dtype=float), (len(_STEPS_MM), 1))
# distance of the dots that tell at a glance what is taken, and how far they keep from an edge
_DOT_MM, _HAIR = 0.5, 1e-6


def box(low: Boxes, high: Boxes) -> Boxes:
    """A box, or many, from two corners."""
    return np.concatenate([low, high], axis=-1)


def meets(boxes: Boxes, other: Boxes) -> npt.NDArray[np.bool_]:
    """Which boxes have something in common with another, or each with many others."""
    return np.asarray(
        (boxes[..., 0] < other[..., 2])
        & (boxes[..., 1] < other[..., 3])
        & (other[..., 0] < boxes[..., 2])
        & (other[..., 1] < boxes[..., 3])
    )


def pieces(starts: Boxes, ends: Boxes) -> Boxes:
    """Lines in boxes so short that a box tells where its line runs, with a hair of air."""
    return _pieces(starts, ends)[0]


def _pieces(starts: Boxes, ends: Boxes) -> tuple[Boxes, npt.NDArray[np.int_]]:
    """The boxes of some lines, and which line each is of."""
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
    """Ends of the line from the edge of a mark to its name, or to each of many places."""
    near = np.clip(centre, place[..., :2], place[..., 2:])
    off = near - centre
    way = off / np.hypot(off[..., :1], off[..., 1:])
    return centre + (reach + 0.2) * way, near - 0.2 * way


class Taken:
    """Boxes on a page that nothing may be written over.

    A raster of dots, of which those inside a box are marked, rules out most places on a crowded
    page without a look at the boxes: the page holds as many dots however many boxes there are.
    """

    def __init__(self, page: Boxes, boxes: Boxes) -> None:
        self.page = page
        across, up = np.maximum(np.ceil((page[2:] - page[:2]) / _DOT_MM).astype(int), 0) + 1
        self._dots = np.zeros((across, up), dtype=np.int32)
        self._sums: npt.NDArray[np.int32] | None = None
        self._boxes, self._count = np.empty((len(boxes) + 16, 4)), 0
        self.add(boxes)

    def add(self, boxes: Boxes) -> None:
        """Take more."""
        count = self._count + len(boxes)
        if count > len(self._boxes):
            self._boxes = np.concatenate([self.boxes, np.empty((2 * count, 4))])
        self._boxes[self._count : count], self._count = boxes, count
        for left, bottom, right, top in self._inside(boxes[~np.isnan(boxes).any(axis=1)]).tolist():
            self._dots[left:right, bottom:top] = 1
        self._sums = None

    @property
    def boxes(self) -> Boxes:
        """All of them."""
        return self._boxes[: self._count]

    def surely(self, boxes: Boxes) -> npt.NDArray[np.bool_]:
        """Which boxes share a dot with what is taken; others may meet it between the dots."""
        if self._sums is None:
            self._sums = np.zeros(np.add(self._dots.shape, 1), dtype=np.int32)
            np.cumsum(self._dots, axis=0, out=self._sums[1:, 1:])
            np.cumsum(self._sums[1:, 1:], axis=1, out=self._sums[1:, 1:])
        left, bottom, right, top = self._inside(boxes).T
        right, top, sums = np.maximum(left, right), np.maximum(bottom, top), self._sums
        inside = sums[right, top] - sums[left, top] - sums[right, bottom] + sums[left, bottom]
        return np.asarray(inside > 0)

    def _inside(self, boxes: Boxes) -> npt.NDArray[np.int_]:
        """First dots inside boxes, across and up, and the first ones after them."""
        at = (boxes - np.tile(self.page[:2], 2)) / _DOT_MM
        low, high = np.floor(at[:, :2] + _HAIR) + 1, np.ceil(at[:, 2:] - _HAIR)
        return np.clip(box(low, high), 0, np.tile(self._dots.shape, 2)).astype(int)


def free_place(
    centre: Boxes, reach: float, size: Boxes, lines: Taken, marks: Taken
) -> tuple[Boxes, Boxes] | None:
    """The nearest free place for a name, in pieces the line to its mark, if it is that far off.

    Parameters
    ----------
    centre, reach
        Of the mark.
    size
        Width and height of the name.
    lines
        What a name must not cross; lines to marks may.
    marks
        What neither may cross, but for the mark itself.

    Returns
    -------
    tuple or None
        The box of the name, and boxes along the line.
    """
    # the edge that faces the mark is what lies at that distance
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
