"""What would change the answer: one more trial, one or two fewer, and the information missing."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any

import numpy as np
import pandas as pd

from trial_evidence.config.methods import Sensitivity
from trial_evidence.measures.scales import LOG_RATIO
from trial_evidence.pool.probes.further_trial import (
    FOR_PAIRS,
    FurtherTrial,
    Pools,
    Removals,
    removals,
    sides,
    smallest_trial,
)
from trial_evidence.pool.probes.information import (
    VARIANCE_OF_ONE_EVENT,
    diversity,
    events_required,
    patients_required,
    risk_with,
    variance_of_one_patient,
)
from trial_evidence.sensitivity.comparison import BEGINNING, MEAN, Comparison, table
from trial_evidence.words.numbers import format_number, format_percent
from trial_evidence.words.printed import listing

CHANGE_COLUMNS = [
    *BEGINNING, "k", "model", *MEAN, "ci_level", "excludes_no_effect", "unit", "control_risk",
    "trial_finds", "smallest_trial", "largest_considered", "however_large", "however_small",
    *(f"{name}_with_trial" for name in MEAN), "removals_of_one", "removals_of_two", "effect_sought",
    "diversity", "required", "required_adjusted", "present", "share_reached", "further_trial",
    "removal", "information",
]  # fmt: skip
EVENTS, PATIENTS = "events", "patients per arm"
OF_THE_CHANGE = ("unit", "control_risk", "diversity", "required", "required_adjusted", "present")
# Number of pairs of trials that a sentence names.
PAIRS_NAMED = 3


@dataclass(frozen=True)
class Change:
    """What would change the answer of one comparison; effects on the analysis scale."""

    comparison: Comparison
    choices: Sensitivity

    @cached_property
    def now(self) -> Pools:
        """The leading result, as a stack of one."""
        c = self.comparison
        return c.refit(c.yi[:, None], c.vi[:, None])

    @property
    def excludes(self) -> bool:
        """Whether its interval excludes no effect."""
        return bool(sides(self.now)[0])

    @property
    def unit(self) -> str:
        """Unit of the size of a trial."""
        return EVENTS if self.comparison.counts is None else PATIENTS

    @property
    def control_risk(self) -> float:
        """Overall risk of the event in the control arms; NaN without counts."""
        counts = self.comparison.counts
        if counts is None:
            return math.nan
        return float(np.sum(counts.events_c) / np.sum(counts.n_c))

    @property
    def finds(self) -> float:
        """The effect found by the further trial: no effect, or the pooled one."""
        return 0.0 if self.excludes else float(self.now.estimate[0])

    @property
    def unit_variance(self) -> float:
        """Variance of the further trial times its size; NaN if no trial can find the effect."""
        if self.unit == EVENTS:
            return VARIANCE_OF_ONE_EVENT
        return variance_of_one_patient(self.comparison.reading, self.control_risk, self.finds)

    @property
    def sizes(self) -> tuple[int, int]:
        """The smallest and the largest further trial considered."""
        chosen = self.choices.further_trial
        return chosen.events if self.unit == EVENTS else chosen.patients_per_arm

    @cached_property
    def further(self) -> FurtherTrial | None:
        """The smallest further trial that changes the verdict; None if none can find the effect."""
        c, unit_variance = self.comparison, self.unit_variance
        if not math.isfinite(unit_variance):
            return None
        return smallest_trial(
            c.yi, c.vi, c.refit, effect=self.finds, unit_variance=unit_variance, sizes=self.sizes
        )

    @cached_property
    def removals(self) -> Removals:
        """The trials whose removal changes the verdict."""
        c = self.comparison
        return removals(c.yi, c.vi, c.refit)

    @property
    def effect_sought(self) -> float:
        """The effect that the trials together should be able to detect."""
        c, sought = self.comparison, self.choices.required_information
        is_ratio = c.reading.scale is LOG_RATIO
        size = math.log(sought.ratio) if is_ratio else sought.difference
        # in the direction of benefit; for harms, an increase
        return -size if c.analysis.fewer_is_better and not c.analysis.harm else size

    @property
    def diversity(self) -> float:
        """Diversity D2, with the leading model's between-trial variance."""
        return diversity(self.comparison.vi, float(self.now.tau2[0]))

    @property
    def required(self) -> float:
        """Events, or patients in both arms, without heterogeneity; NaN if it cannot be computed."""
        sought = self.choices.required_information
        if self.unit == EVENTS:
            return events_required(self.effect_sought, sought.alpha, sought.power)
        risk = risk_with(self.comparison.reading, self.control_risk, self.effect_sought)
        return patients_required(self.control_risk, risk, sought.alpha, sought.power)

    @property
    def required_adjusted(self) -> float:
        """Events or patients required, with allowance for differences between trials."""
        return self.required / (1 - self.diversity)

    @property
    def present(self) -> float:
        """Patients, or the number of events to which the precision of the trials is equivalent."""
        counts = self.comparison.counts
        if counts is None:
            return float(VARIANCE_OF_ONE_EVENT * np.sum(1 / self.comparison.vi))
        return float(np.sum(counts.n_e) + np.sum(counts.n_c))


def what_would_change_table(
    comparisons: Sequence[Comparison], choices: Sensitivity
) -> pd.DataFrame:
    """What would change the answer of every analysis, for its first measure.

    Returns
    -------
    DataFrame
        Columns ``CHANGE_COLUMNS``: the leading result; the smallest further trial that would change
        its verdict (``smallest_trial``, empty if none up to ``largest_considered`` would;
        ``however_large``: not even one without error would; ``however_small``: even one without
        information would) with the result including it; ids of trials whose removal changes the
        verdict, pairs with a ``+``; the required information, without and with heterogeneity, and
        the share reached; and all three in sentences.
    """
    first = [c for c in comparisons if c.measure == c.analysis.measures[0]]
    found = table(first, CHANGE_COLUMNS, partial(_record, choices=choices))
    return found.astype({"smallest_trial": "Int64"})


def _record(c: Comparison, choices: Sensitivity) -> Iterator[dict[str, Any]]:
    change = Change(c, choices)
    found, ids = change.further, c.rows["trial_id"].tolist()
    record: dict[str, Any] = {
        "model": c.lead(c.k).model,
        **c.naturals(change.now, MEAN, 0),
        "excludes_no_effect": "yes" if change.excludes else "no",
        **{name: getattr(change, name) for name in OF_THE_CHANGE},
        "trial_finds": c.natural(change.finds),
        "largest_considered": change.sizes[1],
        "removals_of_one": ";".join(ids[at] for at in change.removals.one),
        "removals_of_two": ";".join(f"{ids[a]}+{ids[b]}" for a, b in change.removals.two),
        "effect_sought": c.natural(change.effect_sought),
        "share_reached": change.present / change.required_adjusted,
        "further_trial": further_words(change),
        "removal": removal_words(change),
        "information": information_words(change),
    }
    if found is not None:
        record["smallest_trial"] = found.size
        record |= {
            name: "yes" if getattr(found, name) else "no"
            for name in ("however_large", "however_small")
        }
        record |= {f"{n}_with_trial": value for n, value in c.naturals(found, MEAN).items()}
    yield record


def further_words(change: Change) -> str:
    """The smallest further trial that would change the verdict, in a sentence or two."""
    c, found, null = change.comparison, change.further, change.comparison.null
    if change.excludes:
        finding, done = "finds no effect", f"make the interval include {null}"
    else:
        pooled = f"{c.reading.short} {format_number(c.natural(change.finds), c.reading.digits)}"
        finding, done = f"finds the pooled effect ({pooled})", f"make the interval exclude {null}"
    if found is None:
        return f"Not computed: no trial at this control risk {finding}."
    if found.however_large:
        return (
            f"No further trial that {finding} would {done}, however large: since results differ "
            "between trials, the weight of any single trial is limited."
        )
    smallest, largest = change.sizes
    of = "with" if change.unit == EVENTS else "of"
    if found.size is None:
        return (
            f"Only a trial of more than {size_words(change, largest)} that {finding} would {done}."
        )
    if found.however_small:
        return (
            f"Any further trial that {finding} would {done}, however small: one more trial "
            "narrows the interval through its degree of freedom alone."
        )
    even = "Even a further" if found.size == smallest else "A further"
    return f"{even} trial {of} {size_words(change, found.size)} that {finding} would {done}."


def removal_words(change: Change) -> str:
    """The trials whose removal changes the verdict, in a sentence or two."""
    k, names = change.comparison.k, change.comparison.rows["trial"].astype(str).tolist()
    now, then = ("excludes", "include") if change.excludes else ("includes", "exclude")
    gone, null = change.removals, change.comparison.null
    if k == 2:
        alone = [f"{names[1 - at]} alone" for at in gone.one]
        if not alone:
            return f"The interval of either trial alone {now} {null} as well."
        return f"The interval of {' and that of '.join(alone)} would {then} {null}."
    one = _any_of([names[at] for at in gone.one])
    two = [f"both {names[a]} and {names[b]}" for a, b in gone.two]
    if len(two) > PAIRS_NAMED:
        two[PAIRS_NAMED:] = [f"any of {len(two) - PAIRS_NAMED} other pairs of trials"]
    pairs = ", or ".join(two)
    if one:
        also = f" It would also {then} {null} if {pairs} were left out." if two else ""
        return f"The interval would {then} {null} if {one} were left out.{also}"
    if two:
        return (
            f"No single trial is decisive; the interval would {then} {null} if {pairs} were left "
            "out."
        )
    searched = "No trial and no pair of trials" if k in FOR_PAIRS else "No trial"
    return (
        f"{searched} is decisive: whichever is left out, the interval {now} {null} (no difference)."
    )


def information_words(change: Change) -> str:
    """The information needed to detect the effect sought, and that available, in two sentences."""
    c, sought = change.comparison, change.choices.required_information
    if not math.isfinite(change.required):
        return "Not computed: no trial at this control risk can have the effect sought."
    needed, allowing = _whole(change.required), _whole(change.required_adjusted)
    events = change.unit == EVENTS
    what = EVENTS if events else "patients"
    risk = "" if events else f" at a control risk of {format_percent(change.control_risk)}"
    effect = format_number(c.natural(change.effect_sought), 2)
    allowed = f", {allowing} with allowance for differences between trials"
    held = "as much information as" if events else "data on"
    reached = format_percent(change.present / change.required_adjusted)
    return (
        f"To detect a {c.reading.title.lower()} of {effect}{risk} with {sought.power:g}% power, "
        f"{needed} {what} are required{allowed if allowing != needed else ''}. The trials hold "
        f"{held} {change.present:,.0f} {what}: {reached} of what is required."
    )


def size_words(change: Change, size: int) -> str:
    """The size of a trial: ``310 events``, ``1,240 patients (620 per arm)``."""
    if change.unit == EVENTS:
        return f"{size:,} events"
    return f"{2 * size:,} patients ({size:,} per arm)"


def _any_of(names: Sequence[str]) -> str:
    """``A``, ``either A or B``, ``any one of A, B and C``."""
    if len(names) == 2:
        return f"either {names[0]} or {names[1]}"
    if len(names) > 2:
        return f"any one of {listing(names)}"
    return "".join(names)


def _whole(number: float) -> str:
    return f"{math.ceil(number - 1e-9):,}"
