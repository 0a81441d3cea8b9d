"""The methods section: workflow/report/methods.txt.j2 filled in from sheet and configuration."""

import platform
import re
from collections.abc import Sequence
from importlib.metadata import version
from typing import Any

from trial_evidence.audit.readers import EVERY_TABLE, reading_agreement
from trial_evidence.config.methods import OwnPooling
from trial_evidence.files import where
from trial_evidence.measures import MEASURES
from trial_evidence.pool.bayes.priors import model_priors
from trial_evidence.report.files.docx import new_document, saved
from trial_evidence.report.material.material import JOINED, Material, source_ids
from trial_evidence.report.tables.flow import flow_steps, search_dates, search_in_words
from trial_evidence.report.words.citations import Source, reference
from trial_evidence.report.words.templates import declared, environment
from trial_evidence.words.models import CAUTIOUS, EMPIRICAL, INTERVAL_WORDS, PREDICTION_WORDS

# Packages with which results are computed and drawn.
COMPUTING = ("numpy", "scipy", "pandas", "statsmodels", "pymare", "matplotlib", "plotnine")

# Defaults of the columns that entries of workflow/report/references.yaml may lack.
_BLANK = dict.fromkeys(
    ("first_author", "title_short", "volume", "issue", "doi", "pmid", "pmcid", "nct"), ""
) | {"type": "article"}


def methods_paragraphs(material: Material) -> tuple[str, ...]:
    """The methods, one paragraph per topic; all numbers come from the sheet or configuration."""
    text = environment().get_template("methods.txt.j2").render(_facts(material))
    return tuple(" ".join(paragraph.split()) for paragraph in re.split(r"\n\s*\n", text.strip()))


def works(paragraphs: Sequence[str]) -> tuple[Source, ...]:
    """The works cited in these paragraphs, with the columns of a source of the sheet."""
    text = " ".join(paragraphs)
    return tuple(_BLANK | work for name, work in declared("references").items() if name in text)


def references(paragraphs: Sequence[str]) -> tuple[str, ...]:
    """The works cited in these paragraphs, as printed in a list of references."""
    return tuple(map(reference, works(paragraphs)))


def methods_text(paragraphs: Sequence[str], heading: str = "") -> str:
    """The paragraphs as plain text, separated by blank lines, with their references.

    `heading` is the prefix of headings.
    """
    listed = "\n".join(references(paragraphs))
    return "\n\n".join([f"{heading}Methods", *paragraphs, f"{heading}References", f"{listed}\n"])


def methods_markdown(paragraphs: Sequence[str]) -> str:
    """The same text in Markdown."""
    return methods_text(paragraphs, "# ").replace("\n# ", "\n## ").replace(".\n", ".\n\n")


def methods_document(paragraphs: Sequence[str]) -> bytes:
    """The same text as a ``.docx`` file."""
    document = new_document("Methods")
    for text in paragraphs:
        document.add_paragraph(text, style="Text")
    document.add_heading("References", level=1)
    for text in references(paragraphs):
        document.add_paragraph(text, style="Text")
    return saved(document)


def _facts(material: Material) -> dict[str, Any]:
    """The variables of the template."""
    sheet, configuration, evidence = material.sheet, material.configuration, material.evidence
    pooled = where(material.as_first_measure(evidence.trials), pooled="yes")
    analyses, pooling = configuration.analyses, configuration.pooling
    curves = where(material.sensitivity["multiverse_summary"], measure="all")
    readers = reading_agreement(sheet)
    readers = readers[readers["table"] == EVERY_TABLE]
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
        "readings": int(readers["n"].sum()), "agreed": int(readers["agree"].sum()),
        "measures": [f"{MEASURES[name].title.lower()}s"
                     for name in dict.fromkeys(m for a in analyses for m in a.measures)],
        "corrected": where(evidence.trials, corrected="yes")["trial_id"].nunique(),
        "priors": [
            (MEASURES[name].title.lower(),
             priors[EMPIRICAL].label if EMPIRICAL in priors else "", priors[CAUTIOUS].label)
            for name, configured in configuration.tau_priors.items()
            for priors in [model_priors(configured)]
        ],
        "interval": INTERVAL_WORDS[pooling.estimate_interval][2],
        "prediction": PREDICTION_WORDS[pooling.prediction_interval],
        "factors": list(dict.fromkeys(m.label.lower() for a in analyses
                                      for m in a.effect_modifiers)),
        "python": platform.python_version(),
        "packages": [f"{name} {version(name)}" for name in COMPUTING],
        "own": [f"{a.title} ({said})" for a in analyses if (said := _own_pooling(a.pooling))],
        "specifications": int(curves["specifications"].sum()),
    }  # fmt: skip


def _own_pooling(own: OwnPooling) -> str:
    """How an analysis is pooled that is not pooled as the others; empty if it is."""
    said = (
        f"τ² by {own.tau2_estimator}" if own.tau2_estimator else "",
        INTERVAL_WORDS[own.estimate_interval][2] if own.estimate_interval else "",
        f"prediction interval: {PREDICTION_WORDS[own.prediction_interval]}"
        if own.prediction_interval
        else "",
    )
    return "; ".join(filter(None, said))
