"""The calibration: simulate every overall pool of the sheet, and write table, page and figures."""

import hashlib
import math
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import scipy

import trial_evidence.pool
from trial_evidence.calibration.designs import Design, read_designs
from trial_evidence.calibration.pictures import calibration_charts
from trial_evidence.calibration.summary import CALIBRATION_COLUMNS, EMPIRICAL_NAME, calibration_page
from trial_evidence.calibration.terminal import progress_bar
from trial_evidence.config.configuration import Configuration
from trial_evidence.figures.canvas.publishing import publish
from trial_evidence.figures.canvas.style import style_for
from trial_evidence.files import write_table, write_text
from trial_evidence.pool.bayes.priors import HalfNormal, InverseGamma, TauPrior
from trial_evidence.pool.models.pooling import model_priors
from trial_evidence.pool.probes.calibration import Calibration, Plan, calibrate
from trial_evidence.words.models import EMPIRICAL


@dataclass(frozen=True)
class Grid:
    """What is simulated for every pool.

    Attributes
    ----------
    taus : tuple of float
        True between-trial standard deviations of log ratios; the figure has room for six. The
        last stands for heterogeneity beyond what the default prior expects.
    simulations : int
        Meta-analyses for each pool and tau. With 10,000 no coverage whatever has a standard
        error above half a percentage point.
    part : int
        How many are simulated before they are written down.
    seed : int
        Seed of the random numbers; pools with as many trials share them.
    """

    taus: tuple[float, ...] = (0.0, 0.1, 0.2, 0.3, 0.4, 1.0)
    simulations: int = 10_000
    part: int = 2_000
    seed: int = 1


def write_calibration(
    configuration: Configuration,
    results: Path,
    folder: Path,
    *,
    grid: Grid | None = None,
    progress: Callable[[int, int, str], None] | None = None,
) -> None:
    """Write ``calibration.csv``, ``calibration.md`` and the figures.

    Finished parts are kept in ``folder/parts`` and used again, unless the statistics or the grid
    have changed since.

    Parameters
    ----------
    configuration
        Level of the intervals, priors (the empirical one of each measure, the cautious one and the
        wider one are judged), width and formats of figures.
    results
        Holds ``<setting>/trials.csv``.
    progress
        Called with the parts done, the parts there are and what is being simulated; by default a
        bar on the terminal.

    Raises
    ------
    LookupError
        If a setting has not been pooled yet, or no pool has two trials.
    """
    grid = grid or Grid()
    progress = progress or progress_bar(sys.stderr)
    designs = read_designs(configuration, results)
    parts = _parts_folder(folder / "parts", grid)
    rows: list[list[object]] = []
    plans = [_plan(design, configuration, grid) for design in designs]
    # Every place of tau of a pool in parts of its own.
    own_parts = [len(plan.places) * -(-grid.simulations // grid.part) for plan in plans]
    for number, design in enumerate(designs):
        label = f"{design.setting}, {design.analysis}, {design.measure} (k = {design.k})"

        before = sum(own_parts[:number])

        def shown(done: int, _: int, before: int = before, of: str = label) -> None:
            progress(before + done, sum(own_parts), of)

        rows += simulate_design(design, configuration, grid, parts, shown)
    table = pd.DataFrame(rows, columns=CALIBRATION_COLUMNS)
    write_table(folder / "calibration.csv", table)
    write_text(folder / "calibration.md", calibration_page(table))
    style = style_for(configuration.figure_width_mm)
    charts = calibration_charts(table, configuration.confidence_level, style)
    publish(charts, folder, configuration.figure_formats)


def simulate_design(
    design: Design,
    configuration: Configuration,
    grid: Grid,
    parts: Path,
    progress: Callable[[int, int], None],
) -> list[list[object]]:
    """Simulate one pool, keeping finished parts in a folder: rows of ``CALIBRATION_COLUMNS``.

    A quantity called relative is in widths of the interval that knows tau, or, for tau2, in mean
    variances v + tau**2 of a trial's effect. `progress` is told the parts of this pool that are
    done and those there are.
    """
    level = configuration.confidence_level
    empirical = model_priors(configuration.tau_priors[design.measure]).get(EMPIRICAL)
    cautious = HalfNormal(configuration.tau_priors[design.measure].half_normal)
    wide = HalfNormal(configuration.sensitivity.wide_prior_factor * cautious.scale)
    priors: dict[str, TauPrior] = {prior.label: prior for prior in (cautious, wide)}
    if empirical is not None:
        priors = {EMPIRICAL_NAME: empirical, **priors}
    plan = _plan(design, configuration, grid)
    found = calibrate(plan, priors, folder=parts, progress=progress)
    return [
        [design.setting, design.analysis, design.measure, row.k, row.tau, grid.simulations,
         quantity, row.name, value, error]
        for row in found
        for quantity, value, error in _with_relative(row, design, level)
    ]  # fmt: skip


def _plan(design: Design, configuration: Configuration, grid: Grid) -> Plan:
    """What is simulated of a pool; last, with tau drawn from its measure's empirical prior."""
    empirical = model_priors(configuration.tau_priors[design.measure]).get(EMPIRICAL)
    return Plan(
        design.vi,
        grid.taus,
        grid.simulations,
        grid.seed,
        configuration.confidence_level,
        grid.part,
        drawn_from=empirical if isinstance(empirical, InverseGamma) else None,
    )


def _with_relative(
    row: Calibration, design: Design, level: float
) -> list[tuple[str, float, float]]:
    """A number as it is and, where it has a size to be measured by, in that size."""
    numbers = [(row.quantity, row.value, row.monte_carlo_se)]
    units = {
        "width": design.ideal_width(row.tau, level),
        "prediction width": design.ideal_prediction_width(row.tau, level),
        "tau2 bias": design.trial_variance(row.tau),
    }
    if (unit := units.get(row.quantity)) and not math.isnan(row.tau):
        numbers.append((f"relative {row.quantity}", row.value / unit, row.monte_carlo_se / unit))
    return numbers


def _parts_folder(parts: Path, grid: Grid) -> Path:
    """Folder for the parts of these statistics and this grid; those of others are removed.

    A part is good as long as nothing it rests on has changed: the code of the statistics, the
    libraries under it, and the grid, because the random numbers depend on the place of a tau in it.
    """
    source = Path(trial_evidence.pool.__file__).parent
    digest = hashlib.sha256(f"{grid} {np.__version__} {scipy.__version__}".encode())
    for path in sorted(source.rglob("*.py")):
        digest.update(path.read_bytes())
    own = parts / digest.hexdigest()[:16]
    for other in parts.glob("*"):
        if other != own and other.is_dir():
            shutil.rmtree(other)
    return own
