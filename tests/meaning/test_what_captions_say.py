"""Captions, which an author prints under a figure: they say what the figure itself says."""

from meaning.evidence import rows
from meaning.reading import Figure


def test_a_caption_has_the_title_and_nothing_that_the_figure_does_not_say(made_up):
    told = rows(made_up.results / "alt-texts.csv")
    assert told
    for row in told:
        drawn = Figure(made_up.results / f"{row['figure']}.svg")
        words = {part.strip(".") for word in drawn.words for part in word.text.split()}
        title = row["title"].rstrip(".")
        assert row["caption"].startswith(title)
        small_print = row["caption"].removeprefix(title).removeprefix(".").split()
        assert {part.strip(".") for part in small_print} <= words, row["figure"]
