"""Rules that tie several cells together: within a row, and between rows and tables."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence

from trial_evidence.words.problems import Problem, did_you_mean, quoted

from .checked import CheckedRow, Rows, of_kind
from .dictionary import Dictionary
from .values import ALL, subgroup_pairs

ANY = "*"
NOT_SAID = frozenset({"", "not reported", "not applicable"})

# What makes two rows of a table tell the same result of the same source, and what may be left
# unsaid in one of them.
_SAME_RESULT = {
    "counts": (
        ("arm_id", "outcome", "definition", "population", "subgroup", "source_id"),
        ("assessor",),
    ),
    "contrasts": (
        ("experimental_arm_id", "control_arm_id", "endpoint", "analysis", "subgroup", "source_id"),
        ("median_followup_months", "assessor"),
    ),
}
_NUMBERS = {"counts": ("events", "n"), "contrasts": ("hr", "ci_low", "ci_high")}
_ARMS = {"counts": ("arm_id",), "contrasts": ("experimental_arm_id", "control_arm_id")}
# A level that stands once is compared with levels that stand at least this often.
_OFTEN = 3


def rule_problems(tables: Rows, dictionary: Dictionary) -> list[Problem]:
    """Return what breaks a rule across cells.

    Parameters
    ----------
    tables : mapping of str to sequence of CheckedRow
        Table name to rows; tables that could not be read are left out.
    dictionary : Dictionary
        Says which tables hold results, and of which kind.
    """
    contrasts = of_kind(tables, dictionary, "contrasts")
    return [
        *_conjugates(tables),
        *_enrolment(tables),
        *_arms_of_the_trial(tables, dictionary),
        *_two_arms(contrasts),
        *_intervals(contrasts),
        *_p_values(contrasts),
        *_same_result_twice(tables, dictionary),
        *_trials_without_arms(tables),
        *_factors_of_decisions(tables, dictionary),
        *_rare_subgroups(tables, dictionary),
    ]


def _conjugates(tables: Rows) -> Iterator[Problem]:
    rows = tables.get("agents", ())
    kinds = {row.text("agent"): row.text("class") for row in rows}
    for row in rows:
        kind, parent = row.text("class"), row.text("parent_antibody")
        if kind == "antibody_drug_conjugate" and row.is_blank("parent_antibody"):
            message = "the cell is empty, but a conjugate needs the antibody it contains."
            yield row.problem("error", "parent_antibody", message)
        elif parent and kind and kind != "antibody_drug_conjugate":
            message = f"{quoted(parent)} is given as parent antibody, but only a conjugate has one."
            yield row.problem("error", "parent_antibody", message)
        elif parent and kinds.get(parent, "antibody") not in {"antibody", ""}:
            message = f"{quoted(parent)} is not an antibody in agents.csv."
            yield row.problem("error", "parent_antibody", message)


def _enrolment(tables: Rows) -> Iterator[Problem]:
    for row in tables.get("trials", ()):
        start = row.numbers.get("enrolment_start_year")
        end = row.numbers.get("enrolment_end_year")
        if start is not None and end is not None and end < start:
            message = f"enrolment ends in {end:.0f}, before it starts in {start:.0f}."
            yield row.problem("error", "enrolment_end_year", message)


def _arms_of_the_trial(tables: Rows, dictionary: Dictionary) -> Iterator[Problem]:
    trial_of = {row.text("arm_id"): row.text("trial_id") for row in tables.get("arms", ())}
    arms = {name: _ARMS[kind] for name, kind in dictionary.kinds.items() if kind in _ARMS}
    for table, columns in (arms | {"exclusions": ("arm_id",)}).items():
        for row in tables.get(table, ()):
            for column in columns:
                arm, trial = row.text(column), row.text("trial_id")
                owner = trial_of.get(arm, "")
                if arm and trial and owner and owner != trial:
                    message = f"{quoted(arm)} is an arm of {owner}, not of {trial}."
                    yield row.problem("error", column, message)


def _two_arms(rows: Sequence[CheckedRow]) -> list[Problem]:
    return [
        row.problem("error", "control_arm_id", "experimental and control arm are the same arm.")
        for row in rows
        if row.text("control_arm_id")
        and row.text("control_arm_id") == row.text("experimental_arm_id")
    ]


def _intervals(rows: Sequence[CheckedRow]) -> Iterator[Problem]:
    for row in rows:
        limits = [column for column in ("ci_low", "ci_high") if row.text(column)]
        if limits and row.is_blank("ci_level"):
            message = "the cell is empty, but the row has a confidence limit: give its level."
            yield row.problem("error", "ci_level", message)
        if row.text("ci_level") and row.is_blank("ci_low") and row.is_blank("ci_high"):
            message = "a level is given, but no confidence limit."
            yield row.problem("warning", "ci_level", message)
        if limits == ["ci_low"] and row.is_blank("ci_high"):
            message = "only the lower limit is given. Check whether the upper limit is printed."
            yield row.problem("warning", "ci_high", message)


def _p_values(rows: Sequence[CheckedRow]) -> Iterator[Problem]:
    for row in rows:
        if row.text("p_value") and row.is_blank("p_sided"):
            message = "the cell is empty, but the row has a p value: enter one or two."
            yield row.problem("error", "p_sided", message)
        if row.text("p_sided") and row.is_blank("p_value"):
            message = "the number of sides is given, but no p value. Check whether one is printed."
            yield row.problem("warning", "p_sided", message)


def _same_result_twice(tables: Rows, dictionary: Dictionary) -> Iterator[Problem]:
    for table in dictionary.of_kind(*_SAME_RESULT):
        same, unsaid = _SAME_RESULT[dictionary.kinds[table]]
        columns = dictionary.tables[table].columns
        said = [column for column in same if column in columns and not columns[column].optional]
        groups = defaultdict(list)
        for row in tables.get(table, ()):
            if row.text("status") == "current" and all(row.text(column) for column in said):
                groups[tuple(row.text(column) for column in same)].append(row)
        for rows in groups.values():
            for n, row in enumerate(rows):
                for earlier in rows[:n]:
                    if all(_compatible(row.text(c), earlier.text(c)) for c in unsaid):
                        yield _twice(_NUMBERS[dictionary.kinds[table]], row, earlier)
                        break


def _compatible(one: str, other: str) -> bool:
    return one == other or one in NOT_SAID or other in NOT_SAID


def _twice(values: Sequence[str], row: CheckedRow, earlier: CheckedRow) -> Problem:
    agree = all(row.text(column) == earlier.text(column) for column in values)
    message = f"the same result of the same source is also in row {earlier.number}"
    message += (
        ". Delete one, or mark one as superseded."
        if agree
        else " with other numbers. Check which is right, and mark the other as superseded."
    )
    return row.problem("warning", "", message)


def _trials_without_arms(tables: Rows) -> list[Problem]:
    if not tables.get("arms"):
        return []
    with_arms = {row.text("trial_id") for row in tables["arms"]}
    return [
        row.problem("warning", "trial_id", "the trial has no arm in arms.csv.")
        for row in tables.get("trials", ())
        if row.text("trial_id") and row.text("trial_id") not in with_arms
    ]


def _reported_pairs(tables: Rows, dictionary: Dictionary) -> Counter[tuple[str, str]]:
    return Counter(
        pair
        for row in of_kind(tables, dictionary)
        for pair in subgroup_pairs(row.text("subgroup") or ALL) or ()
    )


def _factors_of_decisions(tables: Rows, dictionary: Dictionary) -> Iterator[Problem]:
    """A slip in a factor would make a decision take no effect, without a word."""
    pairs = _reported_pairs(tables, dictionary)
    factors = {factor for factor, _ in pairs}
    for row in tables.get("exclusions", ()):
        factor = row.text("subgroup")
        if factor and factor != ANY and factors and factor not in factors:
            message = f"no result is reported by {quoted(factor)}.{did_you_mean(factor, factors)}"
            yield row.problem("error", "subgroup", message)
    written = {f"{factor}={level}" for factor, level in pairs}
    for row in tables.get("populations", ()):
        subgroup = row.text("subgroup")
        if subgroup and written and subgroup not in written:
            message = f"no result is reported for {quoted(subgroup)}."
            message += did_you_mean(subgroup, written)
            yield row.problem("warning", "subgroup", message)


def _rare_subgroups(tables: Rows, dictionary: Dictionary) -> Iterator[Problem]:
    """Levels are not listed in the dictionary, so a slip makes a new level: look for near ones."""
    pairs = _reported_pairs(tables, dictionary)
    often = [f"{factor}={level}" for (factor, level), n in pairs.items() if n >= _OFTEN]
    for row in of_kind(tables, dictionary):
        for factor, level in subgroup_pairs(row.text("subgroup") or ALL) or ():
            text = f"{factor}={level}"
            once = pairs[factor, level] == 1
            near = [word for word in often if once and _is_slip(text, word)]
            if near:
                message = f'{quoted(text)} occurs only here. Did you mean "{near[0]}"?'
                yield row.problem("warning", "subgroup", message)


def _is_slip(text: str, word: str) -> bool:
    """Say whether one letter more, less, other or exchanged makes `text` into `word`."""
    if text.lower() == word.lower():
        return True
    short, long = sorted((text, word), key=len)
    if len(long) - len(short) > 1:
        return False
    if len(short) < len(long):
        return any(short == long[:n] + long[n + 1 :] for n in range(len(long)))
    other = [n for n in range(len(text)) if text[n] != word[n]]
    if len(other) == 1:
        return True
    return (
        len(other) == 2
        and other[1] == other[0] + 1
        and text[other[0]] == word[other[1]]
        and text[other[1]] == word[other[0]]
    )
