"""Every kind of output of the made-up project, compared with the text a person approved.

``make approve`` takes over what has changed, for git and a reader to look at.
"""

import csv
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest
from approval.approved import FOLDER, check
from approval.figure_text import figure_as_text
from approval.page_text import embedded_data, page_sections
from approval.table_text import csv_as_text, document_as_text, short_numbers, workbook_as_text
from made_up.project import MadeUp

# Kinds of figures: the first pattern that matches a file's path below the project decides.
FIGURES = {
    "figure_styled": r"results/figures-.*",
    "figure_calibration": r"results/calibration/.*",
    "figure_changes": r"edited/results/changes.*",
    "figure_rates": r"results/\w+/pcr_rates/.*",
    "figure_forest_by_modifier": r".*/forest(_odds_ratio|_risk_difference)?_by_\w+",
    "figure_network_forest": r".*/network/.*/forest",
    "figure_network_alternatives": r".*/alternatives",
    "figure_network_graph": r".*/graph",
    "figure_network_league": r".*/league",
    "figure_network_ranks": r".*/ranks",
    "figure_network_contributions": r".*/contributions",
    "figure_network_split": r".*/split",
    "figure_network_components": r".*/components",
    "figure_network_additivity": r".*/additivity",
    "figure_synergy": r".*/synergy_\w+",
    "figure_surrogacy": r".*/surrogacy",
    "figure_forest": r".*/forest(_odds_ratio|_risk_difference)?",
    "figure_leave_one_out": r".*/leave_one_out",
    "figure_cumulative": r".*/cumulative",
    "figure_funnel": r".*/funnel",
    "figure_extended_funnel": r".*/extended_funnel",
    "figure_baujat": r".*/baujat",
    "figure_drapery": r".*/drapery",
    "figure_posterior": r".*/posterior",
    "figure_gosh": r".*/gosh",
    "figure_specification": r".*/specification",
    "figure_bubble": r".*/bubble_\w+",
    "figure_summary": r"results/overview/summary",
    "figure_evidence_map": r"results/overview/evidence_map",
    "figure_flow": r"results/overview/flow",
    "figure_risk_of_bias": r"results/overview/risk_of_bias_\w+",
    "figure_timeline": r"results/overview/timeline",
    "figure_balance": r"results/overview/balance_\w+",
}  # fmt: skip
TABLES = {
    "tables_report": r"results/tables/\w+\.csv",
    "tables_evidence": (
        r"(data/processed/\w+/(used|set_aside|contrasts|rates)|results/\w+/(trials|rates))\.csv"
    ),
    "tables_estimates": r"results/estimates\.csv",
    "tables_sensitivity": r"results/\w+/sensitivity/(?!figures)\w+\.csv",
    "tables_network": r"results/\w+/network/\w+/\w+\.csv",
    "tables_trace": r"results/trace\.csv",
    "tables_checks": r"results/checks/\w+\.csv",
    "tables_excel": r"results/tables/tables\.xlsx",
    "tables_word": r"results/tables/tables\.docx",
}  # fmt: skip
DOCUMENTS = {
    "document_summary": r"results/summary\.txt",
    "document_at_a_glance": r"results/at-a-glance\.md",
    "document_alt_texts": r"results/alt-texts\.md",
    "document_methods": r"results/tables/methods\.(md|txt)",
    "document_references": r"results/tables/references\.\w+",
    "document_audit": r"results/checks/audit\.md",
    "document_readers": r"results/checks/readers\.md",
    "document_calibration": r"results/calibration/calibration\.md",
    "document_changes": r"edited/results/changes\.md",
    "document_provenance": r"results/(provenance|ro-crate-metadata)\.json",
    "document_styled": r"results/figures-\w+/.*\.(csv|md|txt)",
    "document_printed": r"printed/\w+\.txt",
}  # fmt: skip
PAGES = {"page": "results/report.html", "page_changes": "edited/results/changes.html"}
# Not approved: the sheet in other forms, duplicates of other output, machine-readable files.
NOT_TOLD = (
    r"data/raw/.*", r"config/.*", r"\.git/.*", r"edited/(?!results/changes\.(md|html|svg)).*",
    r"evidence\.xlsx", r"data/processed/\w+/sheet\.sha256", r"results/\w+/estimates\.csv", "done",
    r"results/calibration/(parts/.*|calibration\.csv)",
    # The cache between runs.
    r"data/processed/kept/.*", r"(results|results-\w+|edited/results)/([\w.-]+/)*\.drawn\w*\.json",
    # Tables, methods and figures again, as separate Word files.
    r"results/tables/(?!tables\.)\w+\.docx",
    # Each figure contains its own description; a test below compares the lists with it.
    r"results/(\w+/)*figures\.csv", r"results/alt-texts\.csv",
)  # fmt: skip
# Not part of the report or its lists.
NOT_LISTED = {"figure_styled", "figure_calibration", "figure_changes"}
# Text that differs between machines or versions.
VARYING = (
    (re.compile(r"\b[0-9a-f]{40,64}\b"), "<digest>"),
    (re.compile(r"(?<=since )[0-9a-f]{7,}(?= of)"), "<revision>"),
    (re.compile(r'(": ")\d+(?:\.\d+)+(?:\.?\w+)?"'), r'\1<version>"'),
    (re.compile(r"(?<=with Python )[\d.]+ \([^)]*\)"), "<version> (<packages>)"),
    (re.compile(r"(?<=\npython\n\n    )[\d.]+"), "<version>"),
    (re.compile(r'("contentSize": ")\d+"'), r'\1<size>"'),
)


def files_of(made_up: MadeUp) -> Iterator[tuple[str, Path]]:
    """Every generated file: its path relative to the project, and its full path."""
    for path in sorted(made_up.folder.rglob("*")):
        if path.is_file():
            yield path.relative_to(made_up.folder).as_posix(), path


def kind_of(place: str) -> str | None:
    """Name under which a file is approved; empty if it is not subject to approval."""
    if any(re.fullmatch(pattern, place) for pattern in NOT_TOLD):
        return ""
    known = (DOCUMENTS | TABLES) if not place.endswith(".svg") else FIGURES
    sought = place.removesuffix(".svg")
    names = [name for name, pattern in known.items() if re.fullmatch(pattern, sought)]
    names += [name for name, page in PAGES.items() if page == place]
    return names[0] if names else None


def told(made_up: MadeUp, name: str, read: Callable[[Path], str]) -> str:
    """The text of all files of a kind, each under its path."""
    found = [(place, path) for place, path in files_of(made_up) if kind_of(place) == name]
    assert found, f"the made-up project has nothing of the kind {name}"
    return headed({place: read(path) for place, path in found})


def headed(texts: Mapping[str, str]) -> str:
    """Texts by name, with parts that differ between machines or versions removed."""
    text = "\n\n\n".join(f"{'=' * 20} {name}\n\n{said}" for name, said in texts.items())
    for pattern, instead in VARYING:
        text = pattern.sub(instead, text)
    return text


def read_table(path: Path) -> str:
    readers = {".csv": csv_as_text, ".xlsx": workbook_as_text, ".docx": document_as_text}
    return readers[path.suffix](path)


def read_document(path: Path) -> str:
    return short_numbers(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", FIGURES)
def test_a_figure_says_what_was_approved(made_up, name):
    check(name, told(made_up, name, figure_as_text))


@pytest.mark.parametrize("name", TABLES)
def test_a_table_says_what_was_approved(made_up, name):
    check(name, told(made_up, name, read_table))


@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_document_says_what_was_approved(made_up, name):
    check(name, told(made_up, name, read_document))


@pytest.mark.parametrize("name", PAGES)
def test_a_page_says_what_was_approved(made_up, name):
    check(name, headed(page_sections(made_up.folder / PAGES[name])))


def test_what_the_page_computes_with_is_what_was_approved(made_up):
    check("page_data", headed(embedded_data(made_up.folder / PAGES["page"])))


def test_every_output_is_of_an_approved_kind(made_up):
    assert [place for place, _ in files_of(made_up) if kind_of(place) is None] == []


def test_no_approval_is_left_of_what_is_no_longer_made():
    names = {*FIGURES, *TABLES, *DOCUMENTS, *PAGES, "page_data"}
    assert {path.stem for path in FOLDER.glob("*.txt")} == names


def test_the_lists_of_figures_say_what_the_figures_say(made_up):
    said, listed = {}, {}
    for place, path in files_of(made_up):
        if place.endswith(".svg") and (kind_of(place) or "figure_styled") not in NOT_LISTED:
            title, description, *_ = figure_as_text(path).splitlines()
            said[place] = title.removeprefix("title: "), description.removeprefix("described: ")
        elif re.fullmatch(r"results/(?!figures-).*/figures\.csv", place):
            for row in csv.DictReader(path.read_text(encoding="utf-8").splitlines()):
                listed[_figure_of(place, row)] = row["title"], row["description"]
    assert said
    assert listed == said
    texts = (made_up.results / "alt-texts.csv").read_text(encoding="utf-8").splitlines()
    named = {
        f"results/{row['figure']}.svg": (row["title"], row["text"]) for row in csv.DictReader(texts)
    }
    assert named == said


def _figure_of(listing: str, row: dict[str, str]) -> str:
    """Path of a figure named in a list."""
    folder = Path(listing).parent
    if folder.name == "sensitivity":
        folder = folder.parent
    if folder.name in {"network", "overview"} or Path(listing).parent.name == "sensitivity":
        folder = folder / ("" if row["analysis"] == "overview" else row["analysis"])
    return f"{(folder / row['figure']).as_posix()}.svg"
