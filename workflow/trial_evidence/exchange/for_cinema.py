"""Networks in the formats of CINeMA: one row per arm, and one row per comparison of two arms.

Columns, codes and restrictions are those of CINeMA 2.0 (source in docs/exchange.md): studies are
numbered, no cell is empty, and risk of bias is 1, 2 or 3.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any

import pandas as pd

from trial_evidence.config.networks import Network, NetworkConfiguration
from trial_evidence.extract.judged import NOT_JUDGED, judged_risk
from trial_evidence.files import where
from trial_evidence.sheet import Sheet

RISK = {"low": 1, "some_concerns": 2, "high": 3, NOT_JUDGED: 2}
"""Overall judgement -> CINeMA's code; not judged is coded 2, which CINeMA calls unclear."""
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
    """``cinema/<setting>/<network>_arms.csv`` and ``_contrasts.csv``, and a list of these files.

    CINeMA requires connected networks, so each connected part has its own file; the largest part
    has no number. Arms are written for networks of counts. Contrasts are always written, for every
    pair of arms of a trial: the effect of ``t1`` against ``t2`` on the scale of the analysis.
    """
    made: dict[str, pd.DataFrame] = {}
    listed: list[dict[str, Any]] = []
    for network in configuration.networks:
        tables = networks.get(f"{network.setting}/{network.id}", {})
        if "nodes" not in tables or "contrasts" not in tables:
            continue
        used, nodes = tables["used"], tables["nodes"]
        for part in dict.fromkeys(tables["contrasts"]["part"]):
            contrasts = where(tables["contrasts"], part=part)
            studies = _studies(network, sheet, used, contrasts["trial_id"])
            of_part = {"contrasts": _contrasts(contrasts, nodes, studies)}
            if network.kind == "counts":
                of_part["arms"] = _arms(used, nodes, studies)
            for kind, rows in of_part.items():
                number = "" if part == "1" else f"_part_{part}"
                name = f"cinema/{network.setting}/{network.id}{number}_{kind}.csv"
                made[name] = rows
                listed.append(_listed(network, part, name, kind, rows))
    return {"cinema/files.csv": pd.DataFrame(listed, columns=LISTING), **made}


def plain_codes(codes: Iterable[str]) -> dict[str, str]:
    """Code of a node -> a unique version of it in letters, digits and ``_``.

    CINeMA requires names without spaces or special characters.
    """
    plain: dict[str, str] = {}
    for code in codes:
        bare = re.sub(r"[^A-Za-z0-9]+", "_", code).strip("_")
        ways = (bare, *(f"{bare}_{number}" for number in range(2, len(plain) + 2)))
        plain[code] = next(way for way in ways if way not in plain.values())
    return plain


def _studies(network: Network, sheet: Sheet, used: pd.DataFrame, trials: pd.Series) -> pd.DataFrame:
    """The columns of CINeMA that describe a whole study; one row per trial."""
    found = used[used["trial_id"].isin(trials)].drop_duplicates("trial_id")
    risks = [
        judged_risk(sheet, network.endpoints, trial, endpoint or network.endpoints[0])
        for trial, endpoint in zip(found["trial_id"], found["endpoint"], strict=True)
    ]
    return pd.DataFrame(
        {
            "trial_id": found["trial_id"],
            "id": range(1, len(found) + 1),
            "study": found["trial"],
            "rob": [RISK[risk] for risk in risks],
            "indirectness": NOT_INDIRECT,
            "risk_of_bias": [risk.replace("_", " ") for risk in risks],
        }
    )


def _arms(used: pd.DataFrame, nodes: pd.DataFrame, studies: pd.DataFrame) -> pd.DataFrame:
    rows = studies.merge(used[["trial_id", "code", "events", "n"]], on="trial_id")
    rows = _with_treatments(rows, nodes, {"code": ""}).rename(columns={"events": "r"})
    return rows[ARMS].astype({"r": int, "n": int}).sort_values(["id", "t"], ignore_index=True)


def _contrasts(contrasts: pd.DataFrame, nodes: pd.DataFrame, studies: pd.DataFrame) -> pd.DataFrame:
    rows = studies.merge(contrasts[["trial_id", "first", "second", "yi", "se"]], on="trial_id")
    rows = _with_treatments(rows, nodes, {"first": "1", "second": "2"})
    rows = rows.rename(columns={"yi": "effect"})
    return rows[CONTRASTS].sort_values(["id", "t1", "t2"], ignore_index=True)


def _with_treatments(
    rows: pd.DataFrame, nodes: pd.DataFrame, ends: Mapping[str, str]
) -> pd.DataFrame:
    """Rows with the plain code and regimen of the nodes named in these columns."""
    codes, regimens = plain_codes(nodes["code"]), nodes.set_index("code")["label"]
    for column, end in ends.items():
        named = {f"t{end}": rows[column].map(codes), f"regimen{end}": rows[column].map(regimens)}
        rows = rows.assign(**named)
    return rows


def _listed(
    network: Network, part: str, name: str, kind: str, rows: pd.DataFrame
) -> dict[str, Any]:
    arms = [rows[column] for column in ("t", "t1", "t2") if column in rows]
    return {
        "setting": network.setting, "network": network.id, "part": part, "title": network.title,
        "file": name.removeprefix("cinema/"),
        "format": "binary, long" if kind == "arms" else "inverse variance",
        "measure": network.measure, "better": "fewer" if network.fewer_is_better else "more",
        "studies": rows["id"].nunique(), "treatments": pd.concat(arms).nunique(),
        "not_judged": int((rows.drop_duplicates("id")["risk_of_bias"] == NOT_JUDGED).sum()),
    }  # fmt: skip
