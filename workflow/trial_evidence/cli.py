"""The commands behind the Snakemake rules and the Makefile.

Stages of the pipeline: check, extract, pool, figures, sensitivity, network, audit, report; each
reads what those before it wrote. For the analyst: workbook, import, worklist, registry, references,
records, changes, explain, styled. For the methods: simulate, calibrate. What a command needs is
imported when it runs, because the numerical libraries take seconds to import.
"""

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import trial_evidence
from trial_evidence.config.configuration import (
    read_configuration,
)
from trial_evidence.config.looks import read_figure_configuration
from trial_evidence.config.networks import (
    read_networks,
)
from trial_evidence.config.reading import read
from trial_evidence.config.reports import (
    read_report_configuration,
)
from trial_evidence.config.simulation import FILE as CALIBRATION
from trial_evidence.config.simulation import Simulation
from trial_evidence.files import read_table, write_text, write_whole
from trial_evidence.kept import PARTS, Parts, read_state, write_state
from trial_evidence.loaded import (
    DICTIONARY,
    load,
    problems_of,
    warnings_of,
    with_unjudged,
    with_words,
    words_of,
)
from trial_evidence.sheet import (
    PROBLEM_COLUMNS,
    Problem,
    SheetError,
    dictionary_as_markdown,
    find_problems,
    has_errors,
    problems_as_rows,
    read_dictionary,
    summary,
)
from trial_evidence.words.errors import RequestError
from trial_evidence.words.problems import errors_of, new_among
from trial_evidence.workbook.layout import as_csv

if TYPE_CHECKING:
    from trial_evidence.workbook.transfer import ImportPlan

# Where one slip spoils a whole column, the first lines say it all; the file lists every one.
MOST_PRINTED = 40


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command.

    Parameters
    ----------
    arguments : sequence of str, optional
        As on the command line; by default those of the process.

    Returns
    -------
    int
        Exit code: 1 where the sheet, the configuration or what was asked for is wrong, and the
        terminal says what; 130 where a person stopped it.
    """
    options = _parser().parse_args(arguments)
    try:
        _check_project(options)
        return int(options.run(options) or 0)
    except SheetError as error:
        _say_faults(options, error)
    except RequestError as error:
        print(error.args[0], file=sys.stderr)
    except KeyboardInterrupt:
        # Whoever stopped it knows. What was written is whole, and the next run goes on from there.
        return 130
    return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="trial-evidence", description=__doc__)
    parser.add_argument(
        "--version", action="version", version=f"trial-evidence {trial_evidence.__version__}"
    )
    commands = parser.add_subparsers(required=True, metavar="command")

    def command(
        name: str, run: Callable[[argparse.Namespace], int | None], text: str
    ) -> argparse.ArgumentParser:
        added = commands.add_parser(name, help=text, description=text)
        added.set_defaults(run=run, of_sheet=True)
        for folder, place in (
            ("raw", "data/raw"), ("config", "config"), ("processed", "data/processed"),
            ("results", "results"),
        ):  # fmt: skip
            added.add_argument(f"--{folder}", type=Path, default=Path(place), metavar="FOLDER")
        return added

    check = command("check", _check, "check the sheet and the configuration")
    check.add_argument("--list-warnings", action="store_true", help="print every warning")
    check.add_argument("--state", type=Path, help="folder to keep what was checked in, as it was")
    command("dictionary", _dictionary, "write docs/data-dictionary.md from workflow/dictionary")
    command("extract", _extract, "tidy evidence of every setting")
    command("pool", _pool, "estimates of one setting").add_argument("--setting", required=True)
    figures = command("figures", _figures, "figures of one setting")
    figures.add_argument("--setting", required=True)
    figures.add_argument("--processes", type=int, default=1, help="to draw with")
    styled = command("styled", _styled, "every figure in the style of a journal or for a slide")
    styled.add_argument("--style", required=True, help="of config/styles.yaml")
    styled.add_argument(
        "--width", type=float, default=None, help="in mm; by default the first width of the style"
    )
    styled.add_argument("--analysis", default="", help="only the figures of this analysis")
    styled.add_argument("--figure", default="", help="only figures of this name, such as forest")
    styled.add_argument("--processes", type=int, default=1, help="to draw with")
    sensitivity = command("sensitivity", _sensitivity, "sensitivity analyses of one setting")
    sensitivity.add_argument("--setting", required=True)
    sensitivity.add_argument("--processes", type=int, default=1, help="to draw with")
    network = command("network", _network, "networks of the regimens of one setting")
    network.add_argument("--setting", required=True)
    network.add_argument("--processes", type=int, default=1, help="to draw with")
    command("audit", _audit, "results that deserve a second look in the sources")
    command("exchange", _exchange, "results for R, RevMan, CINeMA and as JSON")
    report = command("report", _report, "tables and pages over all settings")
    report.add_argument("--processes", type=int, default=1, help="to draw with")
    simulating = command("simulate", _simulate, "one part of the simulation of a calibration")
    simulating.add_argument("--part", type=int, required=True, help="its number, from 0 on")
    command("calibrate", _calibrate, "coverage of the intervals, from all parts of the simulation")
    changes = command("changes", _changes, "what an edit of the sheet changes")
    changes.add_argument("--since", default="HEAD", help="revision to compare with")
    explain = command("explain", _explain, "why a row is, or is not, in an analysis")
    explain.add_argument("--row", default="", help="a table and a row, TABLE:ROW")
    explain.add_argument("--trial", default="", help="a trial ...")
    explain.add_argument("--analysis", default="", help="... in an analysis")
    watching = command("watch", _watch, "answer every save of the sheet")
    watching.add_argument("--book", type=Path, help="a workbook that is saved instead")
    watching.set_defaults(yes=False)
    workbook = command("workbook", _workbook, "the sheet as one workbook")
    workbook.add_argument("--book", type=Path, required=True)
    importing = command("import", _import, "a workbook, or a folder of CSV files, into the sheet")
    importing.add_argument("--book", type=Path, required=True)
    importing.add_argument("--yes", action="store_true", help="confirm the questions of the import")
    listing = command("worklist", _worklist, "what to look up in the papers first, as a workbook")
    listing.add_argument("--book", type=Path, required=True)
    listing.add_argument("--most", type=int, default=40, help="rows")
    registry = command("registry", _registry, "records of a registry, to confirm")
    registry.add_argument("--file", type=Path, required=True, help="a record, or a folder of them")
    registry.add_argument("--book", type=Path, required=True)
    registry.set_defaults(of_sheet=False)
    references = command("references", _references, "an export of references, into sources.csv")
    references.add_argument("--file", type=Path, required=True, help="PubMed (.nbib) or RIS")
    references.add_argument("--replace", choices=("yes", "no"), help="what differs")
    references.set_defaults(yes=False, of_sheet=False)
    records = command("records", _records, "what a search found, into screening.csv")
    records.add_argument("--file", type=Path, required=True, help="export of a database")
    records.add_argument("--search", default="", help="of search_log.csv")
    return parser


def _check_project(options: argparse.Namespace) -> None:
    """Refuse to work in a folder that has neither a sheet nor a configuration."""
    if options.run is _dictionary or options.raw.is_dir() or options.config.is_dir():
        return
    raise RequestError(
        f"There is no project in {Path.cwd()}: a project has its extraction sheet in "
        f"{options.raw} and its settings in {options.config}. Go to the folder of a project, or "
        "name both with --raw and --config. To pool data of your own without a project, use "
        "trial_evidence.api (docs/api.md)."
    )


def _check(options: argparse.Namespace) -> None:
    from trial_evidence.changes.revision import last_commit, since_commit

    listing, dictionary = _listing(options), read_dictionary(DICTIONARY)
    state = read_state(options.raw, options.config)
    with last_commit(options.raw, options.config) as commit:
        said = since_commit(commit, options.raw, dictionary, briefly=not options.list_warnings)
        try:
            warnings = warnings_of(options.raw, options.config)
        except SheetError:
            print("\n".join(said), end="\n" if said else "", file=sys.stderr)
            raise
        new: tuple[Problem, ...] = ()
        if commit and options.list_warnings and read_state(commit.raw, commit.config) != state:
            before = problems_of(commit.raw, commit.config, {p.subject for p in warnings})
            new = new_among(warnings, before)
    _list_problems(listing, warnings)
    if options.state is not None:
        if read_state(options.raw, options.config) != state:
            raise RequestError("The sheet was saved while it was being checked. Run make again.")
        write_state(options.state, state)
    listed = warnings if options.list_warnings else ()
    known = [warning.line() for warning in listed if warning not in new]
    for line in (*known, *said, *(f"new: {warning.line()}" for warning in new)):
        print(line)
    print(summary(warnings, str(listing), len(new)), flush=True)


def _dictionary(options: argparse.Namespace) -> None:
    text = dictionary_as_markdown(read_dictionary(DICTIONARY))
    write_text(Path("docs/data-dictionary.md"), text)


def _extract(options: argparse.Namespace) -> None:
    from trial_evidence.extract.stage import write_evidence

    configuration, sheet, _ = load(options.raw, options.config)
    write_evidence(sheet, configuration, options.processed)


def _pool(options: argparse.Namespace) -> None:
    from trial_evidence.pool.stage import write_estimates

    configuration = read_configuration(options.config)
    parts = _parts(options, "pool")
    write_estimates(configuration, options.setting, options.processed, options.results, parts)


def _figures(options: argparse.Namespace) -> None:
    from trial_evidence.figures.stage import write_figures
    from trial_evidence.pool.columns import ESTIMATE_NUMBERS
    from trial_evidence.report.files.at_a_glance import lines_of_setting

    configuration, sheet, _ = load(options.raw, options.config)
    drawn = write_figures(
        configuration,
        read_figure_configuration(options.config),
        sheet,
        options.setting,
        options.processed,
        options.results,
        options.processes,
    )
    estimates = read_table(options.results / options.setting / "estimates.csv", ESTIMATE_NUMBERS)
    told = list(lines_of_setting(estimates, configuration, options.setting))
    # After an edit: what became of the analyses that it is about. A first run tells all at its end.
    if not drawn.issuperset(name for name, _ in told):
        for line in (line for name, line in told if name in drawn):
            print(line, flush=True)


def _styled(options: argparse.Namespace) -> None:
    from trial_evidence.report.files.styled_figures import choose_style, write_styled_figures
    from trial_evidence.report.material.material import read_material
    from trial_evidence.report.tables.certainty import certainties, certainty_words

    configuration, sheet, _ = load(options.raw, options.config)
    looks = read_figure_configuration(options.config)
    look = choose_style(looks, options.style, options.width)
    report = read_report_configuration(options.config, configuration)
    networks = read_networks(options.config, configuration)
    material = read_material(
        configuration, report, sheet, options.processed, options.results, networks
    )
    certainty = certainty_words(certainties(material))
    asked = options.processed, certainty, options.analysis, options.figure, options.processes
    folder = write_styled_figures(material, looks, look, *asked)
    print(f"The figures are in {folder}. {look.description}.")


def _sensitivity(options: argparse.Namespace) -> None:
    from trial_evidence.sensitivity.stage import write_sensitivity

    configuration, sheet, _ = load(options.raw, options.config)
    parts = _parts(options, "sensitivity")
    write_sensitivity(
        configuration, sheet, options.setting, options.results, parts, options.processes
    )


def _network(options: argparse.Namespace) -> None:
    from trial_evidence.network.stage import write_network

    configuration, sheet, _ = load(options.raw, options.config)
    networks = read_networks(options.config, configuration)
    write_network(
        configuration,
        networks,
        sheet,
        options.setting,
        options.results,
        _parts(options, "network"),
        options.processes,
    )


def _audit(options: argparse.Namespace) -> None:
    from trial_evidence.audit.stage import write_audit

    configuration, sheet, _ = load(options.raw, options.config, settled=False)
    write_audit(sheet, configuration, options.processed, options.results)


def _exchange(options: argparse.Namespace) -> None:
    from trial_evidence.exchange.stage import write_exchange
    from trial_evidence.report.material.material import read_evidence

    configuration, sheet, _ = load(options.raw, options.config)
    networks = read_networks(options.config, configuration)
    evidence = read_evidence(configuration, options.processed, options.results)
    write_exchange(configuration, networks, sheet, evidence, options.results)


def _report(options: argparse.Namespace) -> None:
    from trial_evidence.report.stage import Places, write_report

    configuration, sheet, _ = load(options.raw, options.config)
    report = read_report_configuration(options.config, configuration)
    networks = read_networks(options.config, configuration)
    places = Places(options.raw, options.config, options.processed, options.results, Path.cwd())
    write_report(configuration, report, networks, sheet, places, options.processes)


def _explain(options: argparse.Namespace) -> None:
    from trial_evidence.report.material.afresh import evidence_on
    from trial_evidence.report.trail.explain import explain, trial_of

    configuration, sheet, _ = load(options.raw, options.config)
    networks = read_networks(options.config, configuration)
    asked = (options.row, options.trial, options.analysis)
    trial = trial_of(*asked, sheet)
    named = options.analysis if options.trial else ""
    evidence = evidence_on(trial, named, sheet, configuration, networks)
    print(explain(*asked, sheet, configuration, evidence), end="")


def _changes(options: argparse.Namespace) -> None:
    from trial_evidence.changes.stage import write_changes

    configuration, sheet, _ = load(options.raw, options.config)
    text = write_changes(
        options.since,
        sheet,
        configuration,
        with_words(read_dictionary(DICTIONARY), configuration),
        options.raw,
        options.config,
        options.results,
    )
    print(text, end="")


def _simulate(options: argparse.Namespace) -> None:
    from trial_evidence.calibration.stage import write_part

    configuration = read_configuration(options.config)
    simulation = read(options.config / CALIBRATION, Simulation)
    folder = options.results / "calibration"
    write_part(configuration, simulation, options.results, folder, options.part)


def _calibrate(options: argparse.Namespace) -> None:
    from trial_evidence.calibration.stage import write_calibration

    configuration = read_configuration(options.config)
    simulation = read(options.config / CALIBRATION, Simulation)
    folder = options.results / "calibration"
    write_calibration(configuration, simulation, options.results, folder)
    print(f"The coverage of the intervals is in {folder / 'calibration.md'}.", flush=True)


def _watch(options: argparse.Namespace) -> None:
    from trial_evidence.watch import LOG, State, state_of, watch_sheet

    def answer() -> State | None:
        try:
            configuration, sheet, warnings = load(options.raw, options.config)
        except SheetError as error:
            _say_faults(options, error)
            return None
        warnings = with_unjudged(warnings, configuration, sheet)
        print(summary(warnings, str(_listing(options))), flush=True)
        return state_of(configuration, sheet)

    def take() -> None:
        try:
            _import(options)
        except SheetError as error:
            _say_faults(options, error)
        except RequestError as error:
            # Not yet whole, for example; the next save is looked at again.
            print(error.args[0], file=sys.stderr)

    watch_sheet(options.raw, options.config, options.processed / LOG, answer, options.book, take)


def _workbook(options: argparse.Namespace) -> None:
    from trial_evidence.workbook.write import write_workbook

    write_workbook(options.raw, words_of(options.config), options.book)
    print(f"The sheet is in {options.book}. Edit it, then: make import BOOK={options.book}")


def _worklist(options: argparse.Namespace) -> None:
    from trial_evidence.exchange.answers import write_answers_book
    from trial_evidence.exchange.worklist import worklist
    from trial_evidence.report.material.material import read_evidence

    configuration, sheet, _ = load(options.raw, options.config)
    evidence = read_evidence(configuration, options.processed, options.results)
    rows = worklist(configuration, sheet, evidence.trials).head(options.most)
    write_answers_book(rows, options.book)
    print(f"{len(rows)} rows to look up are in {options.book}.", end=" ")
    print(f"Fill in what you see, then: make import BOOK={options.book}")


def _import(options: argparse.Namespace) -> int:
    from trial_evidence.exchange.incoming import take_answers

    with TemporaryDirectory() as place:
        folder = Path(place) / options.raw.name
        said = take_answers(options.book, options.raw, options.config, folder)
        for line in said or ():
            print(line)
        return _import_book(options, options.book if said is None else folder)


def _import_book(options: argparse.Namespace, book: Path) -> int:
    from trial_evidence.workbook.transfer import import_book

    dictionary = words_of(options.config)
    result = import_book(
        book,
        options.raw,
        dictionary,
        lambda folder: find_problems(folder, dictionary),
        show=_show_plan,
        confirmed=options.yes,
    )
    if has_errors(result.plan.problems):
        print("Nothing was imported; the sheet is unchanged.", file=sys.stderr)
        return 1
    if result.written:
        print(f"Imported: {', '.join(result.written)}. What it changes: make changes")
    elif result.plan.questions:
        print("Nothing was imported. To confirm, add YES=yes.", file=sys.stderr)
        return 1
    else:
        print("The workbook and the sheet are identical; nothing to import.")
    return 0


def _registry(options: argparse.Namespace) -> None:
    from trial_evidence.exchange.registry.stage import write_compared

    for line in write_compared(options.file, options.book, options.raw, options.config):
        print(line)
    print(f"They are in {options.book}. Confirm what holds, then: make import BOOK={options.book}")


def _references(options: argparse.Namespace) -> int:
    from trial_evidence.exchange.references import read_references, write_referenced

    load(options.raw, options.config)
    found = read_references(options.file, options.raw, words_of(options.config))
    print("\n".join(found.in_words), flush=True)
    with TemporaryDirectory() as place:
        folder = Path(place) / options.raw.name
        write_referenced(found, options.raw, folder, options.replace)
        return _import_book(options, folder)


def _records(options: argparse.Namespace) -> None:
    from trial_evidence.workbook.records import SCREENING, found_records
    from trial_evidence.workbook.transfer import checked_copy

    dictionary = words_of(options.config)
    if errors_of(find_problems(options.raw, dictionary)):
        raise RequestError("The sheet has errors, so nothing is added to it: make check")
    found = found_records(options.file, options.search, options.raw, dictionary)
    files = {f"{SCREENING}.csv": found.file}
    wrong = errors_of(checked_copy(options.raw, files, lambda raw: find_problems(raw, dictionary)))
    if wrong:
        _say_errors(wrong)
        raise RequestError("Nothing was added; the sheet is unchanged.")
    write_whole(options.raw / f"{SCREENING}.csv", found.file)
    print(found.in_words)
    print("Screen them in the workbook, sheet screening (decision and reason): make workbook")


def _show_plan(plan: "ImportPlan") -> None:
    """The findings and the difference in words, before anything is written."""
    _say_errors(plan.problems)
    for problem in plan.problems:
        if problem.severity == "warning":
            print(problem.line())
    for line in (*plan.difference, *plan.questions):
        print(line)
    sys.stdout.flush()


def _parts(options: argparse.Namespace, stage: str) -> Parts:
    """What a stage has kept of a setting from earlier runs."""
    return Parts(options.processed / PARTS / stage / options.setting)


def _listing(options: argparse.Namespace) -> Path:
    return Path(options.results) / "checks" / "problems.csv"


def _say_faults(options: argparse.Namespace, error: SheetError) -> None:
    listing = _listing(options)
    if not options.of_sheet:
        _say_errors(error.problems)
        print("Nothing was written.", file=sys.stderr)
        return
    _list_problems(listing, error.problems)
    _say_errors(error.problems)
    print(summary(error.problems, str(listing)), file=sys.stderr, flush=True)


def _say_errors(problems: Sequence[Problem]) -> None:
    errors = errors_of(problems)
    for problem in errors[:MOST_PRINTED]:
        print(problem.line(), file=sys.stderr)
    if len(errors) > MOST_PRINTED:
        print(f"... and {len(errors) - MOST_PRINTED} more errors", file=sys.stderr)


def _list_problems(listing: Path, problems: Sequence[Problem]) -> None:
    write_text(listing, as_csv([PROBLEM_COLUMNS, *problems_as_rows(problems)]))
