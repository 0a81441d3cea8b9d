"""Effect sizes as formulas with their numbers filled in; docs/methods.md explains them."""

import math
from collections.abc import Mapping
from typing import Any

from trial_evidence.measures.scales import normal_quantile
from trial_evidence.words.numbers import round_half_up

# Effect and variance. Events: a of m in the experimental arm, c of n in the control arm; b and d
# had no event. A rate has one arm.
_COUNTED = {
    "proportion": ("log({a:g}/{b:g})", "1/{a:g} + 1/{b:g}"),
    "risk_ratio": (
        "log(({a:g}/{m:g}) / ({c:g}/{n:g}))",
        "1/{a:g} - 1/{m:g} + 1/{c:g} - 1/{n:g}",
    ),
    "odds_ratio": (
        "log(({a:g} x {d:g}) / ({b:g} x {c:g}))",
        "1/{a:g} + 1/{b:g} + 1/{c:g} + 1/{d:g}",
    ),
    "risk_difference": (
        "{a:g}/{m:g} - {c:g}/{n:g}",
        "{a:g} x {b:g} / {m:g}^3 + {c:g} x {d:g} / {n:g}^3",
    ),
}
# Standard error of a log ratio, by what it was calculated from.
_STANDARD_ERRORS = {
    "interval": "(log {ci_high:g} - log {ci_low:g}) / (2 x {z:.3f})",
    "upper limit": "(log {ci_high:g} - log {hr:g}) / {z:.3f}",
    "lower limit": "(log {hr:g} - log {ci_low:g}) / {z:.3f}",
    "p value": "|log {hr:g}| / z(p = {p_value:g})",
    "events": "sqrt(1/{events_experimental:g} + 1/{events_control:g})",
}


def effect_size_in_words(record: Mapping[str, Any]) -> str:
    """Effect size of a row of ``trials.csv`` or ``rates.csv``, with its variance or SE."""
    if math.isnan(record["yi"]):
        return str(record["not_pooled_reason"])
    yi, vi = _number(record["yi"]), _number(record["vi"])
    if record["measure"] not in _COUNTED:
        z = normal_quantile(record["ci_level"])
        error = _STANDARD_ERRORS[record["se_source"]].format(**record, z=z)
        sign = "-" if record["inverted"] == "yes" else ""
        return f"{sign}log {record['hr']:g} = {yi}; SE = {error} = {_root(record['vi'])}"
    add = 0.5 if record["corrected"] == "yes" else 0.0
    arms = ("", "") if "events" in record else ("_experimental", "_control")
    (a, b), (c, d) = (
        (record[f"events{arm}"] + add, record[f"n{arm}"] - record[f"events{arm}"] + add)
        for arm in arms
    )
    effect, variance = (
        formula.format(a=a, b=b, c=c, d=d, m=a + b, n=c + d)
        for formula in _COUNTED[record["measure"]]
    )
    note = "; 0.5 added to each cell" if add else ""
    return f"{effect} = {yi}; v = {variance} = {vi}{note}"


def network_effect_in_words(record: Mapping[str, Any]) -> str:
    """The contribution of a row to a network: counts of an arm, or a log ratio with its SE."""
    if math.isnan(record["hr"]):
        return f"{record['events']:g}/{record['n']:g}"
    return (
        f"log {record['hr']:g} = {_number(record['yi'])}; "
        f"SE from {record['se_source']} = {_root(record['vi'])}"
    )


def _number(value: float) -> str:
    return round_half_up(value, 4)


def _root(value: float) -> str:
    return _number(math.sqrt(value))
