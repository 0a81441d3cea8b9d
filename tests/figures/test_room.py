"""A name gets the first free position, whichever way it is searched for."""

from itertools import pairwise

import numpy as np
import pytest
from trial_evidence.figures.house.room import (
    _STEP,
    _WAY,
    GAP_MM,
    Taken,
    box,
    free_place,
    leader,
    meets,
    pieces,
)

PAGE = np.array([15.0, 12.0, 165.0, 95.0])
SIZE = np.array([14.0, 2.3])


def first_place(centre, reach, lines, marks):
    """Try one position after the other against every box."""
    own = box(centre - 0.6 * reach, centre + 0.6 * reach)
    others, everything = marks[~meets(marks, own)], np.concatenate([lines, marks])
    for step, way in zip(_STEP, _WAY, strict=True):
        low = centre + way * (reach + GAP_MM + step) - SIZE * (1 - way) / 2
        place = box(low, low + SIZE)
        if (low < PAGE[:2]).any() or (low + SIZE > PAGE[2:]).any():
            continue
        if meets(everything, place).any():
            continue
        ends = [np.array([end]) for end in leader(centre, reach, place)]
        along = pieces(*ends) if step >= 1.2 else []
        if any(meets(others, one).any() for one in along):
            continue
        return place, len(along)
    return None


@pytest.mark.parametrize("seed", range(4))
def test_a_name_takes_the_first_free_place(seed):
    rng = np.random.default_rng(seed)
    centres = PAGE[:2] + rng.beta(0.5, 1.5, (60, 2)) * (PAGE[2:] - PAGE[:2])
    # some marks overlap others, one is on the edge of the page, one outside
    centres[:5], centres[5], centres[6] = centres[9], PAGE[2:], PAGE[:2] - 30
    curve = np.column_stack([np.linspace(20, 160, 40), np.linspace(15, 60, 40) ** 1.1])
    lines, marks = (
        Taken(PAGE, boxes)
        for boxes in (pieces(curve[:-1], curve[1:]), box(centres - 1.2, centres + 1.2))
    )
    placed = 0
    for centre in centres:
        expected = first_place(centre, 1.2, lines.boxes, marks.boxes)
        found = free_place(centre, 1.2, SIZE, lines, marks)
        if expected is None:
            assert found is None
            continue
        assert found is not None
        placed += 1
        assert (found[0] == expected[0]).all()
        assert len(found[1]) == expected[1]
        marks.add(found[0][None])
        lines.add(found[1])
    assert 10 < placed < 60


def test_a_mark_without_a_number_has_no_place_and_takes_none():
    marks = Taken(PAGE, np.array([[np.nan, 20.0, np.nan, 30.0], [-np.inf, 20.0, np.inf, 30.0]]))
    lines = Taken(PAGE, np.empty((0, 4)))
    assert free_place(np.array([np.nan, 40.0]), 1.0, SIZE, lines, marks) is None
    assert free_place(np.array([60.0, 25.0]), 0.5, np.array([3.0, 1.0]), lines, marks) is not None
    everywhere = Taken(PAGE, np.array([[-np.inf, -np.inf, np.inf, np.inf]]))
    assert free_place(np.array([60.0, 25.0]), 0.5, SIZE, lines, everywhere) is None


def test_a_line_is_covered_by_boxes_of_a_millimetre():
    start, end = np.array([[20.0, 30.0], [5.0, 5.0]]), np.array([[50.0, 50.0], [5.0, 90.0]])
    boxes = pieces(start, end)
    # the second is vertical: a single box describes it
    assert len(boxes) == int(np.ceil(np.hypot(30, 20))) + 1
    assert boxes[-1] == pytest.approx([4.8, 4.8, 5.2, 90.2])
    assert all(meets(one, other) for one, other in pairwise(boxes[:-1]))
    assert boxes[0, :2] == pytest.approx([19.8, 29.8])
    assert boxes[-2, 2:] == pytest.approx([50.2, 50.2])
