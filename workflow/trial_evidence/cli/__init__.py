"""The commands behind the Snakemake rules and the Makefile.

Stages of the pipeline: check, extract, pool, figures, sensitivity, network, audit, exchange,
report; each reads what those before it wrote. For the analyst: workbook, import, watch, worklist,
registry, references, records, changes, explain, styled. For the methods: simulate, calibrate. For
the documentation: dictionary. What a command needs is imported when it runs, because the numerical
libraries take seconds to import.
"""

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NoReturn

import trial_evidence
from trial_evidence.cli import sheet, stages
from trial_evidence.words.errors import RequestError
from trial_evidence.words.problems import quoted


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command.

    Parameters
    ----------
    arguments : sequence of str, optional
        Command-line arguments; by default those of the process.

    Returns
    -------
    int
        Exit code: 1 if the sheet, the configuration or the request has errors, 2 if a file cannot
        be read or written (with a message on the terminal), 130 if the user stopped it.
    """
    options = _parser().parse_args(arguments)
    try:
        return sheet.told(_run, options)
    except KeyboardInterrupt:
        # No message: the user stopped it. Files written are complete, and the next run continues.
        return 130


class _Parser(argparse.ArgumentParser):
    """Reports errors in the arguments on one line, with a pointer to --help."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message.rstrip('.')}. For help: {self.prog} --help\n")


def _whole(text: str) -> int:
    """Read the number given to an option."""
    try:
        return int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{quoted(text)} is not a whole number") from None


# Options that several commands take.
_SHARED: dict[str, dict[str, Any]] = {
    "setting": {"required": True, "help": "a setting of config/analyses.yaml"},
    "processes": {"type": _whole, "default": 1, "help": "processes that draw figures at once"},
    "book": {"type": Path, "required": True, "help": "the workbook"},
    "file": {"type": Path, "required": True, "help": "an export in PubMed format (.nbib) or RIS"},
}


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="trial-evidence", description=__doc__)
    parser.add_argument(
        "--version", action="version", version=f"trial-evidence {trial_evidence.__version__}"
    )
    commands = parser.add_subparsers(required=True, metavar="command")

    def command(
        name: str,
        run: Callable[[argparse.Namespace], int | None],
        *shared: str,
        of_sheet: bool = True,
        **own: dict[str, Any],
    ) -> None:
        added = commands.add_parser(name, help=run.__doc__, description=run.__doc__)
        added.set_defaults(run=run, of_sheet=of_sheet, yes=False)
        for folder in ("data/raw", "config", "data/processed", "results"):
            added.add_argument(
                f"--{Path(folder).name}", type=Path, default=Path(folder), metavar="FOLDER",
                help=f"by default {folder}",
            )  # fmt: skip
        for option in shared:
            added.add_argument(f"--{option}", **_SHARED[option])
        for option, about in own.items():
            added.add_argument(f"--{option.replace('_', '-')}", **about)

    command(
        "check",
        sheet.check,
        list_warnings={"action": "store_true", "help": "print every warning"},
        state={"type": Path, "help": "folder for a copy of what was checked"},
    )
    command("dictionary", stages.dictionary)
    command("extract", stages.extract)
    command("pool", stages.pool, "setting")
    command("figures", stages.figures, "setting", "processes")
    command(
        "styled",
        stages.styled,
        "processes",
        style={"required": True, "help": "a style of config/styles.yaml"},
        width={"default": "", "help": "in mm; by default the first width of the style"},
        analysis={"default": "", "help": "only the figures of this analysis or network"},
        figure={"default": "", "help": "only figures of this name, such as forest"},
    )
    command("sensitivity", stages.sensitivity, "setting", "processes")
    command("network", stages.network, "setting", "processes")
    command("audit", stages.audit)
    command("exchange", stages.exchange)
    command("report", stages.report, "processes")
    part = "number of the part, counted from 0"
    command("simulate", stages.simulate, part={"type": _whole, "required": True, "help": part})
    command("calibrate", stages.calibrate)
    since = "git revision to compare with; by default the last commit"
    command("changes", sheet.changes, since={"default": "HEAD", "help": since})
    command(
        "explain",
        sheet.explain,
        row={"default": "", "help": "table and row of the sheet, as <table>:<row>"},
        trial={"default": "", "help": "id of a trial, with --analysis"},
        analysis={"default": "", "help": "id of an analysis or network, with --trial"},
    )
    book = "a workbook of the sheet, imported at every save"
    command("watch", sheet.watch, book={"type": Path, "help": book})
    command("workbook", sheet.workbook, "book")
    confirm = {"action": "store_true", "help": "confirm the questions of the import"}
    command("import", sheet.import_, "book", yes=confirm)
    most = {"type": _whole, "default": 40, "help": "largest number of rows to list"}
    command("worklist", sheet.worklist, "book", of_sheet=False, most=most)
    record = {"type": Path, "required": True, "help": "a record (JSON), or a folder of records"}
    command("registry", sheet.registry, "book", of_sheet=False, file=record)
    both = "where both have a value: take that of the file, or keep the sheet's"
    replace = {"choices": ("yes", "no"), "help": both}
    command("references", sheet.references, "file", of_sheet=False, replace=replace)
    search = {"default": "", "help": "search_id of search_log.csv, where several are open"}
    command("records", sheet.records, "file", of_sheet=False, search=search)
    return parser


def _run(options: argparse.Namespace) -> int | None:
    """Run the command, but not in a folder that has neither a sheet nor a configuration."""
    if options.run is stages.dictionary or options.raw.is_dir() or options.config.is_dir():
        code: int | None = options.run(options)
        return code
    raise RequestError(
        f"There is no project in {Path.cwd()}: a project has its extraction sheet in "
        f"{options.raw} and its settings in {options.config}. Go to the folder of a project, or "
        "name both with --raw and --config. To pool data of your own without a project, use "
        "trial_evidence.api (docs/api.md)."
    )
