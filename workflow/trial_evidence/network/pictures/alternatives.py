"""Figure of dual regimens against current alternatives, and what each comparison depends on."""

import math
from collections.abc import Iterator
from typing import Any

from trial_evidence.figures.canvas.page import Page
from trial_evidence.figures.forests.evidence import POOLED
from trial_evidence.figures.forests.forest import Column, Row, headed
from trial_evidence.files import records_by, where
from trial_evidence.network.alternatives import ABSENT, INTERVAL_MODELS
from trial_evidence.network.fit.links import DISAGREEMENT_P
from trial_evidence.network.pictures.words import ShownNetwork, interval_columns, intervals
from trial_evidence.words.numbers import format_number, format_percent
from trial_evidence.words.printed import counted, listing


def alternatives(net: ShownNetwork) -> Page | None:
    """Every dual regimen against every comparator; None if no such pair is connected."""
    shown = net.rows("alternatives", reason="")
    if not shown:
        return None
    leading = {row["lead"] for row in shown}
    models = {model.name: model for part in net.analysis.parts for model in part.models}
    # The interval of the leading model is printed with its estimate.
    others = [models[n] for n in INTERVAL_MODELS if {n} != leading and n in models]
    rows: list[Row] = []
    described = []
    for number, row in enumerate(shown):
        if not number or shown[number - 1]["comparator"] != row["comparator"]:
            rows += headed(rows, f"Against {row['comparator']}", "label")
        limits = {m.name: net.interval(row[f"{m.name}_low"], row[f"{m.name}_high"]) for m in others}
        share = format_percent(row["direct_share"]) if row["direct_trials"] else "none"
        texts = {"direct": share, "link": row["weakest_link"], **limits}
        rows.append(net.row(row["code"], POOLED(row), **texts))
        described.append(f"{row['code']} v {row['comparator']} {rows[-1].texts['result']}")
    return net.forest(
        "dual regimens v current alternatives",
        rows,
        [
            Column("label", "Dual regimen", "left", "left"),
            Column("direct", "Direct\nshare", "right", "left"),
            *interval_columns(others),
            Column("link", "Weakest link", "left", "right", len(others) + 1),
        ],
        ("the dual regimen", "the comparator"),
        f"{net.measure.title.lower()} with its {net.level} interval: {'; '.join(described)}. "
        f"{' '.join(_hangs_on(net))}",
        notes=(
            *intervals(net, {row["part"] for row in shown}),
            *_hangs_on(net),
            *_limits(net),
        ),
        footnotes=(
            "Direct share: weight of trials that compare the two; the rest is indirect, through "
            "other regimens. Weakest link: the direct comparison on the path that adds most to the "
            "variance, including how far its own trials vary. Trials disagree where p of "
            f"Cochran’s Q is below {DISAGREEMENT_P:.2f}. {net.codes()}",
        ),
    )


def _hangs_on(net: ShownNetwork) -> Iterator[str]:
    """The weakest links: their trials, the effect of leaving them out, and trials that disagree."""
    rows = net.rows("alternatives", reason="")
    links = records_by(where(net.tables["alternatives"], reason=""), "weakest_link")
    named = (f"{link} ({of[0]['weakest_trials']})" for link, of in links.items())
    yield f"Weakest links: {'; '.join(named)}."
    wider = {
        link: sorted(row["without_weakest"] for row in of if math.isfinite(row["without_weakest"]))
        for link, of in links.items()
    }
    some = [
        f"{link}, intervals {format_number(times[-1], 1)} times as wide"
        for link, times in wider.items()
        if times
    ]
    but = f" Where a path is left: without {'; '.join(some)} at most." if some else ""
    yield f"Without its weakest link, {_broken(rows)}.{but}"
    differ = dict.fromkeys(
        part for row in rows if row["disagreement"] for part in row["disagreement"].split("; ")
    )
    if differ:
        yield f"Trials on the path that disagree: {'; '.join(differ)}."


def _broken(rows: list[dict[str, Any]]) -> str:
    """How many comparisons would have no path without their weakest link."""
    count = sum(math.isnan(row["without_weakest"]) for row in rows)
    of = f"of the {counted(len(rows), 'comparison')}"
    if count == 0:
        return f"a path is left for each {of}"
    return f"no path is left for {'any' if count == len(rows) else count} {of}"


def _limits(net: ShownNetwork) -> Iterator[str]:
    """Comparators that are missing or not connected, and what cannot be tested."""
    table = net.tables["alternatives"]
    absent = table[table["reason"] == ABSENT]
    if len(absent):
        yield f"Not in this network: {', '.join(absent['comparator'])}."
    apart: dict[str, list[str]] = {}
    for comparator, block in table[~table["reason"].isin(["", ABSENT])].groupby("comparator"):
        apart.setdefault(listing(list(block["code"])), []).append(str(comparator))
    for codes, others in apart.items():
        yield f"No path of trials joins {' or '.join(others)} with {codes}."
    shown = net.rows("alternatives", reason="")
    years = sorted(year for row in shown for year in row["years"].split("–") if year)
    span = f"Reports from {years[0]} to {years[-1]}" if years else ""
    said = [text for text in (span, net.analysis.network.transitivity) if text]
    if said:
        yield f"Transitivity: {'; '.join(said)}."
    yield from net.untested()
