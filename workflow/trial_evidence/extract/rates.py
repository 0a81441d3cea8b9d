"""Rates by arm: every arm that received a regimen, including single-arm cohorts."""

from collections.abc import Sequence
from itertools import product
from typing import Any

from trial_evidence.config.configuration import RateAnalysis
from trial_evidence.extract.comparisons import Records, texts_of
from trial_evidence.extract.context import Context, aside_record, unusable, where
from trial_evidence.extract.regimens import regimen_label
from trial_evidence.extract.selection import choose_among, level_sets
from trial_evidence.files import Record, records
from trial_evidence.sheet.values import ALL


def rate_evidence(context: Context, analysis: RateAnalysis) -> tuple[Records, Records]:
    """Rows used, with the arms summed per trial, regimen and level; and rows set aside."""
    used: Records = []
    aside: Records = []
    regimens = [records(a) for _, a in context.arms.groupby(["trial_id", "regimen"], sort=False)]
    levels = [level for group in level_sets(analysis.effect_modifiers) for level in group]
    restricted = set(zip(*(context.populations[c] for c in ("trial_id", "subgroup")), strict=True))
    for of_regimen, level in product(regimens, levels):
        first, arms = of_regimen[0], [arm["arm_id"] for arm in of_regimen]
        trial_id = first["trial_id"]
        # A trial that enrolled only patients at one level reports it as its whole population.
        admitted = [level, ALL] if (trial_id, level) in restricted else [level]
        candidates = context.candidates(analysis, arms, admitted)
        kept_out = unusable(candidates, context.selection)
        excluded = {arm: context.excluded(trial_id, [arm], analysis.id, level) for arm in arms}
        if not all(excluded.values()):
            # A decision on one arm leaves the trial to its other arms.
            kept_out |= {
                label: reason
                for label, row in candidates.items()
                if (reason := excluded[row["arm_id"]]) is not None
            }
        usable = {row["arm_id"] for label, row in candidates.items() if label not in kept_out}
        # An arm without an admissible row must not exclude the other arms with the regimen.
        reported = [arm for arm in arms if arm in usable]
        wanted = [where({"arm_id": arm}) for arm in reported]
        orders = context.selection.orders[analysis.table]
        choice = choose_among(candidates, wanted, orders, ["definition"], kept_out)
        aside += [
            aside_record(context, analysis.id, (level,), analysis.table, candidates[label], reason)
            for label, reason in choice.set_aside.items()
        ]
        if not choice.taken:
            continue
        taken = [candidates[label] for label in choice.taken]
        agents, schedule, partner = first["agent_set"], first["her2_schedule"], first["partner"]
        used.append(
            {
                **context.about(analysis.id, trial_id, reported, level),
                **added_up(taken),
                "measure": "proportion",
                "regimen": first["regimen"],
                "regimen_label": regimen_label(agents, schedule, partner, context.labels),
                "agents": "+".join(agents),
                "schedule": schedule,
                "partner": partner,
                "randomised": context.trials[trial_id]["randomised"],
            }
        )
    return used, aside


def added_up(arms: Sequence[Record]) -> dict[str, Any]:
    """Several arms as one: counts summed, distinct texts joined."""
    return {
        **texts_of(arms, "; "),
        "arm_ids": ";".join(arm["arm_id"] for arm in arms),
        **{number: sum(arm[number] for arm in arms) for number in ("events", "n")},
        "rows": ";".join(str(arm["row"]) for arm in arms),
    }
