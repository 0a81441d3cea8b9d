"""Fixtures: a real browser with the report's page."""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from invented import ROOT
from opened import LONG, NASTY, Watched
from playwright.sync_api import Browser, BrowserContext, sync_playwright
from small_project import drawn_once, evidence_of, small_project
from trial_evidence.cli import main
from trial_evidence.config.reports import read_report_configuration
from trial_evidence.kept import Parts
from trial_evidence.report.material.material import (
    SENSITIVITY_NUMBERS,
    Material,
    report_table,
)
from trial_evidence.report.page.page import page
from trial_evidence.report.page.sections import page_settings
from trial_evidence.report.trail.trace import trail_of

NAMES = ("chromium", "chromium-browser", "google-chrome")
FLAGS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip


def folders(folder: Path) -> list[str]:
    return [f"--{name}={folder / place}" for name, place in (
        ("raw", "data/raw"), ("config", "config"), ("processed", "data/processed"),
        ("results", "results"),
    )]  # fmt: skip


def write_page_of(folder: Path, drawn: str) -> Path:
    """The page of a project with the forest plots of one setting only."""
    sheet, configuration, evidence = evidence_of(folder)
    for setting in configuration.settings:
        listing = folder / "results" / setting / "figures.csv"
        listing.write_text("setting,analysis,figure,title,description\n", encoding="utf-8")
    assert main(["figures", *folders(folder), f"--setting={drawn}"]) == 0
    table = report_table(
        "characteristics", f"Trials {NASTY}",
        [{"trial": NASTY, "nct": "NCT00000001", "doi": "10.1000/x"}],
        [("Trial", "text", "trial"), ("Number", "text", "nct")], ["nct", "doi"], [NASTY],
    )  # fmt: skip
    report = read_report_configuration(folder / "config", configuration)
    results, parts = folder / "results", Parts(folder / "parts")
    # As if the sensitivity stage had found nothing.
    none = {
        name: pd.DataFrame(columns=["setting", "analysis", *numbers])
        for name, numbers in SENSITIVITY_NUMBERS.items()
    }
    material = Material(configuration, report, sheet, evidence, none, results, parts)
    trail = trail_of(evidence, configuration)
    text = page(
        material, page_settings(material, trail), trail, "The evidence", tables=(table,),
        methods=(f"Methods {NASTY}",), provenance={"versions": {"python": "3"}, "note": NASTY},
        cited=tuple(sheet["sources"]["source_id"]),
    )  # fmt: skip
    path = folder / "report.html"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.fixture(scope="session")
def real_page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of the real sheet, with one analysis pooled by a different method."""
    folder = tmp_path_factory.mktemp("real")
    for place in ("data/raw", "config"):
        shutil.copytree(ROOT / place, folder / place)
    drawn_once(folder / "config")
    analyses = folder / "config/analyses.yaml"
    own = "    pooling: {tau2_estimator: DL, estimate_interval: wald}\n"
    first = "\n    pool: overall\n"
    text = analyses.read_text(encoding="utf-8")
    assert first in text
    analyses.write_text(text.replace(first, first + own, 1), encoding="utf-8")
    return write_page_of(folder, "metastatic_first_line")


@pytest.fixture(scope="session")
def nasty_page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of a made-up sheet that contains typed markup and a very long name."""
    folder = small_project(tmp_path_factory.mktemp("nasty"))
    quoted = '"' + NASTY.replace('"', '""') + '"'
    for table, old, new in (
        ("trials", "trial_f,TRIAL-F,", f"trial_f,{quoted},"),
        ("trials", "trial_g,TRIAL-G,", f"trial_g,{LONG},"),
        ("sources", "Invented for the tests", quoted),
    ):
        path = folder / "data/raw" / f"{table}.csv"
        text = path.read_text(encoding="utf-8")
        assert old in text
        path.write_text(text.replace(old, new), encoding="utf-8")
    return write_page_of(folder, "adjuvant")


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Chromium; the tests are skipped without it, unless they are required."""
    found = next((path for path in map(shutil.which, NAMES) if path), None)
    if found is None:
        message = f"none of {', '.join(NAMES)} is on this machine"
        if os.environ.get("BROWSER_TESTS") == "required":
            pytest.fail(message)
        pytest.skip(message)
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=found, args=FLAGS)
        yield running
        running.close()


Open = Callable[..., Watched]


@pytest.fixture
def visit(browser: Browser) -> Iterator[Open]:
    """Open a page in a new window: ``visit(path, width=390)``."""
    contexts: list[BrowserContext] = []

    def opened(path: Path, width: int = 1280, height: int = 900, **options: Any) -> Watched:
        context = browser.new_context(viewport={"width": width, "height": height}, **options)
        contexts.append(context)
        return Watched(context, path)

    yield opened
    for context in contexts:
        context.close()
