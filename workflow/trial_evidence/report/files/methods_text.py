"""The methods in a few paragraphs: workflow/report/methods.txt.j2 with the counts of the sheet."""

import re
from typing import Any

from trial_evidence.measures import MEASURES
from trial_evidence.report.material.material import JOINED, Material, source_ids, where
from trial_evidence.report.tables.flow import (
    flow_steps,
    search_dates,
    search_in_words,
)
from trial_evidence.report.words.templates import environment
from trial_evidence.words.models import CAUTIOUS, EMPIRICAL, INTERVAL_WORDS, PREDICTION_WORDS


def methods_paragraphs(material: Material) -> tuple[str, ...]:
    """What was done, a paragraph a topic; every number from the sheet or the configuration."""
    text = environment().get_template("methods.txt.j2").render(_facts(material))
    paragraphs = re.split(r"\n\s*\n", text.strip())
    return tuple(re.sub(r"\s+", " ", paragraph) for paragraph in paragraphs)


def methods_text(material: Material) -> str:
    """The paragraphs as plain text, a blank line between them."""
    return "\n\n".join(("Methods", *methods_paragraphs(material))) + "\n"


def methods_markdown(material: Material) -> str:
    """The paragraphs as a page in Markdown."""
    return f"# {methods_text(material)}"


def _facts(material: Material) -> dict[str, Any]:
    """What the text tells of, by its name there."""
    sheet, configuration, evidence = material.sheet, material.configuration, material.evidence
    pooled = where(material.as_first_measure(evidence.trials), pooled="yes")
    analyses, pooling = configuration.analyses, configuration.pooling
    curves = where(material.sensitivity["multiverse_summary"], measure="all")
    return {
        "configuration": configuration, "pooling": pooling, "sheet": sheet.tables,
        "rules": material.report.certainty, "ratio": material.worthwhile_ratio,
        "search": search_in_words(material),
        "flow": {step.step: step for step in flow_steps(material)},
        "dates": search_dates(material), "kinds": sheet.kinds,
        "randomised": len(where(sheet["trials"], randomised="yes")),
        "sources_read": len(list(source_ids(JOINED.join(material.reported["source_id"])))),
        "pooled": len(pooled),
        "primary": len(where(pooled, verification="primary")),
        "agreed": len(where(sheet["second_reading"], verdict="agree")),
        "measures": [f"{MEASURES[name].title.lower()}s"
                     for name in dict.fromkeys(m for a in analyses for m in a.measures)],
        "corrected": where(evidence.trials, corrected="yes")["trial_id"].nunique(),
        "priors": [
            (MEASURES[name].title.lower(),
             priors.words(EMPIRICAL) if priors.empirical else "",
             priors.words(CAUTIOUS))
            for name, priors in configuration.tau_priors.items()
        ],
        "interval": INTERVAL_WORDS[pooling.estimate_interval][2],
        "prediction": PREDICTION_WORDS[pooling.prediction_interval],
        "factors": list(dict.fromkeys(m.label.lower() for a in analyses
                                      for m in a.effect_modifiers)),
        "specifications": int(curves["specifications"].sum()),
    }  # fmt: skip
