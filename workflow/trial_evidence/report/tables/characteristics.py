"""Characteristics of the trials, their risk of bias, and the biomarkers: tables of the sheet."""

import math
from collections import Counter
from collections.abc import Mapping
from typing import Any

from trial_evidence.extract.regimens import PARTNER_WORDS, agent_labels, join_agents
from trial_evidence.files import records
from trial_evidence.report.material.material import Material, links, source_ids
from trial_evidence.report.material.table import (
    NOT_STATED,
    ReportTable,
    count,
    interval,
    report_table,
    words,
)

RISK_DOMAINS = {
    "d1_randomisation": "D1",
    "d2_deviations": "D2",
    "d3_missing": "D3",
    "d4_measurement": "D4",
    "d5_selection": "D5",
    "overall": "Overall",
}
_RANDOMISED = {"yes": "randomised", "no": "not randomised", "": "randomisation not stated"}
_BLINDED = {"yes": "blinded", "no": "open label", "": "blinding not stated"}


def characteristics_table(material: Material) -> ReportTable:
    """A row a trial of the sheet: design, patients, arms, sources.

    Parameters
    ----------
    material : Material

    Returns
    -------
    ReportTable
        ``data`` links by ``nct``, ``doi`` and ``pmid``; those of all sources whose rows of the
        trial the sheet holds.
    """
    arms = material.sheet["arms"]
    sources = material.sources()
    read = _sources_of_trials(material)
    data = []
    for setting in material.configuration.settings:
        for trial in records(material.sheet["trials"]):
            if trial["setting"] != setting:
                continue
            mine = records(arms[arms["trial_id"] == trial["trial_id"]])
            cell = " / ".join(read.get(trial["trial_id"], ()))
            data.append(
                {column: trial[column] for column in (
                    "setting", "trial_id", "name", "nct", "phase", "randomised", "blinded",
                    "n_randomised", "enrolment_start_year", "enrolment_end_year", "population",
                    "primary_endpoint", "region", "note",
                )}
                | {"arms": "; ".join(_arm(arm) for arm in mine), "source_id": cell}
                | links(cell, sources)
            )  # fmt: skip
    shown = [
        {
            "Setting": material.configuration.settings[row["setting"]],
            "Trial": row["name"],
            "Registration": row["nct"] or NOT_STATED,
            "Design": _design(row),
            "Patients": count(row["n_randomised"]) or NOT_STATED,
            "Enrolment": _years(row),
            "Population": row["population"],
            "Region": row["region"] or NOT_STATED,
            "Arms (patients)": row["arms"],
            "Primary endpoint": row["primary_endpoint"],
            "Sources": row["source"],
        }
        for row in data
    ]
    return report_table(
        "characteristics",
        "Characteristics of the trials and cohorts",
        shown,
        data,
        ["Setting", "Trial", "Registration", "Design", "Patients", "Enrolment", "Population",
         "Region", "Arms (patients)", "Primary endpoint", "Sources"],
        ["setting", "trial_id", "name", "nct", "phase", "randomised", "blinded", "n_randomised",
         "enrolment_start_year", "enrolment_end_year", "population", "primary_endpoint", "region",
         "arms", "source_id", "source", "doi", "pmid", "note"],
        [
            "Patients: randomised, all arms together; enrolled where the trial is not randomised.",
            "Sources are those read for the numbers of the sheet.",
        ],
    )  # fmt: skip


def _design(row: Mapping[str, Any]) -> str:
    """Phase, randomisation and blinding in a few words."""
    phase = f"phase {row['phase']}" if row["phase"] else "phase not stated"
    return ", ".join([phase, _RANDOMISED[row["randomised"]], _BLINDED[row["blinded"]]])


def risk_of_bias_table(material: Material) -> ReportTable:
    """RoB 2 judgements, a row a trial and outcome, in the order of the settings.

    Parameters
    ----------
    material : Material

    Returns
    -------
    ReportTable
    """
    trials = material.trials()
    sources = material.sources()
    order = list(material.configuration.settings)
    table = records(material.sheet["risk_of_bias"])
    table.sort(key=lambda row: order.index(trials[row["trial_id"]]["setting"]))
    data = [
        row
        | {
            "setting": trials[row["trial_id"]]["setting"],
            "trial": trials[row["trial_id"]]["name"],
            "nct": trials[row["trial_id"]]["nct"],
        }
        | links(row["source_id"], sources)
        for row in table
    ]
    shown = [
        {
            "Setting": material.configuration.settings[row["setting"]],
            "Trial": row["trial"],
            "Outcome": row["outcome"],
            **{heading: words(row[column]) for column, heading in RISK_DOMAINS.items()},
            "Basis": "our own judgement" if row["basis"] == "judged" else row["basis"],
            "Why": row["note"],
            "Source": row["source"],
        }
        for row in data
    ]
    return report_table(
        "risk_of_bias",
        "Risk of bias (RoB 2) by trial and outcome",
        shown,
        data,
        ["Setting", "Trial", "Outcome", *RISK_DOMAINS.values(), "Basis", "Why", "Source"],
        ["setting", "trial_id", "trial", "nct", "outcome", *RISK_DOMAINS, "basis", "note",
         "source_id", "source", "doi", "pmid"],
        [
            "D1 randomisation; D2 deviations from the intended interventions; D3 missing outcome "
            "data; D4 measurement of the outcome; D5 selection of the reported result.",
        ],
    )  # fmt: skip


def biomarkers_table(material: Material) -> ReportTable:
    """Effects by biomarker as printed. Patients overlap between rows; nothing is pooled.

    Parameters
    ----------
    material : Material

    Returns
    -------
    ReportTable
    """
    sources = material.sources()
    trials = material.trials()
    data = [
        row
        | links(row["source_id"], sources)
        | {"nct": trials[row["study_id"]]["nct"] if row["study_id"] in trials else ""}
        for row in records(material.sheet["biomarker_effects"])
    ]
    shown = [
        {
            "Biomarker": row["biomarker"],
            "Study": material.study_name(row["study_id"], row["source_id"]),
            "Comparison": row["contrast"],
            "Outcome": row["outcome"],
            "Ratio (95% interval)": _ratio(row),
            "p": _p(row),
            "Treatment": row["treatment_context"],
            "Verification": row["verification"],
            "Source": row["source"],
            "Note": row["note"],
        }
        for row in data
    ]
    return report_table(
        "biomarkers",
        "Biomarkers: ratios as printed",
        shown,
        data,
        ["Biomarker", "Study", "Comparison", "Outcome", "Ratio (95% interval)", "p", "Treatment",
         "Verification", "Source", "Note"],
        ["study_id", "biomarker", "contrast", "outcome", "measure", "estimate", "ci_low", "ci_high",
         "p_value", "p_value_operator", "treatment_context", "verification", "source_id", "locator",
         "source", "doi", "pmid", "nct", "note"],
        [
            "Studies share patients, and most ratios compare patients who had the same treatment: "
            "they say who responds, not who gains from a second agent. They are not pooled.",
            "OR: odds ratio; HR: hazard ratio.",
        ],
    )  # fmt: skip


def evidence_map(material: Material) -> ReportTable:
    """Trials and patients by setting, regimen and endpoint: what has been studied, and what not.

    Parameters
    ----------
    material : Material

    Returns
    -------
    ReportTable
        A row a setting, regimen (HER2 agents and partner) and endpoint with at least one current
        row of the sheet that is verified. Patients are those of the arms, each arm once.
    """
    labels = agent_labels(material.sheet["agents"])
    trials = material.trials()
    arms = {arm["arm_id"]: arm for arm in records(material.sheet["arms"])}
    cells: dict[tuple[str, str, str], dict[str, float]] = {}
    for endpoint, arm_id in _reported(material):
        arm = arms[arm_id]
        key = (trials[arm["trial_id"]]["setting"], _regimen(arm, labels), endpoint)
        cells.setdefault(key, {})[arm_id] = arm["n_randomised"]
    order = list(material.configuration.settings)
    data = []
    for key in sorted(cells, key=lambda key: (order.index(key[0]), key[1], key[2])):
        patients = cells[key]
        known = [n for n in patients.values() if not math.isnan(n)]
        data.append(
            dict(zip(("setting", "regimen", "endpoint"), key, strict=True))
            | {
                "trials": len({arms[arm]["trial_id"] for arm in patients}),
                "arms": len(patients),
                "patients": int(sum(known)),
                "arms_without_n": len(patients) - len(known),
                "trial_ids": "; ".join(sorted({arms[arm]["trial_id"] for arm in patients})),
            }
        )
    shown = [
        {
            "Setting": material.configuration.settings[str(row["setting"])],
            "Regimen": str(row["regimen"]),
            "Endpoint": str(row["endpoint"]),
            "Trials": f"{row['trials']}",
            "Arms": f"{row['arms']}",
            "Patients": f"{row['patients']:,}" + (" or more" if row["arms_without_n"] else ""),
        }
        for row in data
    ]
    return report_table(
        "evidence_map",
        "Evidence map: trials and patients by setting, regimen and endpoint",
        shown,
        data,
        ["Setting", "Regimen", "Endpoint", "Trials", "Arms", "Patients"],
        ["setting", "regimen", "endpoint", "trials", "arms", "patients", "arms_without_n",
         "trial_ids"],
        [
            "Current rows, verified in the source or in a document that quotes it. Patients: "
            "randomised to the arm (enrolled, where the trial is not randomised); “or more” where "
            "an arm’s number is not in the sheet.",
        ],
    )  # fmt: skip


def _reported(material: Material) -> list[tuple[str, str]]:
    """(endpoint, arm) of every current, admitted row."""
    found: Counter[tuple[str, str]] = Counter()
    admitted = material.configuration.selection.admit
    for name, columns in (
        ("pcr", ("arm_id",)), ("hazard_ratios", ("experimental_arm_id", "control_arm_id")),
    ):  # fmt: skip
        table = material.sheet[name]
        for column, allowed in admitted.items():
            table = table[table[column].isin(allowed)]
        for row in records(table):
            endpoint = row.get("endpoint", "pCR")
            found.update((endpoint, row[column]) for column in columns)
    return list(found)


def _regimen(arm: Mapping[str, Any], labels: Mapping[str, str]) -> str:
    agents = [agent for agent in arm["agents"].split("+") if agent]
    name = join_agents(agents, labels) if agents else "No HER2 agent"
    if arm["her2_schedule"] == "sequential":
        name += " in sequence"
    return f"{name}, {PARTNER_WORDS[arm['partner']]}"


def _sources_of_trials(material: Material) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name in ("pcr", "hazard_ratios"):
        table = material.sheet[name]
        for trial, cell in zip(table["trial_id"], table["source_id"], strict=True):
            mine = found.setdefault(trial, [])
            mine += [source for source in source_ids(cell) if source not in mine]
    return found


def _arm(arm: Mapping[str, Any]) -> str:
    n = count(arm["n_randomised"])
    return f"{arm['label']} ({n})" if n else arm["label"]


def _years(row: Mapping[str, Any]) -> str:
    years = [
        "?" if math.isnan(row[column]) else f"{row[column]:.0f}"
        for column in ("enrolment_start_year", "enrolment_end_year")
    ]
    return NOT_STATED if years == ["?", "?"] else "–".join(years)


def _ratio(row: Mapping[str, Any]) -> str:
    if math.isnan(row["estimate"]):
        return "not printed"
    limits = interval(row["ci_low"], row["ci_high"])
    return f"{row['measure']} {row['estimate']:g}" + (f" ({limits})" if limits else "")


def _p(row: Mapping[str, Any]) -> str:
    if not row["p_value_operator"]:
        return ""
    printed = f"{row['p_value_operator']} {row['p_value']:g}"
    return printed.removeprefix("= ")
