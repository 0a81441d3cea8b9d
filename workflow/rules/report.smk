"""Report: all settings together.

in    results/<setting>/estimates.csv, trials.csv, rates.csv, figures.csv, sensitivity/, network/;
      results/exchange/ and estimates.json, which the research object names;
      the sheet; config/report.yaml: the claims and the rules of certainty
out   results/report.html, the whole report in one file; results/estimates.csv, trace.csv (from every
      plotted number to its cells), at-a-glance.md, summary.txt; results/tables/: one CSV and one
      Word file per table, tables.xlsx, tables.docx, supplement.docx, methods, references;
      results/overview/: the figures for all settings; results/alt-texts.csv, .md: every figure in
      words; results/provenance.json and ro-crate-metadata.json: provenance of the results
"""

REPORT_TABLES = [
    "front",
    "answers",
    "claims",
    "plain_language",
    "summary_of_findings",
    "over_time",
    "certainty",
    "network_certainty",
    "harms",
    "balance",
    "characteristics",
    "excluded",
    "risk_of_bias",
    "flow",
    "evidence_map",
    "heterogeneity",
    "sensitivity",
    "what_would_change",
    "timeline",
    "in_whom",
    "biomarker_reports",
    "biomarkers",
    "verification",
    "rows_used",
    "rows_set_aside",
]
REPORT_TEXTS = [
    "tables.xlsx",
    "tables.docx",
    "supplement.docx",
    "methods.docx",
    "methods.md",
    "methods.txt",
    "references.bib",
    "references.ris",
    "references.json",
]


rule report:
    input:
        # A sheet or configuration that did not pass the check is not reported.
        checked=passed,
        sheet=checked(*TABLES),
        estimates=expand(
            "results/{setting}/{table}.csv",
            setting=SETTINGS,
            table=["estimates", "trials", "rates"],
        ),
        figures=expand("results/{setting}/figures.csv", setting=SETTINGS),
        sensitivity=expand(
            "results/{setting}/sensitivity/{table}.csv",
            setting=SETTINGS,
            table=SENSITIVITY_TABLES,
        ),
        network=expand("results/{setting}/network/figures.csv", setting=SETTINGS),
        # The research object names these files as well.
        exchange=rules.exchange.output,
        # The whole configuration, because provenance.json names every file.
        config=checked(*CONFIGURATION),
    output:
        estimates="results/estimates.csv",
        glance="results/at-a-glance.md",
        trace="results/trace.csv",
        summary="results/summary.txt",
        page=report(
            "results/report.html", caption="../report/page.rst", category="The report"
        ),
        provenance="results/provenance.json",
        crate="results/ro-crate-metadata.json",
        tables=expand("results/tables/{table}.csv", table=REPORT_TABLES),
        texts=report(
            expand("results/tables/{file}", file=REPORT_TEXTS[:2]),
            caption="../report/tables.rst",
            category="The report",
        ),
        lists=expand("results/tables/{file}", file=REPORT_TEXTS[2:]),
        overview="results/overview/figures.csv",
        alternatives=["results/alt-texts.csv", "results/alt-texts.md"],
    threads: 2
    params:
        # The page contains the figures, which may change although their lists do not.
        code=code_of(
            "workbook",
            "sheet",
            "extract",
            "pool",
            "audit",
            "figures",
            "sensitivity",
            "network",
            "report",
        ),
        page=content_of(
            "CITATION.cff",
            *sorted(str(path) for path in Path("workflow/report").glob("*")),
        ),
    message:
        "Wrote the tables and the report"
    shell:
        "python -m trial_evidence report --processes {threads}" f" {ON_STATE}"
