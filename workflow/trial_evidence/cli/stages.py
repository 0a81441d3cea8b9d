"""Commands for the stages of the pipeline, styled figures and the calibration."""

import argparse
from pathlib import Path

from trial_evidence.config.configuration import read_configuration
from trial_evidence.config.looks import read_figure_configuration
from trial_evidence.config.networks import read_networks
from trial_evidence.config.reading import read
from trial_evidence.config.reports import read_report_configuration
from trial_evidence.config.simulation import FILE as CALIBRATION
from trial_evidence.config.simulation import Simulation
from trial_evidence.files import read_table, write_text
from trial_evidence.kept import PARTS, Parts
from trial_evidence.loaded import DICTIONARY, load, with_words
from trial_evidence.sheet import dictionary_as_markdown, read_dictionary
from trial_evidence.words.errors import RequestError


def extract(options: argparse.Namespace) -> None:
    """Select the evidence of every setting."""
    from trial_evidence.extract.stage import write_evidence

    configuration, sheet, _ = load(options.raw, options.config)
    write_evidence(sheet, configuration, options.processed)


def pool(options: argparse.Namespace) -> None:
    """Pool the evidence of one setting."""
    from trial_evidence.pool.stage import write_estimates

    configuration = read_configuration(options.config)
    parts = _parts(options, "pool")
    write_estimates(configuration, options.setting, options.processed, options.results, parts)


def figures(options: argparse.Namespace) -> None:
    """Draw the forest plots of one setting."""
    from trial_evidence.extract.context import trial_label
    from trial_evidence.figures.stage import write_figures
    from trial_evidence.pool.columns import ESTIMATE_NUMBERS
    from trial_evidence.report.files.at_a_glance import lines_of_setting

    configuration, sheet, _ = load(options.raw, options.config)
    looks = read_figure_configuration(options.config)
    unlike = read_networks(options.config, configuration).own_nodes
    asked = options.setting, options.processed, options.results, unlike, options.processes
    drawn = write_figures(configuration, looks, sheet, *asked)
    estimates = read_table(options.results / options.setting / "estimates.csv", ESTIMATE_NUMBERS)
    trials = sheet["trials"]
    names = dict(zip(trials["trial_id"], trials["name"].map(trial_label), strict=True))
    lines = list(lines_of_setting(estimates, names, configuration, options.setting))
    # After an edit, print the analyses it affected; a first run prints all of them at its end.
    if not drawn.issuperset(name for name, _ in lines):
        for line in (line for name, line in lines if name in drawn):
            print(line, flush=True)


def styled(options: argparse.Namespace) -> None:
    """Draw the figures in the style of a journal or for a slide."""
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


def sensitivity(options: argparse.Namespace) -> None:
    """Make the sensitivity analyses of one setting."""
    from trial_evidence.sensitivity.stage import write_sensitivity

    configuration, sheet, _ = load(options.raw, options.config)
    asked = options.setting, options.results, _parts(options, "sensitivity"), options.processes
    write_sensitivity(configuration, sheet, *asked)


def network(options: argparse.Namespace) -> None:
    """Analyse the networks of regimens of one setting."""
    from trial_evidence.network.stage import write_network

    configuration, sheet, _ = load(options.raw, options.config)
    networks = read_networks(options.config, configuration)
    asked = options.setting, options.results, _parts(options, "network"), options.processes
    write_network(configuration, networks, sheet, *asked)


def audit(options: argparse.Namespace) -> None:
    """List results that deserve a second look in the sources."""
    from trial_evidence.audit.stage import write_audit
    from trial_evidence.sheet.adjudication import apply_adjudications

    configuration, first, _ = load(options.raw, options.config, settled=False)
    sheet = apply_adjudications(first, with_words(read_dictionary(DICTIONARY), configuration))
    write_audit(sheet, first, configuration, options.processed, options.results)


def exchange(options: argparse.Namespace) -> None:
    """Write the results for R, RevMan and CINeMA, and as JSON."""
    from trial_evidence.exchange.stage import write_exchange
    from trial_evidence.report.material.material import read_evidence

    configuration, sheet, _ = load(options.raw, options.config)
    networks = read_networks(options.config, configuration)
    evidence = read_evidence(configuration, options.processed, options.results)
    write_exchange(configuration, networks, sheet, evidence, options.results)


def report(options: argparse.Namespace) -> None:
    """Write the tables and the report over all settings."""
    from trial_evidence.report.stage import Places, write_report

    configuration, sheet, _ = load(options.raw, options.config)
    report = read_report_configuration(options.config, configuration)
    networks = read_networks(options.config, configuration)
    places = Places(options.raw, options.config, options.processed, options.results, Path.cwd())
    write_report(configuration, report, networks, sheet, places, options.processes)


def simulate(options: argparse.Namespace) -> None:
    """Simulate one part of a calibration."""
    from trial_evidence.calibration.stage import write_part

    configuration = read_configuration(options.config)
    simulation = read(options.config / CALIBRATION, Simulation)
    if options.part not in range(simulation.parts):
        allowed = f"0 to {simulation.parts - 1}"
        raise RequestError(f"The simulation has no part {options.part}. Allowed: {allowed}.")
    folder = options.results / "calibration"
    write_part(configuration, simulation, options.results, folder, options.part)


def calibrate(options: argparse.Namespace) -> None:
    """Summarise the coverage of the intervals from all parts of the simulation."""
    from trial_evidence.calibration.stage import write_calibration

    configuration = read_configuration(options.config)
    simulation = read(options.config / CALIBRATION, Simulation)
    folder = options.results / "calibration"
    write_calibration(configuration, simulation, options.results, folder)
    print(f"The coverage of the intervals is in {folder / 'calibration.md'}.", flush=True)


def _parts(options: argparse.Namespace, stage: str) -> Parts:
    """The parts of a setting that a stage has cached from earlier runs."""
    return Parts(options.processed / PARTS / stage / options.setting)


def dictionary(options: argparse.Namespace) -> None:
    """Write docs/data-dictionary.md from workflow/dictionary."""
    write_text(Path("docs/data-dictionary.md"), dictionary_as_markdown(read_dictionary(DICTIONARY)))
