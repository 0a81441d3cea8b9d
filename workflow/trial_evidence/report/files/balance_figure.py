"""The figure of benefits and harms: differences per 1,000 patients when an agent is added."""

from collections.abc import Iterator
from itertools import groupby
from operator import itemgetter

from trial_evidence.figures.canvas.axis import Axis
from trial_evidence.figures.canvas.page import Page
from trial_evidence.figures.canvas.style import Style
from trial_evidence.figures.forests.forest import Column, Forest, Row, headed
from trial_evidence.figures.forests.layout import layout
from trial_evidence.report.material.material import Material
from trial_evidence.report.tables.balance import BENEFIT, Balance, balance
from trial_evidence.report.tables.harms import without_estimate
from trial_evidence.report.words.formats import DIFFERENCES, PER, change, per_thousand
from trial_evidence.report.words.templates import declared
from trial_evidence.words.printed import lower_first


def balance_pages(material: Material, style: Style) -> dict[str, tuple[str, Page]]:
    """Name of a figure -> its setting and page, for every setting with benefits and harms."""
    return {
        f"balance_{setting}": (setting, layout(_figure(material, str(setting), list(rows)), style))
        for setting, rows in groupby(balance(material), itemgetter("setting"))
    }


def _figure(material: Material, setting: str, found: list[Balance]) -> Forest:
    text = declared("figures")["balance"]
    columns = (
        Column("trial", text["outcome"], "left", "left"),
        Column("side", text["side"], "left", "left", 2),
        Column("control", text["control"], "right", "left", 1),
        Column("change", text["change"], "right", "right"),
    )
    rows: list[Row] = []
    said = []
    for added, mine in groupby(found, itemgetter("added")):
        rows += headed(rows, text["added"].format(added=added))
        for row in mine:
            rows.append(_row(row))
            said.append(f"{added}, {lower_first(row['about'])} {change(row)}")
    title = text["title"].format(setting=lower_first(material.configuration.settings[setting]))
    return Forest(
        title,
        columns,
        tuple(rows),
        Axis("linear", 0.0, "", text["fewer"], text["more"]),
        footnotes=(
            *text["footnotes"],
            *_sources(found, text["source"]),
            *filter(None, [without_estimate(material, setting)]),
        ),
        description=text["description"].format(title=title, said="; ".join(said)),
    )


def _row(row: Balance) -> Row:
    texts = {
        "trial": row["about"],
        "side": row["side"],
        "control": per_thousand(row["control_risk"]),
        "change": change(row),
    }
    return Row("pooled", texts, *(PER * row[end] for end in DIFFERENCES))


def _sources(found: list[Balance], words: str) -> Iterator[str]:
    """A footnote on the sources of the control risks of benefits; harms use their own arms."""
    benefits = [row for row in found if row["side"] == BENEFIT]
    said = [
        f"{added}: " + "; ".join(f"{row['about']}, {row['control_risk_source']}" for row in mine)
        for added, mine in groupby(benefits, itemgetter("added"))
    ]
    if said:
        yield words.format(said=". ".join(said))
