"""The calibration: simulate every overall pool of the sheet; write table, page and figures."""

import math
from pathlib import Path

import pandas as pd

from trial_evidence.calibration.designs import Design, read_designs
from trial_evidence.calibration.pictures import calibration_charts
from trial_evidence.calibration.summary import CALIBRATION_COLUMNS, EMPIRICAL_NAME, calibration_page
from trial_evidence.config.configuration import Configuration
from trial_evidence.config.simulation import Simulation
from trial_evidence.figures.canvas.publishing import publish
from trial_evidence.figures.canvas.style import style_for
from trial_evidence.files import read_table, write_table, write_text
from trial_evidence.pool.bayes.priors import HalfNormal, InverseGamma, TauPrior, model_priors
from trial_evidence.pool.probes.calibration import Calibration, Moments, Plan, simulate, summarised
from trial_evidence.words.models import EMPIRICAL

PART_COLUMNS = [
    "setting", "analysis", "measure", "place", "quantity", "method", "count", "sum", "squares",
]  # fmt: skip
_MOMENTS = PART_COLUMNS[-3:]


def part_file(folder: Path, number: int) -> Path:
    """Path of a part, numbered from zero, in the folder of the calibration."""
    return folder / "parts" / f"{number}.csv"


def write_part(
    configuration: Configuration, simulation: Simulation, results: Path, folder: Path, number: int
) -> None:
    """Simulate one part of every pool, and write ``parts/<number>.csv``.

    Parameters
    ----------
    configuration
        Level of the intervals, and the priors assessed: the empirical one of each measure, the
        cautious one and the wider one.
    results
        Contains ``<setting>/trials.csv``.
    folder
        Folder of the calibration.

    Raises
    ------
    LookupError
        If a setting has not been pooled yet, or no pool has two trials.
    """
    rows = [
        [*_pool(design), *key, *moments.tolist()]
        for design in read_designs(configuration, results)
        for key, moments in simulate(*_planned(design, configuration, simulation), number).items()
    ]
    write_table(part_file(folder, number), pd.DataFrame(rows, columns=PART_COLUMNS))


def calibration_table(
    configuration: Configuration, simulation: Simulation, results: Path, folder: Path
) -> pd.DataFrame:
    """The results of all the parts, which must exist, with columns ``CALIBRATION_COLUMNS``."""
    parts = [_read_part(part_file(folder, number)) for number in range(simulation.parts)]
    level = configuration.confidence_level
    rows = [
        [*_pool(design), row.k, row.tau, simulation.simulations, quantity, row.name, value, error]
        for design in read_designs(configuration, results)
        for row in summarised(
            _planned(design, configuration, simulation)[0],
            (part[_pool(design)] for part in parts),
        )
        for quantity, value, error in _with_relative(row, design, level)
    ]
    return pd.DataFrame(rows, columns=CALIBRATION_COLUMNS)


def write_calibration(
    configuration: Configuration, simulation: Simulation, results: Path, folder: Path
) -> None:
    """Write ``calibration.csv``, ``calibration.md`` and the figures from all the parts.

    Parameters
    ----------
    configuration
        As for the parts; also width and formats of figures.
    results, folder
        As for the parts, all of which must exist.

    Raises
    ------
    LookupError
        As for the parts.
    """
    table = calibration_table(configuration, simulation, results, folder)
    write_table(folder / "calibration.csv", table)
    write_text(folder / "calibration.md", calibration_page(table))
    style = style_for(configuration.figures.width_mm)
    charts = calibration_charts(table, configuration.confidence_level, style)
    publish(charts, folder, configuration.figures.formats)


def _pool(design: Design) -> tuple[str, str, str]:
    return design.setting, design.analysis, design.measure


def _read_part(path: Path) -> dict[tuple[str, ...], Moments]:
    """The results of a part, by pool."""
    found: dict[tuple[str, ...], Moments] = {}
    table = read_table(path, _MOMENTS)
    for row, moments in zip(table.itertuples(), table[_MOMENTS].to_numpy(), strict=True):
        pool = (str(row.setting), str(row.analysis), str(row.measure))
        key = (int(str(row.place)), str(row.quantity), str(row.method))
        found.setdefault(pool, {})[key] = moments
    return found


def _planned(
    design: Design, configuration: Configuration, simulation: Simulation
) -> tuple[Plan, dict[str, TauPrior]]:
    """The simulation plan for a pool, and the priors assessed under the names of their models.

    The plan ends with tau drawn from the empirical prior.
    """
    empirical = model_priors(configuration.tau_priors[design.measure]).get(EMPIRICAL)
    cautious = HalfNormal(configuration.tau_priors[design.measure].half_normal)
    wide = HalfNormal(configuration.sensitivity.wide_prior_factor * cautious.scale)
    priors: dict[str, TauPrior] = {prior.label: prior for prior in (cautious, wide)}
    plan = Plan(
        design.vi,
        simulation.taus,
        simulation.simulations,
        simulation.seed,
        configuration.confidence_level,
        simulation.part,
        drawn_from=empirical if isinstance(empirical, InverseGamma) else None,
    )
    return plan, priors if empirical is None else {EMPIRICAL_NAME: empirical, **priors}


def _with_relative(
    row: Calibration, design: Design, level: float
) -> list[tuple[str, float, float]]:
    """A value and, if it has a unit of comparison, the value relative to it.

    The units: the width of the interval for known tau or, for tau2, the mean variance v + tau**2 of
    a trial's effect.
    """
    numbers = [(row.quantity, row.value, row.monte_carlo_se)]
    units = {
        "width": design.ideal_width(row.tau, level),
        "prediction width": design.ideal_prediction_width(row.tau, level),
        "tau2 bias": design.trial_variance(row.tau),
    }
    if (unit := units.get(row.quantity)) and not math.isnan(row.tau):
        numbers.append((f"relative {row.quantity}", row.value / unit, row.monte_carlo_se / unit))
    return numbers
