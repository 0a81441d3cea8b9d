"""Figures of a network, placed on pages."""

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from trial_evidence.figures.canvas.axis import Axis, AxisScale
from trial_evidence.figures.canvas.chart import printed
from trial_evidence.figures.canvas.page import Page
from trial_evidence.figures.canvas.style import Style
from trial_evidence.figures.canvas.text import text_width_mm
from trial_evidence.figures.charts import observed_predicted, rankogram
from trial_evidence.figures.forests.forest import Column, Forest, Row
from trial_evidence.figures.forests.layout import layout as forest_page
from trial_evidence.figures.overview import matrix, network_graph
from trial_evidence.files import records
from trial_evidence.network.analysis import ComponentAnalysis, NetworkAnalysis, PartAnalysis
from trial_evidence.network.components.additive import TIMES
from trial_evidence.network.evidence.graph import direct_comparisons
from trial_evidence.network.evidence.nodes import SEQUENCE
from trial_evidence.network.fit.effect import Effect
from trial_evidence.network.fit.league import League
from trial_evidence.network.tables import patients
from trial_evidence.pool.engine.refusals import Refused
from trial_evidence.words.models import MEASURE_NAMES
from trial_evidence.words.numbers import format_interval, format_number, format_p

# Below so many regimens in a part the forest plot says it all; the tables hold the rest.
LEAST_FOR_LEAGUE, LEAST_FOR_RANKS = 4, 5
# A ratio that large says only that there is next to no evidence.
BEYOND = 1000
# Room beside the texts of a cell of the league table, and its widest cell, in mm.
_CELL_AIR_MM, _WIDEST_CELL_MM = 1.2, 24.0
SAME_TAU2 = (
    "Random effects with one between-trial variance for all comparisons, by REML; Wald intervals."
)
NO_HETEROGENEITY = (
    "No comparison has trials enough to see heterogeneity by: the common-effect model stands in "
    "for random effects, and its intervals are too narrow if trials differ."
)


@dataclass(frozen=True)
class Drawing:
    """A figure of a network: its name without suffix and its page."""

    name: str
    page: Page


def network_drawings(analysis: NetworkAnalysis, style: Style) -> Iterator[Drawing]:
    """Every figure that a network has evidence for.

    Parameters
    ----------
    analysis : NetworkAnalysis
    style : Style

    Yields
    ------
    Drawing
        ``graph`` and ``forest`` always; ``league`` where a part has four regimens or more and the
        cells fit the page; for every part of five regimens or more ``ranks`` and
        ``contributions`` (with the number of the part behind the name from the second on);
        ``split`` where any comparison has indirect evidence; ``components`` and ``additivity``
        where the additive model says anything.
    """
    if not analysis.parts:
        return
    title = analysis.network.title
    yield Drawing("graph", _graph(analysis, title, style))
    yield Drawing("forest", _forest(analysis, f"{title}, against the reference", style))
    league = _league(analysis, f"{title}, league table", style)
    if league is not None:
        yield Drawing("league", league)
    for part in analysis.parts:
        if len(part.data.treatments) < LEAST_FOR_RANKS:
            continue
        behind = f"_{part.number}" if part.number > 1 else ""
        of = f" of part {part.number}" if len(analysis.parts) > 1 else ""
        yield Drawing(f"ranks{behind}", _ranks(analysis, part, f"{title}, ranks{of}", style))
        heat = _contributions(analysis, part, f"{title}, contributions{of}", style)
        if heat is not None:
            yield Drawing(f"contributions{behind}", heat)
    if any(split.indirect for part in analysis.parts for split in part.splits):
        yield Drawing("split", _split(analysis, f"{title}, direct and indirect evidence", style))
    components = analysis.components
    if components is not None and not isinstance(components.model, Refused):
        yield Drawing(
            "components", _components(analysis, components, f"{title}, components", style)
        )
        if _predicted(components):
            yield Drawing(
                "additivity", _additivity(analysis, components, f"{title}, additivity", style)
            )


FIGURES = (
    "graph", "forest", "league", "ranks", "contributions", "split", "components", "additivity",
)  # fmt: skip


# -------------------------------------------------------------------------------- words and axes


def axis_of(analysis: NetworkAnalysis, better: str, worse: str) -> Axis:
    """The axis of the network's measure.

    Parameters
    ----------
    analysis : NetworkAnalysis
    better, worse : str
        What lies on the side of benefit and on the other.
    """
    low, high = (better, worse) if analysis.network.small_is_good else (worse, better)
    return Axis(_scale(analysis), 0.0, _measure(analysis), low, high)


def _scale(analysis: NetworkAnalysis) -> AxisScale:
    return "linear" if analysis.network.measure == "risk_difference" else "log"


def _measure(analysis: NetworkAnalysis) -> str:
    return MEASURE_NAMES[analysis.network.measure]


def _result(analysis: NetworkAnalysis, estimate: float, low: float, high: float) -> str:
    if not math.isfinite(estimate):
        return "not estimable"
    return f"{_value(analysis, estimate)} ({_interval(analysis, low, high)})"


def _value(analysis: NetworkAnalysis, value: float) -> str:
    """A value of the analysis scale as printed; a ratio past all sense only as past it."""
    if _scale(analysis) == "log" and value > math.log(BEYOND):
        return f"> {BEYOND:,}"
    return printed(value, _scale(analysis))


def _interval(analysis: NetworkAnalysis, low: float, high: float) -> str:
    if not (math.isfinite(low) and math.isfinite(high)):
        return "–"
    if _scale(analysis) == "log" and high > math.log(BEYOND):
        return f"{_value(analysis, low)} to {_value(analysis, high)}"
    return format_interval(analysis.natural(low), analysis.natural(high))


def _codes(analysis: NetworkAnalysis) -> str:
    """The abbreviations that the codes are made of, in words."""
    held = {c for node in analysis.nodes.values() for c in node.components}
    words = [
        f"{short}: {component_words(analysis, component)}"
        for component, short in analysis.evidence.abbreviations.items()
        if component in held and component_words(analysis, component) != short
    ]
    words += ["seq: HER2 agents in sequence"] if SEQUENCE in held else []
    whole = [
        f"{node.code}: {node.label[:1].lower() if node.label[1:2].islower() else node.label[:1]}"
        f"{node.label[1:]}"
        for node in analysis.nodes.values()
        if " " in node.code and "+" in node.code
    ]
    return f"{'; '.join([*words, *whole])}."


def component_words(analysis: NetworkAnalysis, component: str) -> str:
    """A component, or several in an interaction, as figures name it."""
    words = {**analysis.labels, "endocrine": "endocrine therapy", SEQUENCE: "in sequence"}
    return " × ".join(words.get(part, part) for part in component.split(TIMES))


def _capital(words: str) -> str:
    return f"{words[:1].upper()}{words[1:]}"


def _heterogeneity(analysis: NetworkAnalysis) -> tuple[str, ...]:
    """tau2, I2 and Q of every part."""
    sentences = []
    without = [str(part.number) for part in analysis.parts if part.fit.tau2 is None]
    for part in analysis.parts:
        which = f"Part {part.number}: " if len(analysis.parts) > 1 else ""
        if part.fit.tau2 is None:
            continue
        p = "" if part.fit.q_p is None else f", {format_p(part.fit.q_p)}"
        sentences.append(
            f"{which}τ² = {format_number(part.fit.tau2, 3)}, I² = "
            f"{format_number(part.fit.i2 or 0.0, 0)}%, Q = {format_number(part.fit.q, 1)} on "
            f"{part.fit.q_df} df{p}."
        )
    if without:
        plural = "Parts" if len(without) > 1 else "Part"
        which = f"{plural} {_and(without)}: " if len(analysis.parts) > 1 else ""
        sentences.append(f"{which}{NO_HETEROGENEITY}")
    return tuple(sentences)


def _and(words: Sequence[str]) -> str:
    return " and ".join(filter(None, [", ".join(words[:-1]), words[-1]]))


def _apart(analysis: NetworkAnalysis) -> tuple[str, ...]:
    count = len(analysis.parts)
    if count < 2:
        return ()
    return (
        f"The network falls into {count} parts that no trial connects. Each is analysed by "
        "itself; regimens of different parts cannot be compared.",
    )


def _overridden(analysis: NetworkAnalysis) -> tuple[str, ...]:
    """Nodes whose arms are excluded from other analyses, and why."""
    used = analysis.evidence.used
    return tuple(
        f"{row['code']} is a node of its own here; other analyses exclude it: "
        f"{row['exclusion_overridden']}"
        for row in records(used[used["exclusion_overridden"] != ""])
    )


def _ranked(part: PartAnalysis) -> list[int]:
    """Places of the regimens of a part, the best P-score first."""
    return sorted(range(len(part.ranking.treatments)), key=lambda at: -part.ranking.p_score[at])


# --------------------------------------------------------------------------------------- network


def _graph(analysis: NetworkAnalysis, title: str, style: Style) -> Page:
    total, _ = patients(analysis)
    code = {regimen: node.code for regimen, node in analysis.nodes.items()}
    found = [c for part in analysis.parts for c in direct_comparisons(part.data)]
    studies = [study for part in analysis.parts for study in part.data.studies]
    largest = max(analysis.nodes, key=lambda regimen: total[regimen])
    often = max(found, key=lambda comparison: len(comparison.studies))
    described = network_graph.NetworkGraph(
        title=title,
        nodes=[
            network_graph.GraphNode(
                code[r], total[r], f"{total[r]:,} patients" if total[r] else "patients not stated"
            )
            for r in analysis.nodes
        ],
        edges=[
            network_graph.GraphEdge(code[c.first], code[c.second], len(c.studies)) for c in found
        ],
        parts=[[code[t] for t in part.data.treatments] for part in analysis.parts],
        multi_arm=[
            [code[t] for t in study.treatments] for study in studies if len(study.treatments) > 2
        ],
        notes=_apart(analysis),
        footnotes=(_codes(analysis), *_overridden(analysis)),
        description=f"Network graph. {title}: {len(analysis.nodes)} regimens, {len(studies)} "
        f"trials, {len(found)} direct comparisons, {len(analysis.parts)} connected "
        f"{'part' if len(analysis.parts) == 1 else 'parts'}. Most patients: {code[largest]} "
        f"({total[largest]:,}). Compared most often: {code[often.first]} with "
        f"{code[often.second]} ({len(often.studies)} "
        f"{'trial' if len(often.studies) == 1 else 'trials'}).",
    )
    return network_graph.layout(described, style)


def _forest(analysis: NetworkAnalysis, title: str, style: Style) -> Page:
    total, _ = patients(analysis)
    rows: list[Row] = []
    described = []
    for part in analysis.parts:
        reference = analysis.nodes[part.reference]
        direct = {
            frozenset((c.first, c.second)): len(c.studies) for c in direct_comparisons(part.data)
        }
        rows += [Row("gap")] if rows else []
        rows.append(Row("heading", {"label": f"Against {reference.code}"}))
        for place in _ranked(part):
            regimen = part.ranking.treatments[place]
            if regimen == part.reference:
                continue
            league = part.fit.random
            at = league.cell(regimen, part.reference)
            values = (
                float(league.effects[at]),
                float(league.ci_low[at]),
                float(league.ci_high[at]),
            )
            texts = {
                "label": analysis.nodes[regimen].code,
                "n": f"{total[regimen]:,}" if total[regimen] else "–",
                "direct": str(direct.get(frozenset((regimen, part.reference)), 0)),
                "result": _result(analysis, *values),
                "prediction": _interval(
                    analysis, float(part.fit.pi_low[at]), float(part.fit.pi_high[at])
                ),
                "score": format_number(float(part.ranking.p_score[place]), 2),
            }
            rows.append(Row("pooled", texts, *values))
            described.append(f"{analysis.nodes[regimen].label} {texts['result']}")
    columns = (
        Column("label", "Regimen", "left", "left"),
        Column("n", "Patients", "right", "left", priority=2),
        Column("direct", "Direct\ntrials", "right", "left", priority=1),
        Column("result", f"{_measure(analysis)}\n({analysis.level:g}% CI)", "right", "right"),
        Column("prediction", f"{analysis.level:g}% prediction\ninterval", "right", "right", 2),
        Column("score", "P-score", "right", "right", priority=1),
    )
    return forest_page(
        Forest(
            title,
            columns,
            tuple(rows),
            axis_of(analysis, "Favours the regimen", "Favours the reference"),
            notes=(*_heterogeneity(analysis), *_apart(analysis)),
            footnotes=(
                f"{SAME_TAU2} Prediction interval: t with the degrees of freedom of Q. P-score: "
                "mean probability of being better than another regimen of the part; a rank says "
                "nothing of how large or how certain a difference is. "
                f"{_codes(analysis)}",
            ),
            description=f"Forest plot. {title}, {_measure(analysis).lower()} with its "
            f"{analysis.level:g}% interval: {'; '.join(described)}.",
        ),
        style,
    )


def _league(analysis: NetworkAnalysis, title: str, style: Style) -> Page | None:
    order = [
        (part, part.ranking.treatments[place]) for part in analysis.parts for place in _ranked(part)
    ]
    if max(len(part.data.treatments) for part in analysis.parts) < LEAST_FOR_LEAGUE:
        return None
    room = min((style.width_mm - 2 * style.margin_mm) / len(order), _WIDEST_CELL_MM) - _CELL_AIR_MM
    rows = []
    excluding = 0
    for down, (part, regimen) in enumerate(order):
        cells = []
        for across, (other_part, other) in enumerate(order):
            if across == down:
                name = analysis.nodes[regimen].code
                lines = matrix.broken(name, room, style.footnote_pt)
                cells.append(matrix.Cell(lines, 1.0, bold=True))
            elif part is not other_part:
                cells.append(matrix.Cell(("–",)))
            elif across < down:
                cell = _league_cell(analysis, part.fit.random, other, regimen, room, style)
                excluding += cell.bold
                cells.append(cell)
            else:
                cells.append(_league_cell(analysis, part.fit.common, regimen, other, room, style))
        rows.append(matrix.MatrixRow("", tuple(cells)))
    measure = _measure(analysis).lower()
    sizes = [len(part.data.treatments) for part in analysis.parts]
    pairs = sum(size * (size - 1) // 2 for size in sizes)
    empty = " –: no path between the two." if len(analysis.parts) > 1 else ""
    return matrix.layout(
        matrix.Matrix(
            title,
            (),
            tuple(rows),
            notes=(
                f"Below the diagonal: random effects, the {measure} (and {analysis.level:g}% "
                "limits) of the regimen of the column against that of the row. Above: common "
                "effect, the regimen of the row against that of the column. So every cell has the "
                f"higher-ranked regimen first. Bold: the interval excludes no effect.{empty}",
            ),
            footnotes=(f"In the order of P-scores. {_codes(analysis)}",),
            description=f"{title}, {measure} of {len(order)} regimens, the best P-score first: "
            f"{', '.join(analysis.nodes[regimen].code for _, regimen in order)}. By random effects "
            f"the interval excludes no effect in {excluding} of {pairs} comparisons.",
        ),
        style,
    )


def _league_cell(
    analysis: NetworkAnalysis, league: League, first: str, second: str, room: float, style: Style
) -> matrix.Cell:
    at = league.cell(first, second)
    low, high = float(league.ci_low[at]), float(league.ci_high[at])
    estimate = _value(analysis, float(league.effects[at]))
    whole = f"({_interval(analysis, low, high)})"
    broken = f"({_value(analysis, low)}", f"{_value(analysis, high)})"
    fits = text_width_mm(whole, style.footnote_pt, True) <= room
    return matrix.Cell((estimate, whole) if fits else (estimate, *broken), bold=low > 0 or high < 0)


def _ranks(analysis: NetworkAnalysis, part: PartAnalysis, title: str, style: Style) -> Page:
    ranking = part.ranking
    treatments = [
        rankogram.Ranks(
            analysis.nodes[ranking.treatments[place]].code,
            f"P-score {format_number(float(ranking.p_score[place]), 2)}",
            [float(p) for p in ranking.probability[place]],
        )
        for place in _ranked(part)
    ]
    first, last = treatments[0], treatments[-1]
    return rankogram.layout(
        rankogram.Rankogram(
            title,
            treatments,
            notes=(
                "Probability of every rank, 1 being the best, by the random-effects model. Ranks "
                "hide how far apart regimens are, and how little a single trial says of one.",
            ),
            footnotes=(_codes(analysis),),
            description=f"Bar charts. {title} of {len(treatments)} regimens. The highest P-score "
            f"has {first.name} ({first.words.removeprefix('P-score ')}, probability of being the "
            f"best {format_number(100 * first.probability[0], 0)}%), the lowest {last.name} "
            f"({last.words.removeprefix('P-score ')}).",
        ),
        style,
    )


def _contributions(
    analysis: NetworkAnalysis, part: PartAnalysis, title: str, style: Style
) -> Page | None:
    found = part.contributions
    code = {regimen: node.code for regimen, node in analysis.nodes.items()}
    shown = [
        (pair, shares)
        for pair, shares in zip(found.estimates, found.shares, strict=True)
        if part.reference in pair
    ]
    others = [pair[1] if pair[0] == part.reference else pair[0] for pair, _ in shown]
    most = []
    for other, (_, shares) in zip(others, shown, strict=True):
        at = int(shares.argmax())
        pair = " v ".join(code[regimen] for regimen in found.comparisons[at])
        most.append(f"{code[other]}: mostly {pair} ({format_number(100 * shares[at], 0)}%).")
    rows = []
    for number, (first, second) in enumerate(found.comparisons):
        cells = []
        for _, shares in shown:
            share = float(shares[number])
            text = f"{format_number(100 * share, 0)}" if share >= 0.005 else ""
            cells.append(matrix.Cell((text,) if text else (), share))
        rows.append(matrix.MatrixRow(f"{code[first]} v {code[second]}", tuple(cells)))
    return matrix.layout(
        matrix.Matrix(
            title,
            tuple(code[other] for other in others),
            tuple(rows),
            above="Direct comparison",
            notes=(
                f"Each column: how much (in %) every direct comparison contributes to the estimate "
                f"of that regimen against {code[part.reference]}, by the random-walk method; "
                "shares under 0.5% are left blank.",
            ),
            footnotes=(_codes(analysis),),
            description=f"Heat map. {title}: how much {len(rows)} direct comparisons contribute to "
            f"{len(shown)} estimates against {code[part.reference]}. {' '.join(most)}",
        ),
        style,
    )


def _split(analysis: NetworkAnalysis, title: str, style: Style) -> Page:
    rows: list[Row] = []
    code = {regimen: node.code for regimen, node in analysis.nodes.items()}

    def row(words: str, estimate: Effect, **texts: str) -> Row:
        values = (estimate.estimate, estimate.ci_low, estimate.ci_high)
        shown = {"label": words, "result": _result(analysis, *values), **texts}
        return Row("pooled", shown, *values)

    tested = []
    for part in analysis.parts:
        for split in part.splits:
            if split.indirect is None or split.difference is None:
                continue
            pair = f"{code[split.comparison.first]} v {code[split.comparison.second]}"
            p = format_p(split.difference.p_value)
            tested.append(f"{pair} {p}")
            share = f"{format_number(100 * split.proportion, 0)}%"
            trials = str(len(split.comparison.studies))
            rows += [
                Row("heading", {"label": pair}),
                row("Direct", split.direct, trials=trials, share=share),
                row("Indirect", split.indirect, p=p.removeprefix("p ").removeprefix("= ")),
                row("Network", split.network),
            ]
    columns = (
        Column("label", "Comparison", "left", "left"),
        Column("trials", "Trials", "right", "left", priority=1),
        Column("share", "Direct\nshare", "right", "left", priority=1),
        Column("result", f"{_measure(analysis)}\n({analysis.level:g}% CI)", "right", "right"),
        Column("p", "p, direct\nv indirect", "right", "right", priority=1),
    )
    between = [
        f"Design-by-treatment interaction (random effects): Q = {format_number(test.q, 1)} on "
        f"{test.df} df, {format_p(test.p_value)}."
        for part in analysis.parts
        if (test := part.inconsistency.random_between) is not None and test.p_value is not None
    ]
    return forest_page(
        Forest(
            title,
            columns,
            tuple(rows),
            axis_of(analysis, "Favours the first", "Favours the second"),
            notes=tuple(between),
            footnotes=(
                "Separating indirect from direct evidence by back-calculation, random effects. "
                "Trials of three or more arms count as direct evidence on every two of them. "
                "Comparisons without indirect evidence are not shown. "
                f"{_codes(analysis)}",
            ),
            description=f"Forest plot. {title}, p value of their difference: {'; '.join(tested)}. "
            f"{' '.join(between)}".rstrip(),
        ),
        style,
    )


# ------------------------------------------------------------------------------------ components


def _predicted(components: ComponentAnalysis) -> bool:
    """Whether any regimen's sum can differ from its own effect."""
    return any(not row.difference.reason for row in components.predictions)


def _test_sentence(components: ComponentAnalysis) -> tuple[str, ...]:
    test = components.test
    if isinstance(test, Refused):
        return (test.reason,)
    if test.difference.p_value is None or test.random.p_value is None:
        return ("Additivity cannot be tested: as many components as comparisons to tell them by.",)
    return (
        f"Test of additivity: Q = {format_number(test.difference.q, 1)} on {test.difference.df} "
        f"df, {format_p(test.difference.p_value)} (common effect); "
        f"{format_number(test.random.q, 1)}, {format_p(test.random.p_value)} (random effects).",
    )


def _components(
    analysis: NetworkAnalysis, components: ComponentAnalysis, title: str, style: Style
) -> Page:
    model = components.model
    if isinstance(model, Refused):
        raise ValueError(model.reason)
    shown = components.interactions
    interact = any(not isinstance(found, Refused) for _, found in shown)
    # alone it would say what the footnote says
    rows = [Row("heading", {"label": "Additive model"})] if interact else []
    described: list[str] = []
    absent: dict[str, list[str]] = {}
    order = {name: place for place, name in enumerate(analysis.evidence.abbreviations)}
    for effect in sorted(model.components, key=lambda e: order.get(e.name, len(order))):
        name = _capital(component_words(analysis, effect.name))
        if effect.reason:
            absent.setdefault(_in_words(analysis, effect.reason), []).append(name)
            continue
        values = (effect.estimate, effect.ci_low, effect.ci_high)
        result = _result(analysis, *values)
        rows.append(Row("pooled", {"label": name, "result": result}, *values))
        described.append(f"{name} {result}")
    if interact:
        rows += [
            Row("gap"),
            Row("heading", {"label": "Interactions"}),
        ]
    for pair, found in shown:
        name = _capital(component_words(analysis, TIMES.join(pair)))
        if isinstance(found, Refused):
            absent.setdefault(_in_words(analysis, found.reason), []).append(name)
            continue
        values = (found.effect.estimate, found.effect.ci_low, found.effect.ci_high)
        above = found.posterior.probability_above_zero
        synergy = 1 - above if analysis.network.small_is_good else above
        result = _result(analysis, *values)
        texts = {"label": name, "result": result, "synergy": f"{format_number(100 * synergy, 0)}%"}
        rows.append(Row("pooled", texts, *values))
        described.append(f"{name} {result}, probability of synergy {texts['synergy']}")
    columns = (
        Column("label", "Component", "left", "left"),
        Column("result", f"{_measure(analysis)}\n({analysis.level:g}% CI)", "right", "right"),
        *(
            (Column("synergy", "Probability\nof synergy", "right", "right", priority=1),)
            if interact
            else ()
        ),
    )
    return forest_page(
        Forest(
            title,
            columns,
            tuple(rows),
            axis_of(analysis, "Favours adding it", "Favours leaving it out"),
            notes=(
                *_test_sentence(components),
                f"τ² = {format_number(model.tau2, 3)} (REML).",
                *(f"{', '.join(names)}: {reason}" for reason, names in absent.items()),
                *_confounded(analysis, components),
            ),
            footnotes=(
                "Additive model: the effect of a regimen is the sum of those of its components, on "
                "the logarithmic scale; each row is a component added to any regimen. “In "
                "sequence”, and the word of a regimen that is a node of its own, stand for all "
                "that such a regimen shows beyond that sum. Interactions, one at a time: what two "
                "components do together beyond the sum. Probability of synergy: Bayesian, "
                "half-normal prior on τ, flat on all effects.",
            ),
            description=f"Forest plot. {title}, {_measure(analysis).lower()} of adding each: "
            f"{'; '.join(described) or 'no component can be estimated'}. "
            f"{' '.join(_test_sentence(components))}",
        ),
        style,
    )


def _confounded(analysis: NetworkAnalysis, components: ComponentAnalysis) -> Iterator[str]:
    """Interactions that no trial tells from others."""
    for pair, found in components.interactions:
        if not isinstance(found, Refused) and found.confounded_with:
            names = " or ".join(component_words(analysis, name) for name in found.confounded_with)
            yield (
                f"{_capital(component_words(analysis, TIMES.join(pair)))} may as well be {names}: "
                "these trials cannot tell them apart."
            )


def _in_words(analysis: NetworkAnalysis, reason: str) -> str:
    """A reason that names components by their ids, as figures name them."""
    held = {c for node in analysis.nodes.values() for c in node.components}
    ids = sorted(held, key=len, reverse=True)
    named = re.compile(rf"(?<![\w-])(?:{'|'.join(map(re.escape, ids))})(?![\w-])")
    words = named.sub(lambda match: component_words(analysis, match.group()), reason)
    return words.replace(TIMES, " × ")


def _additivity(
    analysis: NetworkAnalysis, components: ComponentAnalysis, title: str, style: Style
) -> Page:
    points = []
    fixed = []
    for row in components.predictions:
        code = analysis.nodes[row.treatment].code
        if row.difference.reason:
            fixed.append(code)
            continue
        observed, predicted = row.observed, row.predicted
        points.append(
            observed_predicted.Agreement(
                code,
                (predicted.estimate, predicted.ci_low, predicted.ci_high),
                (observed.estimate, observed.ci_low, observed.ci_high),
            )
        )
    farthest = max(points, key=lambda point: abs(point.observed[0] - point.predicted[0]))
    measure = _measure(analysis)
    references: Sequence[str] = [analysis.nodes[p.reference].code for p in analysis.parts]
    left = (
        (
            f"Not shown, because the sum cannot differ from what was observed (a component of "
            f"their own) or is not known: {', '.join(fixed)}.",
        )
        if fixed
        else ()
    )
    return observed_predicted.layout(
        observed_predicted.ObservedPredicted(
            title,
            points,
            Axis(_scale(analysis), 0.0, f"Observed {measure.lower()}"),
            f"{measure} as the sum of the components",
            notes=_test_sentence(components),
            footnotes=(
                f"Each regimen against {' or '.join(references)}; both fits at the τ² of the "
                f"network model. Above the dashed line a regimen has a higher {measure.lower()} "
                "than the sum of its components.",
                *left,
                _codes(analysis),
            ),
            description=f"Scatter plot. {title}: observed {measure.lower()} against the sum of the "
            f"components, {len(points)} regimens. Farthest from the sum: {farthest.label} "
            f"(observed {_value(analysis, farthest.observed[0])}, predicted "
            f"{_value(analysis, farthest.predicted[0])}). {' '.join(_test_sentence(components))}",
        ),
        style,
    )
