"""Figures of a network."""

from collections.abc import Iterator
from itertools import groupby
from typing import Any

import pandas as pd

from trial_evidence.figures.canvas.page import Page, Picture
from trial_evidence.figures.canvas.style import Style
from trial_evidence.figures.canvas.text import text_width_mm
from trial_evidence.figures.charts.rankogram import rankogram
from trial_evidence.figures.forests.evidence import POOLED
from trial_evidence.figures.forests.forest import Column, Row, headed
from trial_evidence.figures.house.publish import Chart, charted
from trial_evidence.figures.house.theme import Words
from trial_evidence.figures.overview import matrix, network_graph
from trial_evidence.files import records
from trial_evidence.network.analysis import NetworkAnalysis
from trial_evidence.network.fit.evidence_split import ALL_DIRECT
from trial_evidence.network.models import COMMON, DESIGN_INTERACTION, LEADING, WALD
from trial_evidence.network.pictures.alternatives import alternatives
from trial_evidence.network.pictures.components import additivity, components
from trial_evidence.network.pictures.words import LIMITS, ShownNetwork, interval_columns, intervals
from trial_evidence.network.tables import patients_of
from trial_evidence.words.numbers import format_number, format_p, format_percent
from trial_evidence.words.printed import capital, counted, listing

# With fewer regimens in a part, the forest plot is sufficient; the tables have the rest.
LEAST_FOR_LEAGUE, LEAST_FOR_RANKS = 4, 5
# Padding of the cells of the league table, and maximum width of a cell, in mm.
_CELL_AIR_MM, _WIDEST_CELL_MM = 1.2, 24.0
NO_HETEROGENEITY = (
    "No comparison has enough trials to estimate heterogeneity: the common-effect model replaces "
    "random effects, and its intervals are too narrow if trials differ."
)


def network_drawings(analysis: NetworkAnalysis, style: Style) -> dict[str, Picture]:
    """Every figure that a network has evidence for, by its name without suffix.

    Returns
    -------
    dict of str to Picture
        ``graph`` and ``forest`` always; ``alternatives`` if a path connects a dual regimen with one
        of them; ``league`` if a part has at least four regimens and the cells fit the page;
        ``ranks`` and ``contributions`` for every part with at least five regimens (the number of
        the part is appended from the second on); ``split`` if any comparison rests on more than its
        own trials; ``components`` and ``additivity`` if the additive model gives any result.
    """
    if not analysis.parts:
        return {}
    net = ShownNetwork(analysis, style)
    pages: dict[str, Picture | None] = {
        "graph": _graph(net), "forest": _forest(net), "alternatives": alternatives(net),
        "league": _league(net),
    }  # fmt: skip
    for part in net.rows("summary"):
        if part["regimens"] >= LEAST_FOR_RANKS:
            behind = f"_{part['part']}" if part["part"] > 1 else ""
            of = f" of part {part['part']}" if len(analysis.parts) > 1 else ""
            pages[f"ranks{behind}"] = _ranks(net, part, f"{net.title}, ranks{of}")
            title = f"{net.title}, contributions{of}"
            pages[f"contributions{behind}"] = _contributions(net, part, title)
    pages |= {"split": _split(net), "components": components(net)}
    pages["additivity"] = additivity(net)
    return {name: page for name, page in pages.items() if page is not None}


def _heterogeneity(net: ShownNetwork) -> Iterator[str]:
    """tau2, I2 and Q of every part."""
    parts = net.rows("summary")
    several = len(parts) > 1
    for part in parts:
        if pd.notna(part["tau2_reml"]):
            p = "" if pd.isna(part["q_p"]) else f", {format_p(part['q_p'])}"
            which = f"Part {part['part']}: " if several else ""
            yield (
                f"{which}τ² = {format_number(part['tau2_reml'], 3)}, "
                f"I² = {format_number(0.0 if pd.isna(part['i2']) else part['i2'], 0)}%, "
                f"Q = {format_number(part['q'], 1)} on {part['q_df']:g} df{p}."
            )
    yield from _common_effect(net)


def _common_effect(net: ShownNetwork) -> Iterator[str]:
    """The parts whose heterogeneity cannot be estimated, and what replaces random effects there."""
    parts = net.rows("summary")
    without = [str(part["part"]) for part in parts if pd.isna(part["tau2_reml"])]
    if without:
        which = f"Part{'s' if len(without) > 1 else ''} {listing(without)}: "
        yield f"{which if len(parts) > 1 else ''}{NO_HETEROGENEITY}"


def _apart(net: ShownNetwork) -> tuple[str, ...]:
    count = len(net.analysis.parts)
    if count < 2:
        return ()
    return (
        f"The network has {count} parts that no trial connects. Each is analysed "
        "separately; regimens of different parts cannot be compared.",
    )


def _stand_in(net: ShownNetwork) -> tuple[str, ...]:
    """Note that the configured reference is replaced because no trial has it."""
    analysis = net.analysis
    if any(analysis.network.reference in part.data.treatments for part in analysis.parts):
        return ()
    (code,) = analysis.codes(analysis.network.reference)
    return (
        f"No trial of this network has {code}, the reference asked for; the regimen with most "
        f"trials{' in each part' if len(analysis.parts) > 1 else ''} takes its place.",
    )


def _graph(net: ShownNetwork) -> Page:
    nodes, edges = net.rows("nodes"), net.rows("comparisons")
    code = {row["regimen"]: row["code"] for row in nodes}
    studies = [study for part in net.analysis.parts for study in part.data.studies]
    most = max(nodes, key=lambda row: row["patients"])
    trials = max(row["trials"] for row in edges)
    often = [f"{row['first']} with {row['second']}" for row in edges if row["trials"] == trials]
    parts = len(net.analysis.parts)
    described = network_graph.NetworkGraph(
        net.title,
        [
            network_graph.GraphNode(
                row["code"],
                row["patients"],
                f"{shown} patients" if (shown := patients_of(row)) else "patients not stated",
            )
            for row in nodes
        ],
        [network_graph.GraphEdge(row["first"], row["second"], row["trials"]) for row in edges],
        [[row["code"] for row in part] for _, part in groupby(nodes, lambda row: row["part"])],
        [[code[t] for t in study.treatments] for study in studies if len(study.treatments) > 2],
        notes=(*_apart(net), *net.partly_stated([*code.values()])),
        footnotes=(
            net.codes(),
            *net.overridden(),
        ),
        description=f"Network graph. {net.title}: {len(nodes)} regimens, {len(studies)} trials, "
        f"{len(edges)} direct comparisons, {counted(parts, 'connected part')}. Most patients: "
        f"{most['code']} ({patients_of(most)}). "
        + (
            f"Compared most often: {'; '.join(often)} ({counted(trials, 'trial')}"
            f"{' each' if len(often) > 1 else ''})."
            if trials > 1
            else "No two regimens were compared by more than one trial."
        ),
    )
    return network_graph.layout(described, net.style)


def _forest(net: ShownNetwork) -> Page:
    nodes = {row["code"]: row for row in net.rows("nodes")}
    rows: list[Row] = []
    described = []
    found = net.tables["reference"]
    by_model = {(row["model"], row["code"]): row for row in records(found)}
    # Of the largest part, other than its leading model.
    models = [m for m in net.analysis.parts[0].models if m.prior or m.name == WALD]
    others = [model for model in models if model.role != LEADING]
    for _, block in _best_first(found[found["role"] == LEADING]).groupby("part"):
        heading = f"Against {nodes[block['reference'].iloc[0]]['label']}"
        rows += headed(rows, f"Against {block['reference'].iloc[0]}", "label")
        results = []
        for row in records(block):
            code, node = row["code"], nodes[row["code"]]
            ends = {model.name: POOLED(by_model[model.name, code]) for model in others}
            texts = {name: net.interval(low, high) for name, (_, low, high) in ends.items()}
            texts |= {"n": patients_of(node) or "–", "direct": str(row["direct_trials"])}
            texts["score"] = format_number(row["p_score"], 2)
            rows.append(net.row(code, POOLED(row), **texts))
            results.append(f"{node['label']} {rows[-1].texts['result']}")
        described.append(f"{heading}: {'; '.join(results)}.")
    return net.forest(
        "against the reference",
        rows,
        [
            Column("label", "Regimen", "left", "left"),
            Column("n", "Patients", "right", "left", 5),
            Column("direct", "Direct\ntrials", "right", "left", 3),
            *interval_columns(others),
            Column("score", "P-score", "right", "right", 4),
        ],
        ("the regimen", "the reference"),
        f"{net.measure.title.lower()} with its {net.level} interval. {' '.join(described)}",
        notes=(
            *_stand_in(net),
            *intervals(net),
            *_heterogeneity(net),
            *net.untested(),
            *_apart(net),
            *net.partly_stated([*found["code"]]),
            *net.by_widest_report(),
        ),
        footnotes=(
            "Random effects with one between-trial variance for all comparisons, by REML. Which "
            "interval is drawn depends on the degrees of freedom, as it depends on the number of "
            "trials in a pairwise analysis. Bayesian: with the prior on τ of the column, flat on "
            "all effects. Prediction intervals are in the table. P-score: mean "
            "probability of being better than another regimen of the part; a rank does not "
            f"show how large or how certain a difference is. {net.codes()}",
            *net.overridden(),
        ),
    )


def _best_first(table: pd.DataFrame) -> pd.DataFrame:
    """Regimens part by part, highest P-score first."""
    return table.sort_values(["part", "p_score"], ascending=[True, False], kind="stable")


def _league(net: ShownNetwork) -> Page | None:
    ranking = _best_first(net.tables["ranks"]).drop_duplicates("code")
    sizes = ranking["part"].value_counts()
    if sizes.max() < LEAST_FOR_LEAGUE:
        return None
    style, codes = net.style, ranking["code"].tolist()
    part = dict(zip(codes, ranking["part"], strict=True))
    found = {
        (row["first"], row["second"], key): row
        for row in net.rows("league")
        for key in (row["model"], row["role"])
    }
    room = min((style.width_mm - 2 * style.margin_mm) / len(codes), _WIDEST_CELL_MM) - _CELL_AIR_MM

    def cell(down: int, across: int) -> matrix.Cell:
        own, other = codes[down], codes[across]
        if down == across:
            return matrix.Cell(matrix.broken(own, room, style.footnote_pt), 1.0, bold=True)
        if part[own] != part[other]:
            return matrix.Cell(("–",))
        key = (other, own, LEADING) if across < down else (own, other, COMMON)
        return _league_cell(net, found[key], room)

    places = range(len(codes))
    cells = [[cell(down, across) for across in places] for down in places]
    excluding = sum(cells[down][across].bold for down in places for across in range(down))
    measure, null = net.measure.title.lower(), f"{net.measure.scale.null:g}"
    empty = " –: not connected." if len(sizes) > 1 else ""
    title = f"{net.title}, league table"
    return matrix.layout(
        matrix.Matrix(
            title,
            (),
            tuple(matrix.MatrixRow("", tuple(row)) for row in cells),
            notes=(
                f"Below the diagonal: random effects, the {measure} (and {net.level} limits) of "
                "the regimen of the column against that of the row. Above: common effect, the "
                "regimen of the row against that of the column, with Wald limits. In every cell "
                "the higher-ranked regimen comes first. Bold: the interval excludes "
                f"{null} (no difference).{empty}",
                " ".join(intervals(net, where=" below the diagonal")),
                *_common_effect(net),
            ),
            footnotes=(f"Ordered by P-score. {net.codes()}",),
            description=f"{title}, {measure} of {len(codes)} regimens, the best P-score first: "
            f"{', '.join(codes)}. By random effects the interval excludes {null} in "
            f"{excluding} of {sum(n * (n - 1) // 2 for n in sizes)} comparisons.",
        ),
        style,
    )


def _league_cell(net: ShownNetwork, row: dict[str, Any], room: float) -> matrix.Cell:
    low, high = row["ci_low"], row["ci_high"]
    estimate, whole = net.value(row["estimate"]), f"({net.interval(low, high)})"
    lines: tuple[str, ...] = (whole,)
    if text_width_mm(whole, net.style.footnote_pt, True) > room:
        lines = (f"({net.value(low)}", f"{net.value(high)})")
    return matrix.Cell((estimate, *lines), bold=not low <= net.measure.scale.null <= high)


def _ranks(net: ShownNetwork, part: dict[str, Any], title: str) -> Chart:
    ranks = _best_first(net.tables["ranks"])
    ranks = ranks[ranks["part"] == part["part"]]
    scores = [format_number(score, 2) for score in ranks["p_score"]]
    first, last = ranks["code"].iloc[[0, -1]]
    model = "common-effect" if pd.isna(part["tau2_reml"]) else "random-effects"
    note = (
        f"Probability of every rank, 1 being the best, by the {model} model. Ranks do "
        "not show how far apart regimens are, or how little evidence a single trial provides."
    )
    return charted(
        rankogram,
        ranks.assign(treatment=ranks["code"] + "  " + scores),
        "Regimen and P-score",
        words=Words(title, (note,), (net.codes(),)),
        description=f"Bar charts. {title} of {part['regimens']} regimens. Highest P-score: {first} "
        f"({scores[0]}, probability of being the best "
        f"{format_percent(ranks['probability'].iloc[0])}); lowest: {last} "
        f"({scores[-1]}).",
        style=net.style,
    )


def _contributions(net: ShownNetwork, part: dict[str, Any], title: str) -> Page | None:
    reference = part["reference"]
    found = net.tables["contributions"]
    found = found[
        (found["part"] == part["part"]) & found[["first", "second"]].eq(reference).any(axis=1)
    ]
    found = found.assign(
        other=found["first"].where(found["first"] != reference, found["second"]),
        direct=found["direct_first"] + " v " + found["direct_second"],
    )
    shares = found.pivot(index="direct", columns="other", values="share")
    shares = shares.loc[found["direct"].unique(), found["other"].unique()]
    most = [
        f"{name}: mostly {share.idxmax()} ({format_percent(share.max())})."
        for name, share in shares.items()
    ]

    def cell(share: float) -> matrix.Cell:
        return matrix.Cell((format_number(100 * share, 0),) if share >= 0.005 else (), share)

    rows = [matrix.MatrixRow(name, tuple(map(cell, row))) for name, row in shares.iterrows()]
    return matrix.layout(
        matrix.Matrix(
            title,
            tuple(shares.columns),
            tuple(rows),
            above="Direct comparison",
            notes=(
                f"Each column: how much (in %) every direct comparison contributes to the estimate "
                f"of that regimen against {reference}, by the random-walk method; shares under "
                "0.5% are left blank.",
            ),
            footnotes=(net.codes(),),
            description=f"Heat map. {title}: how much {len(rows)} direct comparisons contribute to "
            f"{len(shares.columns)} estimates against {reference}. {' '.join(most)}",
        ),
        net.style,
    )


def _split(net: ShownNetwork) -> Page | None:
    rows: list[Row] = []
    tested = []
    empty: dict[str, list[str]] = {}
    for row in net.rows("split"):
        if row["direct_share"] >= 1 - ALL_DIRECT:
            continue
        pair = f"{row['first']} v {row['second']}"
        p = "" if row["reason"] else format_p(row["difference_p"])
        tested.append(f"{pair} {p or 'not tested'}")
        indirect = {"p": p.removeprefix("p ").removeprefix("= ")}
        if row["reason"]:
            empty.setdefault(row["reason"], []).append(pair)
            indirect = {"result": "not shown"}
        share = format_percent(row["direct_share"])
        rows.append(Row("heading", {"label": pair}))
        for label, name, texts in (
            ("Direct", "direct", {"trials": str(row["trials"]), "share": share}),
            ("Indirect", "indirect", indirect),
            ("Network", "combined", {}),
        ):
            rows.append(net.row(label, [row[f"{name}{limit}"] for limit in LIMITS], **texts))
    if not rows:
        return None
    between = [
        f"Design-by-treatment interaction (random effects): Q = {format_number(test['q'], 1)} on "
        f"{test['df']:g} df, {format_p(test['p_value'])}."
        for test in net.rows("inconsistency", kind=DESIGN_INTERACTION)
        if pd.notna(test["p_value"])
    ]
    said = f"p value of their difference: {'; '.join(tested)}. {' '.join(between)}".rstrip()
    return net.forest(
        "direct and indirect evidence",
        rows,
        [
            Column("label", "Comparison", "left", "left"),
            Column("trials", "Trials", "right", "left", 1),
            Column("share", "Direct\nshare", "right", "left", 1),
            Column("p", "p, direct\nv indirect", "right", "right", 1),
        ],
        ("the first", "the second"),
        said,
        notes=(
            *between,
            *(f"{capital(reason)}: {'; '.join(pairs)}." for reason, pairs in empty.items()),
        ),
        footnotes=(
            "Separating indirect from direct evidence by back-calculation, random effects, Wald "
            "intervals. Trials "
            "of three or more arms count as direct evidence on every pair of arms. Comparisons "
            f"with a direct share of 100% are not shown. {net.codes()}",
        ),
    )
