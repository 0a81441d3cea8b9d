"""Characteristics of the trials, their risk of bias, and the biomarkers: tables of the sheet."""

import math
from collections.abc import Mapping

import pandas as pd

from trial_evidence.extract.regimens import PARTNER_WORDS, agent_labels, join_agents
from trial_evidence.files import records
from trial_evidence.report.material import reading
from trial_evidence.report.material.material import JOINED, Material, source_ids, where
from trial_evidence.report.material.printed import (
    NOT_STATED,
    admitted,
    capital,
    count,
    stated,
    whole,
    words,
)
from trial_evidence.report.material.table import SETTING, SOURCE, Column, ReportTable, Row

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
_BASIS = {"judged": "our own judgement"}
_ENROLMENT = ("enrolment_start_year", "enrolment_end_year")


def characteristics_table(material: Material) -> ReportTable:
    """A row a trial of the sheet: design, patients, arms, sources.

    The links are those of all sources whose rows of the trial the sheet holds.
    """
    arms = material.sheet["arms"]
    read = _sources_of_trials(material)
    rows = [
        trial
        | {
            "arms": "; ".join(map(_arm, records(where(arms, trial_id=trial["trial_id"])))),
            "source_id": JOINED.join(read.get(trial["trial_id"], ())),
        }
        for setting in material.configuration.settings
        for trial in records(where(material.sheet["trials"], setting=setting))
    ]
    columns = (
        SETTING,
        Column("Trial", "name"),
        Column("Registration", "nct", stated),
        Column("Design", text=_design),
        Column("Patients", "n_randomised", lambda n: stated(count(n))),
        Column("Enrolment", text=_years),
        Column("Population", "population"),
        Column("Region", "region", stated),
        Column("Arms (patients)", "arms"),
        Column("Primary endpoint", "primary_endpoint"),
        Column("Sources", "source"),
    )
    return material.table(
        "characteristics",
        "Characteristics of the trials and cohorts",
        rows,
        columns,
        ("setting", "trial_id", "name", "nct", "phase", "randomised", "blinded", "n_randomised",
         *_ENROLMENT, "population", "primary_endpoint", "region", "arms", "source_id", "source",
         "doi", "pmid", "note"),
        [
            "Patients: number randomised in all arms; enrolled, if the trial is not randomised.",
            "Sources: those that the numbers were extracted from.",
        ],
    )  # fmt: skip


def risk_of_bias_table(material: Material) -> ReportTable:
    """RoB 2 judgements, a row a trial and outcome, in the order of the settings."""
    order = list(material.configuration.settings)
    rows = [
        row | {"setting": trial["setting"], "trial": trial["name"]}
        for row in records(material.sheet["risk_of_bias"])
        for trial in [material.trials[row["trial_id"]]]
    ]
    columns = (
        SETTING,
        Column("Trial", "trial"),
        Column("Outcome", "outcome"),
        *(Column(heading, key, words) for key, heading in RISK_DOMAINS.items()),
        Column("Basis", "basis", lambda basis: _BASIS.get(basis, basis)),
        Column("Why", "note"),
        SOURCE,
    )
    return material.table(
        "risk_of_bias",
        "Risk of bias (RoB 2) by trial and outcome",
        sorted(rows, key=lambda row: order.index(row["setting"])),
        columns,
        ("setting", "trial_id", "trial", "nct", "outcome", *RISK_DOMAINS, "basis", "note",
         "source_id", "source", "doi", "pmid"),
        [
            "D1 randomisation; D2 deviations from the intended interventions; D3 missing outcome "
            "data; D4 measurement of the outcome; D5 selection of the reported result.",
        ],
    )  # fmt: skip


def biomarkers_table(material: Material) -> ReportTable:
    """Effects by biomarker as printed. Patients overlap between rows; nothing is pooled."""
    columns = (
        Column("Biomarker", "biomarker"),
        Column("Study", text=lambda row: material.study_name(row["study_id"], row["source_id"])),
        Column("Comparison", "contrast"),
        Column("Outcome", "outcome"),
        Column("Ratio (interval)", text=_ratio),
        Column("p", text=_p),
        Column("Treatment", "treatment_context"),
        Column("Verification", "verification"),
        SOURCE,
        Column("Note", "note"),
    )
    return material.table(
        "biomarkers",
        "Biomarkers: ratios as printed",
        records(material.sheet["biomarker_effects"]),
        columns,
        ("study_id", "biomarker", "contrast", "outcome", "measure", "estimate", "ci_low", "ci_high",
         "p_value", "p_value_operator", "treatment_context", "verification", "source_id", "locator",
         "source", "doi", "pmid", "nct", "note"),
        [
            "Studies share patients, and most ratios compare patients given the same treatment: "
            "they show who responds, not who benefits from a second agent. They are not pooled.",
            "Ratios, intervals and p values as the source gives them. OR: odds ratio; HR: hazard "
            "ratio.",
        ],
    )  # fmt: skip


def evidence_map(material: Material) -> ReportTable:
    """Trials and patients by setting, regimen and endpoint: what has been studied, and what not.

    A row a setting, regimen (HER2 agents and partner) and endpoint with at least one current
    row of the sheet that is verified. Patients are those of the arms, each arm once.
    """
    keys = ["setting", "regimen", "endpoint"]
    rows = [
        dict(zip(keys, key, strict=True))
        | {
            "trials": mine["trial_id"].nunique(),
            "arms": len(mine),
            "patients": int(mine["n_randomised"].sum()),
            "arms_without_n": int(mine["n_randomised"].isna().sum()),
            "trial_ids": "; ".join(sorted(set(mine["trial_id"]))),
        }
        for key, mine in _reported_arms(material).groupby(keys, observed=True)
    ]
    columns = (
        SETTING,
        Column("Regimen", "regimen"),
        Column("Endpoint", "endpoint"),
        Column("Trials", "trials"),
        Column("Arms", "arms"),
        Column(
            "Patients",
            text=lambda row: count(row["patients"]) + (" or more" if row["arms_without_n"] else ""),
        ),
    )
    return material.table(
        "evidence_map",
        "Evidence map: trials and patients by setting, regimen and endpoint",
        rows,
        columns,
        ("setting", "regimen", "endpoint", "trials", "arms", "patients", "arms_without_n",
         "trial_ids"),
        [
            f"{capital(admitted(material.configuration.selection))}. Patients: number randomised "
            "to the arms (enrolled, if the trial is not randomised); “or more” where the number of "
            "an arm is not in the sheet.",
        ],
    )  # fmt: skip


def _reported_arms(material: Material) -> pd.DataFrame:
    """Arms with a current, admitted result, once for each endpoint: their trial and regimen."""
    names = agent_labels(material.sheet["agents"])
    labels = {name: outcome.label for name, outcome in material.configuration.outcomes.items()}
    found = []
    for name in material.sheet.results:
        table = material.sheet[name]
        for column, allowed in material.configuration.selection.admit.items():
            table = table[table[column].isin(allowed)]
        endpoint = table["outcome"].map(lambda outcome: labels.get(outcome, outcome))
        arms = [column for column in map(str, table) if column.endswith("arm_id")]
        found += [pd.DataFrame({"endpoint": endpoint, "arm_id": table[arm]}) for arm in arms]
    trials = material.sheet["trials"][["trial_id", "setting"]]
    reported = pd.concat(found).drop_duplicates().merge(material.sheet["arms"]).merge(trials)
    # Groups come in the order of the settings.
    return reported.assign(
        regimen=[_regimen(arm, names) for arm in records(reported)],
        setting=pd.Categorical(reported["setting"], list(material.configuration.settings)),
    )


def _regimen(arm: Row, labels: Mapping[str, str]) -> str:
    agents = [agent for agent in arm["agents"].split("+") if agent]
    name = join_agents(agents, labels) if agents else "No HER2 agent"
    if arm["her2_schedule"] == "sequential":
        name += " in sequence"
    return f"{name}, {PARTNER_WORDS[arm['partner']]}"


def _sources_of_trials(material: Material) -> dict[str, dict[str, None]]:
    """Trial id -> the sources of its results, in the order of the sheet."""
    found: dict[str, dict[str, None]] = {}
    for name in material.sheet.results:
        table = material.sheet[name]
        for trial, cell in zip(table["trial_id"], table["source_id"], strict=True):
            found.setdefault(trial, {}).update(dict.fromkeys(source_ids(cell)))
    return found


def _design(row: Row) -> str:
    """Phase, randomisation and blinding in a few words."""
    phase = f"phase {row['phase']}" if row["phase"] else "phase not stated"
    return ", ".join([phase, _RANDOMISED[row["randomised"]], _BLINDED[row["blinded"]]])


def _arm(arm: Row) -> str:
    n = count(arm["n_randomised"])
    return f"{arm['label']} ({n})" if n else str(arm["label"])


def _years(row: Row) -> str:
    years = [whole(row[column]) for column in _ENROLMENT]
    return "–".join(year or "?" for year in years) if any(years) else NOT_STATED


def _ratio(row: Row) -> str:
    if math.isnan(row["estimate"]):
        return "not printed"
    ends = reading.limits(row)
    return f"{row['measure']} {row['estimate']:g}" + (f" ({ends})" if ends else "")


def _p(row: Row) -> str:
    relation = row["p_value_operator"]
    return f"{relation} {row['p_value']:g}".removeprefix("= ") if relation else ""
