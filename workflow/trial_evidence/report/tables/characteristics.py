"""Tables of the sheet: characteristics of the trials, risk of bias, biomarkers, evidence map."""

import math
from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd

from trial_evidence.config.configuration import NO_AGENT
from trial_evidence.extract.regimens import PARTNER_WORDS, agent_labels, arm_regimens, join_agents
from trial_evidence.figures.forests.sentences import brief
from trial_evidence.files import Record, records, where
from trial_evidence.report.material.material import JOINED, Material, ReportTable, source_ids
from trial_evidence.report.words import reading
from trial_evidence.report.words.templates import admitted
from trial_evidence.words.printed import NOT_STATED, capital, count, whole

NO_RESULT = "no result on a comparison and an outcome that is analysed"
_RANDOMISED = {"yes": "randomised", "no": "not randomised", "": "randomisation not stated"}
_BLINDED = {"yes": "blinded", "no": "open label", "": "blinding not stated"}
_BASIS = {"judged": "our own judgement"}
_ENROLMENT = ("enrolment_start_year", "enrolment_end_year")


def characteristics_table(material: Material) -> ReportTable:
    """One row per trial of the sheet: design, patients, arms, sources.

    It links to all sources from which the sheet has results of the trial.
    """
    rows = [
        trial | {"arms": "; ".join(map(_arm, material.sheet.of_trial("arms", trial["trial_id"])))}
        for trial in _trials(material)
    ]
    return material.table("characteristics", rows, {"design": _design, "years": _years})


def _trials(material: Material) -> Iterator[dict[str, Any]]:
    """The trials of the sheet by setting, with the sources of all their results."""
    read = material.reported.groupby("trial_id")["source_id"].agg(JOINED.join)
    for setting in material.settings:
        for trial in records(where(material.sheet["trials"], setting=setting)):
            yield trial | {"source_id": JOINED.join(source_ids(read.get(trial["trial_id"], "")))}


def used_trials(material: Material) -> tuple[set[str], set[str]]:
    """Trials behind a result: in comparisons (including single trials); in networks or rates."""
    evidence = material.evidence
    compared, rated = (
        set(where(table, pooled="yes")["trial_id"]) for table in (evidence.trials, evidence.rates)
    )
    return compared, rated | {str(row["trial_id"]) for row in evidence.networks.rows("used")}


def included_trials(material: Material) -> set[str]:
    """Trials with a result in a comparison, a pool of rates or a network."""
    return set().union(*used_trials(material))


def excluded_table(material: Material) -> ReportTable:
    """Trials of the sheet that no result rests on, each with the reasons.

    The reasons are those for which comparisons, pools of rates and networks set its rows aside or
    show them without pooling them.
    """
    aside: dict[str, dict[str, None]] = {}
    in_networks = material.evidence.networks.rows("set_aside")
    evidence = material.evidence
    shown = [
        row | {"reason": row["not_pooled_reason"]}
        for table in (evidence.trials, evidence.rates)
        for row in records(where(table, pooled="no"))
    ]
    for row in (*shown, *records(evidence.set_aside), *in_networks):
        aside.setdefault(row["trial_id"], {})[brief(row["reason"]).rstrip(".")] = None
    included = included_trials(material)
    rows = [
        trial | {"why": "; ".join(aside.get(trial["trial_id"], [NO_RESULT]))}
        for trial in _trials(material)
        if trial["trial_id"] not in included
    ]
    return material.table("excluded", rows, {"design": _design})


def risk_of_bias_table(material: Material) -> ReportTable:
    """RoB 2 judgements, one row per trial and outcome, in the order of the settings."""
    order = list(material.settings)
    rows = [
        row | {"setting": trial["setting"], "trial": trial["name"]}
        for row in records(material.sheet["risk_of_bias"])
        for trial in [material.trials[row["trial_id"]]]
    ]
    formats = {"basis": lambda row: _BASIS.get(row["basis"], row["basis"])}
    rows.sort(key=lambda row: order.index(row["setting"]))
    return material.table("risk_of_bias", rows, formats)


def biomarkers_table(material: Material) -> ReportTable:
    """Effects by biomarker, as published. Patients overlap between rows, so nothing is pooled."""
    formats = {
        "study": lambda row: material.study_name(row["study_id"], row["source_id"]),
        "ratio": _ratio,
        "p_as_printed": _p,
    }
    return material.table("biomarkers", records(material.sheet["biomarker_effects"]), formats)


def evidence_map(material: Material) -> ReportTable:
    """Trials and patients by setting, regimen and endpoint: what has and has not been studied.

    One row per setting, regimen (agents and partner) and endpoint with at least one current,
    verified row in the sheet. Patients are those of the arms, each arm counted once.
    """
    groups = _reported_arms(material).groupby(["setting", "regimen", "endpoint"], observed=True)
    table = groups.agg(
        trials=("trial_id", "nunique"),
        arms=("arm_id", "size"),
        patients=("n_randomised", "sum"),
        arms_without_n=("n_randomised", lambda column: column.isna().sum()),
        trial_ids=("trial_id", lambda column: "; ".join(sorted(set(column)))),
    )
    rows = records(table.astype({"patients": int}).reset_index())
    which = capital(admitted(material.configuration.selection))
    return material.table("evidence_map", rows, {"patients": _patients}, admitted=which)


def _patients(row: Record) -> str:
    return count(row["patients"]) + (" or more" if row["arms_without_n"] else "")


def _reported_arms(material: Material) -> pd.DataFrame:
    """Arms with an admitted result, once per endpoint, with their trial and regimen."""
    names = agent_labels(material.sheet["agents"])
    labels = material.configuration.outcome_labels
    results = material.reported
    for column, allowed in material.configuration.selection.admit.items():
        results = results[results[column].isin(allowed)]
    arms = list(results.filter(like="arm_id"))
    found = results.melt("outcome", arms, value_name="arm")[["outcome", "arm"]]
    found = found.set_axis(["endpoint", "arm_id"], axis="columns")
    found["endpoint"] = [labels.get(name, name.replace("_", " ")) for name in found["endpoint"]]
    trials = material.sheet["trials"][["trial_id", "setting"]]
    regimens = arm_regimens(material.sheet["arms"]).merge(trials)
    reported = found.drop_duplicates().merge(regimens, on="arm_id")
    # A categorical, so that groups come in the order of the settings.
    return reported.assign(
        regimen=[_regimen(text, names, material.report.agent) for text in reported["regimen"]],
        setting=pd.Categorical(reported["setting"], list(material.settings)),
    )


def _regimen(regimen: str, labels: Mapping[str, str], agent: str) -> str:
    """A regimen of the sheet, ``agents|schedule|partner``, in words."""
    agents, schedule, partner = regimen.split("|")
    name = f"No {agent}" if agents == NO_AGENT else join_agents(agents.split("+"), labels)
    sequence = " in sequence" if schedule == "sequential" else ""
    return f"{name}{sequence}, {PARTNER_WORDS[partner]}"


def _design(row: Record) -> str:
    """Phase, randomisation and blinding in a few words."""
    phase = f"phase {row['phase']}" if row["phase"] else "phase not stated"
    return ", ".join([phase, _RANDOMISED[row["randomised"]], _BLINDED[row["blinded"]]])


def _arm(arm: Record) -> str:
    n = count(arm["n_randomised"])
    return f"{arm['label']} ({n})" if n else str(arm["label"])


def _years(row: Record) -> str:
    first, last = (whole(row[column]) for column in _ENROLMENT)
    if first and last:
        return f"{first}–{last}"
    return f"from {first}" if first else f"until {last}" if last else NOT_STATED


def _ratio(row: Record) -> str:
    if math.isnan(row["estimate"]):
        return "not printed"
    ends = reading.limits(row)
    return f"{row['measure']} {row['estimate']:g}" + (f" ({ends})" if ends else "")


def _p(row: Record) -> str:
    relation = row["p_value_operator"]
    return f"{relation} {row['p_value']:g}".removeprefix("= ") if relation else ""
