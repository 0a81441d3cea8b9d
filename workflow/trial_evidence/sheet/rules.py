"""Rules that involve several cells: within a row, and between rows and tables."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from unicodedata import category

from trial_evidence.words.problems import Problem, counted, did_you_mean, quoted, shared_start

from .adjudication import JOINT, contradict, key_cells, same_value
from .checked import CheckedRow, Rows, of_kind
from .dictionary import Dictionary
from .values import ALL, subgroup_pairs

ANY = "*"
NOT_SAID = frozenset({"", "not reported", "not applicable"})

# Columns in which two rows agree if they report the same result from the same source; columns that
# may be unstated in one of them; and the numbers of the result.
_SAME_RESULT = {
    "counts": (
        ("arm_id", "outcome", "definition", "population", "subgroup", "source_id"),
        ("assessor",),
        ("events", "n"),
    ),
    "contrasts": (
        ("experimental_arm_id", "control_arm_id", "endpoint", "analysis", "subgroup", "source_id"),
        ("median_followup_months", "assessor"),
        ("hr", "ci_low", "ci_high"),
    ),
    "rates": (
        ("arm_id", "endpoint", "population", "subgroup", "months", "source_id"),
        (),
        ("percent", "ci_low", "ci_high"),
    ),
}
# Columns in which results of two trials are alike, those of them that have to be stated, and how
# many such results are no coincidence.
_ALIKE = {
    "counts": (("outcome", "subgroup"), ("source_id", "events", "n"), 2),
    "contrasts": (("endpoint", "subgroup"), ("source_id", "hr", "ci_low", "ci_high"), 1),
}
# Decision on a screened record -> the column it requires, and why.
_WITH_DECISION = {
    "duplicate": ("duplicate_of", "a duplicate needs the record that it is the same as"),
    "known": ("source_id", "a report that is known needs its source"),
    "excluded": ("reason", "an excluded record needs a reason"),
    "not_eligible": ("reason", "a report that is not eligible needs a reason"),
    "included": ("source_id", "an included report needs its source: add it to sources.csv"),
}
# Table, and the columns within which it is compared -> columns in which no two of its ids may have
# the same value, and advice.
_ONE_ID = {
    ("sources",): (
        ("doi", "pmid"), "Keep one of them, and name it wherever the other is named.",
    ),
    ("trials", "setting"): (
        ("nct", "name"),
        "If it is the same trial, keep one of them: its patients count twice.",
    ),
}  # fmt: skip
# The columns whose text is printed in figures.
_IN_FIGURES = {
    "agents": "label", "sources": "first_author", "trials": "name", "arms": "label",
    "exclusions": "reason",
}  # fmt: skip
# Characters other than the Latin, Greek and Cyrillic letters and signs of the figures' font.
_NOT_DRAWN = re.compile(
    "[\u0531-\u1cff\u2011\u2460-\u24ff\u25e7-\u2639\u2670-\u2c5f\u2c78-\ufb00\ufb03-\U0010ffff]"
)
# First letters of the Unicode categories that are invisible alone: marks, controls, spaces.
_UNSEEN = "MCZ"
_USUAL_LEVEL = 95
# A level of one trial is compared with levels of at least this many trials.
_OFTEN = 3


def rule_problems(tables: Rows, dictionary: Dictionary) -> list[Problem]:
    """Return the violations of rules across cells.

    Parameters
    ----------
    tables : mapping of str to sequence of CheckedRow
        Table name to rows; tables that could not be read are left out.
    dictionary : Dictionary
        Gives the tables of results and the kind of each.
    """
    results = of_kind(tables, dictionary)
    # Both arms of a trial, and all its endpoints, repeat one spelling.
    of_trials = dict.fromkeys((row.text("trial_id"), p) for row in results for p in _pairs(row))
    pairs = Counter(pair for _, pair in of_trials)
    return [
        *_conditions(tables, dictionary),
        *_enrolment(tables),
        *_arms_of_the_trial(tables, dictionary),
        *_cells_of_contrasts(of_kind(tables, dictionary, "contrasts")),
        *_same_result_twice(tables, dictionary),
        *_same_row_twice(tables, dictionary),
        *_one_thing_twice(tables),
        *_results_of_two_trials(tables, dictionary),
        *_trials_without_arms(tables),
        *_letters_of_figures(tables),
        *_factors_of_decisions(tables, pairs),
        *_rare_subgroups(results, pairs),
        *_better_than_a_domain(tables.get("risk_of_bias", ()), dictionary),
        *_screening(tables),
        *_second_readings(tables, dictionary),
    ]


def _conditions(tables: Rows, dictionary: Dictionary) -> Iterator[Problem]:
    """Conditional rules of the dictionary: ``required`` and ``references`` with a condition."""
    for name, table in dictionary.tables.items():
        for column in table.columns.values():
            if column.only_where is not None:
                yield from _only_where(tables.get(name, ()), column.name, *column.only_where)
            if column.references is not None and column.of_rows_where is not None:
                other, key = column.references
                on, wanted = column.of_rows_where
                words = {row.text(key): row.text(on) for row in tables.get(other, ())}
                for row in tables.get(name, ()):
                    found = words.get(row.text(column.name), wanted)
                    if row.text(column.name) and found not in (wanted, ""):
                        what = quoted(row.text(column.name))
                        message = f"{on} of {what} is {found} in {other}.csv. Allowed: {wanted}."
                        yield row.problem("error", column.name, message)


def _only_where(rows: Sequence[CheckedRow], column: str, on: str, word: str) -> Iterator[Problem]:
    for row in rows:
        said = row.text(on)
        if said == word and row.is_blank(column):
            message = f"the cell is empty, but a value is required where {on} is {word}."
        elif said and said != word and row.text(column):
            message = f"{quoted(row.text(column))} must go: {on} is {said}. Only {word} has one."
        else:
            continue
        yield row.problem("error", column, message)


def _enrolment(tables: Rows) -> Iterator[Problem]:
    for row in tables.get("trials", ()):
        start = row.numbers.get("enrolment_start_year")
        end = row.numbers.get("enrolment_end_year")
        if start is not None and end is not None and end < start:
            message = f"enrolment ends in {end:.0f}, before it starts in {start:.0f}."
            yield row.problem("error", "enrolment_end_year", message)


def _arms_of_the_trial(tables: Rows, dictionary: Dictionary) -> Iterator[Problem]:
    trial_of: dict[str, str] = {}
    for row in tables.get("arms", ()):
        # A second arm of this id has been reported already.
        trial_of.setdefault(row.text("arm_id"), row.text("trial_id"))
    for name, table in dictionary.tables.items():
        columns = [c.name for c in table.columns.values() if c.references == ("arms", "arm_id")]
        for row in tables.get(name, ()):
            for column in columns:
                arm, trial = row.text(column), row.text("trial_id")
                owner = trial_of.get(arm, "")
                if arm and trial and owner and owner != trial:
                    message = f"{quoted(arm)} is an arm of {owner}, not of {trial}."
                    yield row.problem("error", column, message)


def _cells_of_contrasts(rows: Sequence[CheckedRow]) -> Iterator[Problem]:
    for row in rows:
        if row.text("control_arm_id") == row.text("experimental_arm_id") != "":
            message = "experimental and control arm are the same arm."
            yield row.problem("error", "control_arm_id", message)
        limits = [column for column in ("ci_low", "ci_high") if row.text(column)]
        if limits and row.is_blank("ci_level"):
            message = "the cell is empty, but the row has a confidence limit: give its level."
            yield row.problem("error", "ci_level", message)
        unusual = row.numbers.get("ci_level", _USUAL_LEVEL) != _USUAL_LEVEL
        if unusual and row.is_blank("p_value") and not row.text("note"):
            message = (
                f"the level is not {_USUAL_LEVEL}%, and neither a p value nor a note confirms it."
            )
            yield row.problem("warning", "ci_level", message)
        if row.text("ci_level") and row.is_blank("ci_low") and row.is_blank("ci_high"):
            message = "a level is given, but no confidence limit."
            yield row.problem("warning", "ci_level", message)
        if limits == ["ci_low"] and row.is_blank("ci_high"):
            message = "only the lower limit is given. Check whether the upper limit is printed."
            yield row.problem("warning", "ci_high", message)
        if row.text("p_value") and row.is_blank("p_sided"):
            message = "the cell is empty, but the row has a p value: enter one or two."
            yield row.problem("error", "p_sided", message)
        if row.text("p_sided") and row.is_blank("p_value"):
            message = "the number of sides is given, but no p value. Check whether one is printed."
            yield row.problem("warning", "p_sided", message)


def _same_result_twice(tables: Rows, dictionary: Dictionary) -> Iterator[Problem]:
    for table in dictionary.of_kind(*_SAME_RESULT):
        same, unsaid, numbers = _SAME_RESULT[dictionary.kinds[table]]
        columns = dictionary.tables[table].columns
        said = [column for column in same if column in columns and not columns[column].optional]
        for rows in _current(tables.get(table, ()), said, same):
            for n, row in enumerate(rows):
                for earlier in rows[:n]:
                    said_alike = all(_compatible(row.text(c), earlier.text(c)) for c in unsaid)
                    if said_alike and not _rounded(row, earlier):
                        yield _twice(numbers, row, earlier)
                        break


def _current(
    rows: Sequence[CheckedRow], stated: Sequence[str], alike: Sequence[str]
) -> Iterable[list[CheckedRow]]:
    """The current rows in which certain columns are stated, in groups that agree in others."""
    groups: dict[tuple[str, ...], list[CheckedRow]] = defaultdict(list)
    for row in rows:
        if row.text("status") == "current" and all(map(row.text, stated)):
            groups[tuple(map(row.text, alike))].append(row)
    return groups.values()


def _same_row_twice(tables: Rows, dictionary: Dictionary) -> Iterator[Problem]:
    """Rows that are equal throughout, where no key and no result tells them from each other."""
    told = {*dictionary.of_kind(*_SAME_RESULT)}
    told |= {name for name, table in dictionary.tables.items() if table.keys}
    for name, rows in tables.items():
        first: dict[tuple[tuple[str, str], ...], int] = {}
        for row in rows if name not in told else ():
            earlier = first.setdefault(tuple(row.texts.items()), row.number)
            if earlier != row.number:
                message = f"the row is the same as row {earlier}. Delete one."
                yield row.problem("warning", "", message)


def _compatible(one: str, other: str) -> bool:
    return one == other or one in NOT_SAID or other in NOT_SAID


def _rounded(row: CheckedRow, earlier: CheckedRow) -> bool:
    """Say whether two rates are one that was printed twice, once with fewer decimals."""
    one, other = row.text("percent"), earlier.text("percent")
    return one != other and same_value(one, other)


def _twice(values: Sequence[str], row: CheckedRow, earlier: CheckedRow) -> Problem:
    message = f"the same result of the same source is also in row {earlier.number}"
    if all(row.text(column) == earlier.text(column) for column in values):
        message += ". Delete one, or mark one as superseded."
    else:
        message += " with other numbers. Check which is right, and mark the other as superseded."
    return row.problem("warning", "", message)


def _one_thing_twice(tables: Rows) -> Iterator[Problem]:
    """Two ids for one report, which would seem to confirm itself, or one trial, pooled twice."""
    for (table, *within), (columns, advice) in _ONE_ID.items():
        for column in columns:
            seen: dict[tuple[str, ...], CheckedRow] = {}
            for row in tables.get(table, ()):
                key = (row.text(column).lower(), *map(row.text, within))
                earlier = seen.setdefault(key, row)
                if key[0] and earlier.subject != row.subject:
                    what = f"the {table[:-1]} in row {earlier.number} ({earlier.subject})"
                    yield row.problem("warning", column, f"{what} has the same. {advice}")


def _results_of_two_trials(tables: Rows, dictionary: Dictionary) -> Iterator[Problem]:
    """Trials with the same numbers from one source: perhaps one trial under two names."""
    for table in dictionary.of_kind(*_ALIKE):
        columns, stated, enough = _ALIKE[dictionary.kinds[table]]
        # Two trials -> the first row that each has of every result they share.
        alike: dict[frozenset[str], list[tuple[CheckedRow, CheckedRow]]] = defaultdict(list)
        for rows in _current(tables.get(table, ()), stated, (*columns, *stated)):
            of_trials = {row.text("trial_id"): row for row in reversed(rows)}
            trial = rows[0].text("trial_id")
            for other, row in of_trials.items():
                if other != trial:
                    alike[frozenset((trial, other))].append((rows[0], row))
        for pairs in alike.values():
            if len(pairs) >= enough:
                first, row = pairs[0]
                trial = quoted(first.text("trial_id"))
                message = (
                    f"row {first.number}, of {trial}, has the same numbers from the same source. "
                    "If it is the same trial, keep one of them: its patients count twice."
                )
                yield row.problem("warning", "trial_id", message)


def _trials_without_arms(tables: Rows) -> Iterator[Problem]:
    arms = tables.get("arms", ())
    with_arms = {"", *(row.text("trial_id") for row in arms)}
    for row in tables.get("trials", ()) if arms else ():
        if row.text("trial_id") not in with_arms:
            yield row.problem("warning", "trial_id", "the trial has no arm in arms.csv.")


def _letters_of_figures(tables: Rows) -> Iterator[Problem]:
    """Letters and signs, such as emoji, that figures would show as boxes."""
    for table, column in _IN_FIGURES.items():
        for row in tables.get(table, ()):
            found = dict.fromkeys(_NOT_DRAWN.findall(row.text(column)))
            boxes = "".join(sign for sign in found if category(sign)[0] not in _UNSEEN)
            if boxes:
                message = (
                    f"figures cannot draw {quoted(boxes)}. Write it in Latin, Greek or Cyrillic "
                    "letters, or leave it out."
                )
                yield row.problem("warning", column, message)


def _better_than_a_domain(rows: Sequence[CheckedRow], dictionary: Dictionary) -> Iterator[Problem]:
    """Overall judgements that RoB 2 does not allow: none is better than its worst domain."""
    if not rows:
        return
    columns = dictionary.tables["risk_of_bias"].columns
    # The dictionary lists the judgements from the best to the worst.
    order = columns["overall"].words
    domains = [c.name for c in columns.values() if c.words == order and c.name != "overall"]
    for row in rows:
        overall, judged = row.text("overall"), [*filter(None, map(row.text, domains))]
        worst = max(judged, key=order.index, default=overall)
        if overall and order.index(overall) < order.index(worst):
            which = ", ".join(name for name in domains if row.text(name) == worst)
            message = (
                f"{quoted(overall)} is better than {worst} ({which}): in RoB 2, the overall "
                "judgement is never better than that of a domain."
            )
            yield row.problem("warning", "overall", message)


def _screening(tables: Rows) -> Iterator[Problem]:
    """Missing information on a screening decision, which the flow diagram needs to count it."""
    screened = tables.get("screening", ())
    same_as = {
        row.text("record_id"): row.text("duplicate_of")
        for row in screened
        if row.text("decision") == "duplicate"
    }
    for row in screened:
        column, why = _WITH_DECISION.get(row.text("decision"), ("", ""))
        if column and row.is_blank(column):
            yield row.problem("error", column, f"the cell is empty, but {why}.")
        elif column == "duplicate_of" and _in_a_circle(row.text("record_id"), same_as):
            message = (
                f"{quoted(row.text(column))} leads back to this record, so that none of them is "
                "counted. One of them must be screened: another decision, or none."
            )
            yield row.problem("error", column, message)


def _in_a_circle(record: str, same_as: Mapping[str, str]) -> bool:
    """Whether the duplicates that a record leads to end at the record itself."""
    found, seen = same_as.get(record, ""), set[str]()
    while found and found not in seen:
        seen.add(found)
        found = same_as.get(found, "")
    return record in seen


def _second_readings(tables: Rows, dictionary: Dictionary) -> Iterator[Problem]:
    """Second readings must be consistent, because they count towards the readers' agreement."""
    arms = [arm.text("arm_id") for arm in tables.get("arms", ())]
    for row in tables.get("second_reading", ()):
        table = dictionary.tables.get(row.text("table"))
        if table is None:
            continue
        fields = row.text("field").split(JOINT)
        named = [("row_key", name) for name in key_cells(row.text("row_key"))]
        # A field may be the sum of two columns: events_experimental+events_control.
        named += [("field", name) for field in fields for name in field.split("+")]
        for column, name in named:
            if row.text(column) and name not in table.columns:
                example = dictionary.tables["second_reading"].columns[column].example
                message = f"{quoted(name)} is not a column of {table.file}. Written so: {example}."
                yield row.problem("error", column, message + did_you_mean(name, table.columns))
        for name, arm in key_cells(row.text("row_key")).items():
            if name.endswith("arm_id") and arms and arm not in arms:
                message = f"{quoted(arm)} is not in arms.csv, so the reading fits no row."
                yield row.problem("warning", "row_key", message + did_you_mean(arm, arms))
        yield from _values_read_twice(row, fields)


def _values_read_twice(row: CheckedRow, fields: Sequence[str]) -> Iterator[Problem]:
    read = {name: row.text(name).split(JOINT) for name in ("first_value", "second_value")}
    for column, values in read.items():
        # One text may apply to all columns, for example that the row was left out.
        if len(values) not in (1, len(fields)):
            given = f"{counted(len(values), 'value')} for {counted(len(fields), 'column')}"
            yield row.problem("error", column, f"there are {given} ({', '.join(fields)}).")
    first, second = read.values()
    if not len(first) == len(second) == len(fields):
        return
    verdict = row.text("verdict")
    apart = [pair for pair in zip(first, second, strict=True) if contradict(*pair)]
    if verdict == "agree" and apart:
        message = f"{quoted(apart[0][0])} and {quoted(apart[0][1])} do not agree: write differ."
        yield row.problem("error", "verdict", message)
    if verdict == "differ" and all(first) and all(map(same_value, first, second)):
        yield row.problem("warning", "verdict", "both readers have the same: is it agree?")


def _pairs(row: CheckedRow) -> list[str]:
    pairs = subgroup_pairs(row.text("subgroup") or ALL) or ()
    return [f"{factor}={level}" for factor, level in pairs]


def _factors_of_decisions(tables: Rows, pairs: Counter[str]) -> Iterator[Problem]:
    """Subgroups of decisions that occur in no result: if misspelt, the decision has no effect."""
    factors = {pair.partition("=")[0] for pair in pairs}
    for row in tables.get("exclusions", ()):
        factor = row.text("subgroup")
        if factor and factor != ANY and factors and factor not in factors:
            message = f"no result is reported by {quoted(factor)}.{did_you_mean(factor, factors)}"
            yield row.problem("error", "subgroup", message)
    for row in tables.get("populations", ()):
        pair = row.text("subgroup")
        if pair and pairs and pair not in pairs:
            message = f"no result is reported for {quoted(pair)}.{did_you_mean(pair, pairs)}"
            yield row.problem("warning", "subgroup", message)


def _rare_subgroups(results: Sequence[CheckedRow], pairs: Counter[str]) -> Iterator[Problem]:
    """Levels that look misspelt: the dictionary does not list levels, so compare similar ones."""
    often = [pair for pair, times in pairs.items() if times >= _OFTEN]
    usual: dict[str, str] = {}  # in lower case -> as most trials have it
    for pair, _ in pairs.most_common():
        usual.setdefault(pair.lower(), pair)
    found: dict[str, list[CheckedRow]] = defaultdict(list)
    for row in results:
        for pair in _pairs(row):
            found[pair].append(row)
    for pair, (row, *more) in found.items():
        same = usual[pair.lower()]
        near = next((word for word in often if pairs[pair] == 1 and _is_slip(pair, word)), "")
        if same != pair:
            message = f'{quoted(pair)} differs from "{same}" only in its capitals. Write it alike.'
            message += f" It is in {counted(len(more), 'more row')}." if more else ""
            yield row.problem("warning", "subgroup", message)
        elif near:
            message = f'{quoted(pair)} occurs in no other trial. Did you mean "{near}"?'
            yield row.problem("warning", "subgroup", message)


def _is_slip(text: str, word: str) -> bool:
    """Return whether `text` abbreviates `word`, or becomes it by one slip.

    A slip is one inserted, deleted, changed or swapped letter.
    """
    if word.lower().startswith(text.lower()):
        return True
    # Strip the common prefix and suffix.
    for _ in range(2):
        same = shared_start(text, word)
        text, word = text[same:][::-1], word[same:][::-1]
    return max(len(text), len(word)) <= 1 or (len(text) == 2 and text == word[::-1])
