"""Read and check records of ClinicalTrials.gov in the JSON of its API (version 2).

All errors are reported at once, each with its path in the record. Parts of a record that are not
used here are not checked, except for values outside the JSON standard, excessive nesting, and texts
longer than a cell of a workbook.
"""

import json
import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

from trial_evidence.config.forms import custom_error
from trial_evidence.words.errors import RequestError
from trial_evidence.words.problems import Problem, SheetError, about, quoted, refuse, told_in
from trial_evidence.workbook.package import LONGEST_CELL, NOT_IN_A_FILE

Place = tuple[str | int, ...]
Fault = tuple[Place, str]
"""A place in a record and the message about it."""

_MOST_BYTES = 50_000_000
_DEEPEST = 40
_TOO_DEEP = f"lists and objects are nested more than {_DEEPEST} deep."
# How the registry writes missing values.
_NOT_AVAILABLE = {"", "NA", "N/A"}
_NUMBER = re.compile(r"-?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,3})?")
_WHOLE = re.compile(r"[0-9]{1,9}")
_MONTH = re.compile(r"[0-9]{4}(-(0[1-9]|1[0-2])(-[0-3][0-9])?)?")
_COUNT, _VALUE = "a whole number, 0 or more", 'a number up to 1e12, or "NA"'
# Type of pydantic error -> the value that was expected.
_EXPECTED = {
    # Lists are declared as tuples, so pydantic reports tuple_type.
    "string_type": "a text", "tuple_type": "a list", "model_type": "an object",
    "string_pattern_mismatch": "NCT and eight digits", "dict_type": "an object",
}  # fmt: skip
_MISSING = {"nctId": "NCT and eight digits", "identificationModule": "an object"}


def _count(value: Any) -> int:
    text = str(value).strip()
    if isinstance(value, bool) or not _WHOLE.fullmatch(text):
        raise custom_error(_COUNT)
    return int(text)


def _value(value: Any) -> str:
    """A number as printed by the registry; empty if not available."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise custom_error(_VALUE)
    text = str(value).strip()
    if text in _NOT_AVAILABLE:
        return ""
    if not _NUMBER.fullmatch(text) or abs(float(text)) > 1e12:
        raise custom_error(_VALUE)
    return re.sub(r"^(-?)\.", r"\g<1>0.", text).removesuffix(".")


def _day(value: Any) -> str:
    if not isinstance(value, str) or not _MONTH.fullmatch(value.strip()):
        raise custom_error("a date such as 2012-05-31 or 2012-05")
    return value.strip()


Count = Annotated[int, BeforeValidator(_count)]
Value = Annotated[str, BeforeValidator(_value)]
Day = Annotated[str, BeforeValidator(_day)]
NctId = Annotated[str, Field(pattern="^NCT[0-9]{8}$")]


class Part(BaseModel):
    """A part of a record; names in the record are in camel case."""

    model_config = ConfigDict(frozen=True, alias_generator=to_camel, populate_by_name=True)


class Identification(Part):
    """Number and title of the trial."""

    nct_id: NctId
    brief_title: str = ""


class Date(Part):
    """A day or a month."""

    date: Day
    type: str = ""


class Status(Part):
    """Dates of the trial and of its record."""

    start_date_struct: Date | None = None
    last_update_post_date_struct: Date | None = None


class Masking(Part):
    """Who was blinded."""

    masking: str = ""


class DesignInfo(Part):
    """Allocation and blinding."""

    allocation: str = ""
    masking_info: Masking = Masking()


class Enrollment(Part):
    """Number of patients, enrolled or planned."""

    count: Count | None = None
    type: str = ""


class Design(Part):
    """Phase, allocation, number of patients."""

    phases: tuple[str, ...] = ()
    design_info: DesignInfo = DesignInfo()
    enrollment_info: Enrollment = Enrollment()


class ArmGroup(Part):
    """An arm as registered."""

    label: str
    type: str = ""
    description: str = ""
    intervention_names: tuple[str, ...] = ()


class Arms(Part):
    """The arms as registered."""

    arm_groups: tuple[ArmGroup, ...] = ()


class Sponsor(Part):
    """A sponsor."""

    name: str = ""


class Sponsors(Part):
    """The sponsors of the trial; only the lead sponsor is read."""

    lead_sponsor: Sponsor = Sponsor()


class Protocol(Part):
    """The registered protocol."""

    identification_module: Identification
    status_module: Status = Status()
    sponsor_collaborators_module: Sponsors = Sponsors()
    design_module: Design = Design()
    arms_interventions_module: Arms = Arms()


class Group(Part):
    """Patients whose results are reported together."""

    id: str
    title: str = ""
    description: str = ""


class OfGroup(Part):
    """A result of a group."""

    group_id: str


class Achievement(OfGroup):
    """Number of patients of a group."""

    num_subjects: Count | None = None


class Milestone(Part):
    """Number of patients of each group who reached a milestone."""

    type: str = ""
    achievements: tuple[Achievement, ...] = ()


class Period(Part):
    """A period of the trial."""

    milestones: tuple[Milestone, ...] = ()


class Flow(Part):
    """Participant flow."""

    groups: tuple[Group, ...] = ()
    periods: tuple[Period, ...] = ()


class Measurement(OfGroup):
    """A value of a group."""

    value: Value = ""
    lower_limit: Value = ""
    upper_limit: Value = ""


class Category(Part):
    """A row of a class."""

    title: str = ""
    measurements: tuple[Measurement, ...] = ()


class DenomCount(OfGroup):
    """Number of patients of a group who were analysed."""

    value: Count


class Denom(Part):
    """Numbers analysed in all groups."""

    units: str = ""
    counts: tuple[DenomCount, ...] = ()


class Class(Part):
    """A block of rows of an outcome measure."""

    title: str = ""
    denoms: tuple[Denom, ...] = ()
    categories: tuple[Category, ...] = ()


class StatisticalAnalysis(Part):
    """A comparison of groups."""

    group_ids: tuple[str, ...] = ()
    group_description: str = ""
    p_value: str = ""
    p_value_comment: str = ""
    statistical_method: str = ""
    statistical_comment: str = ""
    param_type: str = ""
    param_value: Value = ""
    ci_pct_value: Value = ""
    ci_num_sides: str = ""
    ci_lower_limit: Value = ""
    ci_upper_limit: Value = ""
    estimate_comment: str = ""


class Measure(Part):
    """An outcome measure with its results."""

    title: str = ""
    description: str = ""
    population_description: str = ""
    param_type: str = ""
    dispersion_type: str = ""
    unit_of_measure: str = ""
    groups: tuple[Group, ...] = ()
    denoms: tuple[Denom, ...] = ()
    classes: tuple[Class, ...] = ()
    analyses: tuple[StatisticalAnalysis, ...] = ()


class Measures(Part):
    """All outcome measures."""

    outcome_measures: tuple[Measure, ...] = ()


class EventGroup(Group):
    """A group of the adverse-event tables, with its totals."""

    serious_num_affected: Count | None = None
    serious_num_at_risk: Count | None = None


class EventStats(OfGroup):
    """Patients of a group with an event."""

    num_affected: Count | None = None
    num_at_risk: Count | None = None


class Event(Part):
    """A term of the adverse-event tables."""

    term: str = ""
    stats: tuple[EventStats, ...] = ()


class Events(Part):
    """The adverse-event tables."""

    frequency_threshold: Value = ""
    event_groups: tuple[EventGroup, ...] = ()
    serious_events: tuple[Event, ...] = ()
    other_events: tuple[Event, ...] = ()


class Results(Part):
    """The reported results."""

    participant_flow_module: Flow = Flow()
    outcome_measures_module: Measures = Measures()
    adverse_events_module: Events = Events()


class Record(Part):
    """A record of the registry."""

    protocol_section: Protocol
    results_section: Results = Results()

    @property
    def nct_id(self) -> str:
        """Registration number of the trial."""
        return self.protocol_section.identification_module.nct_id


class _Twice(dict[str, Any]):
    """An object with its duplicate names, of which `json` would silently keep only the last."""

    names: tuple[str, ...] = ()


def path_of(place: Iterable[str | int]) -> str:
    """A path in a record, written as in the registry's documentation: ``groups[0].id``."""
    steps = (f"[{step}]" if isinstance(step, int) else f".{step}" for step in place)
    return "".join(steps).removeprefix(".")


def read_records(source: Path) -> dict[str, Record]:
    """Read a file, or every ``.json`` file of a folder.

    A file holds one record, a list of records, or a response of the API with ``studies``.

    Returns
    -------
    dict of str to Record
        Location, as used in messages (file, or file and path in it) -> record.

    Raises
    ------
    RequestError
        If the file or folder does not exist, or the folder has no ``.json`` file.
    SheetError
        With every error of every file.
    """
    if not source.exists():
        raise RequestError(f"There is no file or folder {source}.")
    files = [source]
    if source.is_dir():
        # Not the lock and backup files of an editor: ~$record.json.
        own = (path for path in source.iterdir() if not path.name.startswith((".", "~")))
        files = sorted(path for path in own if path.suffix.lower() == ".json")
    if not files:
        raise RequestError(f"{source} holds no .json file.")
    problems: list[Problem] = []
    found: dict[str, Record] = {}
    for file in files:
        with told_in(problems):
            for place, content in _records_in(file):
                found[_where(file, place)] = _record(file, place, content)
    first: dict[str, str] = {}
    for name, record in found.items():
        if first.setdefault(record.nct_id, name) != name:
            message = f"{record.nct_id} is already in {first[record.nct_id]}. Keep one of the two."
            problems.append(about(name, message))
    refuse(problems)
    return found


def _records_in(file: Path) -> list[tuple[Place, Any]]:
    content = _content(file)
    _refuse(file, _foreign(content))
    several: list[tuple[Place, Any]] = [((), content)]
    if isinstance(content, dict) and isinstance(content.get("studies"), list):
        several = [(("studies", at), one) for at, one in enumerate(content["studies"])]
    elif isinstance(content, list):
        several = [((at,), one) for at, one in enumerate(content)]
    _refuse(file, [] if several else [((), "the file holds no record.")])
    wanted = "is no record of version 2 of the ClinicalTrials.gov API; expected an object with "
    wanted += "protocolSection."
    _refuse(file, [
        (place, f"{there(one)} {wanted}")
        for place, one in several
        if not isinstance(one, dict) or "protocolSection" not in one
    ])  # fmt: skip
    return several


def _content(file: Path) -> Any:
    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        held = _Twice(pairs)
        held.names = tuple(name for name, n in Counter(name for name, _ in pairs).items() if n > 1)
        return held

    message = "the file is larger than 50 MB: export fewer records at a time."
    try:
        if file.stat().st_size <= _MOST_BYTES:
            return json.loads(file.read_bytes().decode("utf-8-sig"), object_pairs_hook=once)
    except OSError as error:
        message = f"the file cannot be read: {error.strerror}."
    except UnicodeDecodeError:
        message = "the file is not UTF-8 text. Download the record again as JSON."
    except RecursionError:
        message = _TOO_DEEP
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        message = f"this is not JSON: {error.msg} ({where}). Download the record again as JSON."
    except ValueError:
        # Python refuses to convert numbers with thousands of digits.
        message = "the file holds a number with too many digits."
    raise SheetError([about(file.name, message)])


def _foreign(content: Any) -> Iterator[Fault]:
    """Problems with values that no record may hold anywhere."""
    waiting: list[tuple[Place, Any]] = [((), content)]
    while waiting:
        place, value = waiting.pop()
        if isinstance(value, dict | list) and len(place) > _DEEPEST:
            yield place[:6], _TOO_DEEP
            return
        if isinstance(value, _Twice):
            for name in value.names:
                yield (*place, name), "this name occurs twice in this object."
        if isinstance(value, dict):
            waiting += [((*place, name), part) for name, part in reversed(value.items())]
        elif isinstance(value, list):
            waiting += [((*place, at), part) for at, part in reversed([*enumerate(value)])]
        elif isinstance(value, float) and not math.isfinite(value):
            yield place, f"{there(value)} is there; expected a number."
        elif isinstance(value, str) and len(value) > LONGEST_CELL:
            text = f"a text of {len(value):,} characters"
            yield place, f"{text} is there; expected at most {LONGEST_CELL:,}."
        elif isinstance(value, str) and NOT_IN_A_FILE.search(value):
            text = f"{there(value)} is there, with a character that cannot be printed"
            yield place, f"{text}; expected text."


def _record(file: Path, place: Place, content: Any) -> Record:
    try:
        record = Record.model_validate(content)
    except ValidationError as error:
        faults = error.errors(include_url=False, include_context=False)
        _refuse(file, [((*place, *fault["loc"]), _in_words(fault)) for fault in faults])
    _refuse(file, [((*place, *at), said) for at, said in _contradictions(record)])
    return record


def _in_words(fault: Mapping[str, Any]) -> str:
    if fault["type"] == "missing":
        return f"nothing is there; expected {_MISSING.get(str(fault['loc'][-1]), 'a text')}."
    expected = fault["msg"] if fault["type"] == "custom" else _EXPECTED.get(fault["type"])
    return f"{there(fault['input'])} is there; expected {expected or fault['msg']}."


def _where(file: Path, place: Place) -> str:
    return ", ".join(filter(None, (file.name, path_of(place))))


def _refuse(file: Path, faults: Iterable[Fault]) -> None:
    """Raise a SheetError with faults in a file, if there are any."""
    refuse(about(_where(file, place), message) for place, message in faults)


def there(value: Any) -> str:
    """A value of a record, in a few words for a message."""
    if value is None:
        return "null"
    if isinstance(value, dict):
        names = [*value]
        return f"an object with {quoted(', '.join(names))}" if names else "an empty object"
    if isinstance(value, list | tuple):
        return f"a list of {len(value)}"
    return quoted(value) if isinstance(value, str) else json.dumps(value)


def _contradictions(record: Record) -> Iterator[Fault]:
    """References to undescribed groups, and numbers that contradict each other."""
    for at, part in _parts(("resultsSection",), record.results_section):
        if isinstance(part, Flow | Measure):
            yield from _groups(at, part, "groups", part.groups)
        elif isinstance(part, Events):
            yield from _groups(at, part, "eventGroups", part.event_groups)
        elif isinstance(part, StatisticalAnalysis):
            low, high = part.ci_lower_limit, part.ci_upper_limit
            if low and high and float(low) > float(high):
                wanted = f'a limit below ciUpperLimit, which is "{high}".'
                yield (*at, "ciLowerLimit"), f'"{low}" is there; expected {wanted}'
        elif isinstance(part, EventGroup):
            yield from _more_than_all(at, part, "serious_num")
        elif isinstance(part, EventStats):
            yield from _more_than_all(at, part, "num")


def _parts(at: Place, part: Part) -> Iterator[tuple[Place, Part]]:
    """A part and, in order, all parts nested in it, each with its path."""
    yield at, part
    for name, held in part:
        place = (*at, to_camel(name))
        several = isinstance(held, tuple)
        for n, one in enumerate(held if several else [held]):
            if isinstance(one, Part):
                yield from _parts((*place, n) if several else place, one)


def _groups(at: Place, part: Part, name: str, groups: Iterable[Group]) -> Iterator[Fault]:
    known: set[str] = set()
    for n, group in enumerate(groups):
        if group.id in known:
            message = f"{there(group.id)} is there a second time; expected an id of its own."
            yield (*at, name, n, "id"), message
        known.add(group.id)
    some = f"one of {name}: {', '.join(sorted(known))}"
    allowed = some if known else f"an id of {name}, which has none"
    for place, one in _parts(at, part):
        named: list[tuple[Place, str]] = []
        if isinstance(one, OfGroup):
            named = [((*place, "groupId"), one.group_id)]
        elif isinstance(one, StatisticalAnalysis):
            named = [((*place, "groupIds", n), group) for n, group in enumerate(one.group_ids)]
        for where, group_id in named:
            if group_id not in known:
                yield where, f"{there(group_id)} is there; expected {allowed}."


def _more_than_all(at: Place, part: Part, what: str) -> Iterator[Fault]:
    names = f"{what}_affected", f"{what}_at_risk"
    affected, at_risk = (getattr(part, name) for name in names)
    if affected is not None and at_risk is not None and affected > at_risk:
        message = f"{affected} is there; expected at most {to_camel(names[1])}, which is {at_risk}."
        yield (*at, to_camel(names[0])), message
