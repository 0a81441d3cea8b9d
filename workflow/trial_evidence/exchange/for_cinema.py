"""Networks as CINeMA reads them: a row an arm, and a row a comparison of two arms.

Columns, codes and refusals are those of CINeMA 2.0 (docs/exchange.md says where they are written
down): a study is a number, no cell is empty, and risk of bias is 1, 2 or 3.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any

import pandas as pd

from trial_evidence.config.networks import Network, NetworkConfiguration
from trial_evidence.extract.judged import NOT_JUDGED, judged_risk
from trial_evidence.files import records
from trial_evidence.report.material.material import where
from trial_evidence.sheet import Sheet

RISK = {"low": 1, "some_concerns": 2, "high": 3, NOT_JUDGED: 2}
"""Overall judgement -> CINeMA's code; what nobody has judged is unclear, as CINeMA calls 2."""
NOT_INDIRECT = 1
ARMS = ["id", "study", "t", "r", "n", "rob", "indirectness", "regimen", "risk_of_bias"]
CONTRASTS = [
    "id", "study", "t1", "t2", "effect", "se", "rob", "indirectness", "regimen1", "regimen2",
    "risk_of_bias",
]  # fmt: skip
LISTING = [
    "setting", "network", "part", "title", "file", "format", "measure", "better", "studies",
    "treatments", "not_judged",
]  # fmt: skip
Tables = Mapping[str, pd.DataFrame]


def files_for_cinema(
    configuration: NetworkConfiguration, sheet: Sheet, networks: Mapping[str, Tables]
) -> dict[str, pd.DataFrame]:
    """``cinema/<setting>/<network>_arms.csv`` and ``_contrasts.csv``, and a list of them.

    CINeMA wants a network that is connected: each part is a file of its own, the largest without
    a number. Arms are there where the network is of counts; contrasts always, every two arms of a
    trial, the effect of ``t1`` against ``t2`` on the scale of the analysis.
    """
    made: dict[str, pd.DataFrame] = {}
    listed: list[dict[str, Any]] = []
    for network in configuration.networks:
        tables = networks.get(f"{network.setting}/{network.id}", {})
        if "nodes" not in tables or "contrasts" not in tables:
            continue
        codes = plain_codes(tables["nodes"]["code"])
        for part in dict.fromkeys(tables["contrasts"]["part"]):
            contrasts = where(tables["contrasts"], part=part)
            studies = _studies(network, sheet, tables["used"], contrasts["trial_id"])
            of_part = {"contrasts": _contrasts(contrasts, tables["nodes"], codes, studies)}
            if network.kind == "counts":
                of_part["arms"] = _arms(tables["used"], tables["nodes"], codes, studies)
            for kind, rows in of_part.items():
                number = "" if part == "1" else f"_part_{part}"
                name = f"cinema/{network.setting}/{network.id}{number}_{kind}.csv"
                made[name] = rows
                listed.append(_listed(network, part, name, kind, rows))
    return {"cinema/files.csv": pd.DataFrame(listed, columns=LISTING), **made}


def plain_codes(codes: Iterable[str]) -> dict[str, str]:
    """Code of a node -> the same in letters, digits and ``_``, unlike any other.

    CINeMA asks for names without blanks and special characters.
    """
    plain: dict[str, str] = {}
    for code in codes:
        bare = re.sub(r"[^A-Za-z0-9]+", "_", code).strip("_")
        ways = (bare, *(f"{bare}_{number}" for number in range(2, len(plain) + 2)))
        plain[code] = next(way for way in ways if way not in plain.values())
    return plain


def _studies(
    network: Network, sheet: Sheet, used: pd.DataFrame, trials: pd.Series
) -> dict[str, dict[str, Any]]:
    """Trial -> what CINeMA wants to know of a study, whatever its arms."""
    found: dict[str, dict[str, Any]] = {}
    for row in records(used.drop_duplicates("trial_id")):
        if row["trial_id"] in set(trials):
            outcome = row["endpoint"] or network.endpoints[0]
            risk = judged_risk(sheet, network.endpoints, row["trial_id"], outcome)
            found[row["trial_id"]] = {
                "id": len(found) + 1, "study": row["trial"], "rob": RISK[risk],
                "indirectness": NOT_INDIRECT, "risk_of_bias": risk.replace("_", " "),
            }  # fmt: skip
    return found


def _arms(
    used: pd.DataFrame,
    nodes: pd.DataFrame,
    codes: Mapping[str, str],
    studies: Mapping[str, dict[str, Any]],
) -> pd.DataFrame:
    labels = _labels(nodes)
    rows = [
        studies[row["trial_id"]]
        | {"t": codes[row["code"]], "regimen": labels[row["code"]],
           "r": int(row["events"]), "n": int(row["n"])}
        for row in records(used)
        if row["trial_id"] in studies
    ]  # fmt: skip
    return _in_order(pd.DataFrame(rows, columns=ARMS), "t")


def _contrasts(
    contrasts: pd.DataFrame,
    nodes: pd.DataFrame,
    codes: Mapping[str, str],
    studies: Mapping[str, dict[str, Any]],
) -> pd.DataFrame:
    labels = _labels(nodes)
    rows = [
        studies[row["trial_id"]]
        | {"t1": codes[row["first"]], "t2": codes[row["second"]], "effect": row["yi"],
           "se": row["se"], "regimen1": labels[row["first"]], "regimen2": labels[row["second"]]}
        for row in records(contrasts)
    ]  # fmt: skip
    return _in_order(pd.DataFrame(rows, columns=CONTRASTS), "t1", "t2")


def _labels(nodes: pd.DataFrame) -> dict[str, str]:
    return dict(zip(nodes["code"], nodes["label"], strict=True))


def _in_order(rows: pd.DataFrame, *treatments: str) -> pd.DataFrame:
    return rows.sort_values(["id", *treatments], ignore_index=True)


def _listed(
    network: Network, part: str, name: str, kind: str, rows: pd.DataFrame
) -> dict[str, Any]:
    arms = [rows[column] for column in ("t", "t1", "t2") if column in rows]
    judged = rows.drop_duplicates("id")["risk_of_bias"]
    return {
        "setting": network.setting, "network": network.id, "part": part, "title": network.title,
        "file": name.removeprefix("cinema/"),
        "format": "binary, long" if kind == "arms" else "inverse variance",
        "measure": network.measure, "better": "fewer" if network.fewer_is_better else "more",
        "studies": rows["id"].nunique(), "treatments": pd.concat(arms).nunique(),
        "not_judged": int((judged == NOT_JUDGED).sum()),
    }  # fmt: skip
