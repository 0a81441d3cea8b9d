"""The methods in a few paragraphs: workflow/report/methods.txt.j2 with the counts of the sheet."""

import re
from typing import Any

from trial_evidence.measures import MEASURES
from trial_evidence.report.material.material import Material, source_ids, where
from trial_evidence.report.tables.flow import SEARCH_WORDS, search_dates
from trial_evidence.report.words.printed import counted
from trial_evidence.report.words.templates import environment
from trial_evidence.words.models import INTERVAL_WORDS, PREDICTION_WORDS

HEADING = "Methods"
_MODELS = {"random_effects": "the random-effects model", "bayesian": "the Bayesian model"}
_ORDER_NAMES = {
    "population": "population analysed",
    "analysis": "data cut",
    "median_followup_months": "median follow-up",
    "derivation": "how the number was obtained",
}
# A row of a table of results, by the kind of evidence in it.
_ROWS = {
    "counts": ("result counted in an arm", "results counted in an arm"),
    "contrasts": ("ratio comparing two arms", "ratios comparing two arms"),
}


def methods_paragraphs(material: Material) -> tuple[str, ...]:
    """What was done, a paragraph a topic; every number from the sheet or the configuration."""
    text = environment().get_template("methods.txt.j2").render(_facts(material))
    paragraphs = re.split(r"\n\s*\n", text.strip())
    return tuple(re.sub(r"\s+", " ", paragraph) for paragraph in paragraphs)


def methods_text(material: Material) -> str:
    """The paragraphs as plain text, a blank line between them."""
    return "\n\n".join((HEADING, *methods_paragraphs(material))) + "\n"


def methods_markdown(material: Material) -> str:
    """The paragraphs as a page in Markdown."""
    return f"# {methods_text(material)}"


def _facts(material: Material) -> dict[str, Any]:
    """What the text tells of, by its name there."""
    sheet, configuration, evidence = material.sheet, material.configuration, material.evidence
    pooled = where(material.as_first_measure(evidence.trials), pooled="yes")
    cells = {cell for table in sheet.results for cell in sheet[table]["source_id"]}
    analyses, pooling = configuration.analyses, configuration.pooling
    curves = where(material.sensitivity["multiverse_summary"], measure="all")
    return {
        "configuration": configuration, "pooling": pooling, "sheet": sheet.tables,
        "rules": material.report.certainty, "ratio": material.report.worthwhile_ratio,
        "models": _MODELS, "order_names": _ORDER_NAMES, "search": SEARCH_WORDS,
        "dates": search_dates(material),
        "randomised": len(where(sheet["trials"], randomised="yes")),
        "rows": [counted(len(sheet[table]), *_ROWS[kind]) for table, kind in sheet.kinds.items()],
        "sources_read": len({source for cell in cells for source in source_ids(cell)}),
        "pooled": len(pooled),
        "primary": len(where(pooled, verification="primary")),
        "agreed": len(where(sheet["second_reading"], verdict="agree")),
        "measures": [f"{MEASURES[name].title.lower()}s"
                     for name in dict.fromkeys(m for a in analyses for m in a.measures)],
        "corrected": where(evidence.trials, corrected="yes")["trial_id"].nunique(),
        "interval": INTERVAL_WORDS[pooling.estimate_interval][2],
        "prediction": PREDICTION_WORDS[pooling.prediction_interval],
        "factors": list(dict.fromkeys(m.label.lower() for a in analyses
                                      for m in a.effect_modifiers)),
        "specifications": int(curves["specifications"].sum()),
    }  # fmt: skip
