"""The start screen: one answer per setting, with its verdict and a picture of its interval."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from trial_evidence.config.configuration import Analysis
from trial_evidence.files import Record, records
from trial_evidence.report.material.material import Material, ReportTable
from trial_evidence.report.material.two_trials import two_trials
from trial_evidence.report.page.rows import anchor
from trial_evidence.report.words import reading
from trial_evidence.words.errors import RequestError
from trial_evidence.words.printed import capital, count, counted, listing

CITATION = "CITATION.cff"
# Verdict -> a sign, so that the verdict does not depend on colour alone, and the name of its look.
SIGNS = {
    "supported": ("✓", "good"), "probable": ("≈", "likely"), "not supported": ("✕", "bad"),
    "benefit": ("✓", "good"), "harm": ("✕", "bad"),
}  # fmt: skip
OPEN = ("?", "open")
# Half the width of the picture as a log ratio, at most and at least; ratios beyond it are drawn at
# the edge.
FURTHEST, NEAREST = math.log(4), math.log(1.5)


@dataclass(frozen=True)
class Card:
    """The answer of a setting.

    Attributes
    ----------
    target : str
        Anchor of the analysis.
    verdict, sign, look : str
        The verdict as a word, as a sign, and as the name of a colour.
    certainty : str
        Certainty of the evidence in words; ``""`` if unknown.
    bar : tuple of float
        Lower limit, estimate and upper limit in percent of the width of the picture, with benefit
        to the right and no effect in the middle; empty unless the measure is a ratio.
    """

    setting: str
    target: str
    title: str
    sentence: str
    verdict: str
    sign: str
    look: str
    certainty: str
    bar: tuple[float, ...]


def about(project: Path, provenance: Mapping[str, Any]) -> str:
    """Authors, version, dates: facts from CITATION.cff and the provenance, in short sentences.

    The release date is in CITATION.cff; without it, the date of the commit is used.
    """
    path = project / CITATION
    try:
        cited = yaml.safe_load(path.read_text(encoding="utf-8")) or {} if path.is_file() else {}
        names = [
            author.get("name")
            or f"{author.get('given-names', '')} {author.get('family-names', '')}".strip()
            for author in cited.get("authors") or ()
        ]
    except (yaml.YAMLError, AttributeError) as error:
        raise RequestError(f"{CITATION} cannot be read as a citation file.") from error
    date = cited.get("date-released") or provenance["revision"].get("date", "")
    version = [str(cited.get("version", "")), date and f"of {date}"]
    searched = max(provenance["searched"], default="")
    said = [
        listing(names),
        " ".join(filter(None, ["Version", *version])) if any(version) else "",
        searched and f"Searched until {searched}",
        "Not peer reviewed",
    ]
    return "".join(f"{text}. " for text in said if text).rstrip()


def cards(material: Material, tables: Mapping[str, ReportTable]) -> Iterator[Card]:
    """For each setting, the answer of its first analysis that pools all trials and has a result."""
    answered: dict[str, tuple[Analysis, Record]] = {}
    for analysis in material.front():
        found = material.lead(analysis)
        if found is not None:
            answered.setdefault(analysis.setting, (analysis, found))
    ends = [abs(end) for analysis, lead in answered.values() for end in _towards(analysis, lead)]
    width = min(max([NEAREST, *(1.1 * end for end in ends)]), FURTHEST)
    for setting, (analysis, lead) in answered.items():
        verdict = _verdict(analysis, lead, tables)
        sign, look = SIGNS.get(verdict, OPEN)
        rated = (row["certainty"] for row in _about(tables, "front", analysis))
        yield Card(
            setting=material.configuration.settings[setting],
            target=anchor(setting, analysis.id),
            title=analysis.title,
            sentence=_sentence(material, analysis, lead),
            verdict=capital(verdict),
            sign=sign,
            look=look,
            certainty=next(filter(None, rated), ""),
            bar=_bar(_towards(analysis, lead), width),
        )


def _sentence(material: Material, analysis: Analysis, lead: Record) -> str:
    pair, patients = two_trials(material, analysis), count(lead["participants"])
    behind = counted(int(lead["k"]), "trial") + (patients and f", {patients} patients")
    shared = f"; if both share one effect, {reading.estimate_words(pair.common)}" if pair else ""
    surrogate = "; surrogate outcome" if material.surrogate_for(analysis) else ""
    return f"{reading.estimate_words(lead)}; {behind}{shared}{surrogate}"


def _verdict(analysis: Analysis, lead: Record, tables: Mapping[str, ReportTable]) -> str:
    """The verdict on the first claim on the effect; without a claim, the side of the interval."""
    for claim in _about(tables, "claims", analysis):
        if claim["rule"] == "effect":
            return str(claim["verdict"])
    return reading.side(lead, below=analysis.fewer_is_better)


def _about(tables: Mapping[str, ReportTable], name: str, analysis: Analysis) -> list[Record]:
    place = analysis.setting, analysis.id
    table = tables.get(name)
    rows = [] if table is None else records(table.data)
    return [row for row in rows if (row["setting"], row["analysis"]) == place]


def _towards(analysis: Analysis, lead: Record) -> list[float]:
    """Lower limit, estimate, upper limit on the log scale, benefit positive; empty if no ratio."""
    if not reading.measure_of(lead["measure"]).is_ratio or math.isnan(lead["ci_low"]):
        return []
    ends = [math.log(lead[name]) for name in ("ci_low", "estimate", "ci_high")]
    return sorted(-end for end in ends) if analysis.fewer_is_better else ends


def _bar(ends: Sequence[float], width: float) -> tuple[float, ...]:
    inside = (min(max(end / width, -1.0), 1.0) for end in ends)
    return tuple(round(50 * (1 + share), 1) for share in inside)
