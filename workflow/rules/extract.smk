"""Extract: regimens, contrasts, selected rows, effect sizes.

in    the checked sheet, config
out   data/processed/<setting>/used.csv, set_aside.csv, contrasts.csv, rates.csv, and
      sheet.sha256, the checksum of all rows of the sheet that concern the setting

A checkpoint that rewrites a file only if its content changes. The following steps are decided
after it has run, so correcting a row of one setting leaves the results of the others alone.
"""


checkpoint extract:
    input:
        checked=rules.check.output.mark,
        sheet=as_checked(*TABLES),
        config=as_checked(*CONFIG),
    output:
        update(
            expand(
                "data/processed/{setting}/{file}",
                setting=SETTINGS,
                file=[
                    "used.csv",
                    "set_aside.csv",
                    "contrasts.csv",
                    "rates.csv",
                    "sheet.sha256",
                ],
            )
        ),
    params:
        code=code_of("sheet", "extract"),
    message:
        "Extracted the evidence of all settings"
    shell:
        "python -m trial_evidence extract" f" {ON_STATE}"


def passed(wildcards):
    """The mark that the sheet passed, once the checkpoint has run.

    After an error was corrected, the mark may be new although the checked copy is unchanged; then
    nothing has to be done again.
    """
    extracted()
    return rules.check.output.mark


def evidence(wildcards):
    """Files of one setting, known once the checkpoint has run."""
    extracted()
    folder = f"data/processed/{wildcards.setting}"
    return [f"{folder}/used.csv", f"{folder}/rates.csv"]
