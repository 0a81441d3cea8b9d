"""Matching of groups in a registry record with arms of the sheet, and of words in texts."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from trial_evidence.config.registry import RegistryWords
from trial_evidence.exchange.registry.record import ArmGroup, Group

# Separators of the treatments in a title.
_SEPARATORS = re.compile(r"[+,;/&]|\b(?:and|plus|with|then|followed by)\b", re.IGNORECASE)
# Between two agents of a part: only one of them was given.
_EITHER = re.compile(r"\b(?:or|versus|vs)\b", re.IGNORECASE)
# Abbreviations of a treatment, such as P or TCH.
_LETTERS = re.compile(r"[A-Z][A-Za-z]{0,4}")
# Registry texts run to thousands of characters; the cells are meant to be read.
_LONGEST = 400


def clipped(text: str) -> str:
    """A text on one line, cut to a length that is readable in a cell."""
    line = " ".join(text.split())
    return line if len(line) <= _LONGEST else f"{line[: _LONGEST - 1]}…"


def sentences(*texts: str) -> str:
    """The texts that are not empty, joined as sentences."""
    return ". ".join(filter(None, texts))


def named_in(text: str, phrases: Mapping[str, Iterable[str]]) -> list[str]:
    """The names with a phrase in a text; of overlapping phrases the longer one counts."""
    names: dict[str, list[str]] = {}
    for name, several in phrases.items():
        for phrase in several:
            names.setdefault(_one_blank(phrase), []).append(name)
    if not names:
        return []
    longest = sorted(map(re.escape, names), key=len, reverse=True)
    pattern = re.compile(rf"(?<!\w)(?:{'|'.join(longest)})(?!\w)")
    found = (name for match in pattern.findall(_one_blank(text)) for name in names[match])
    return list(dict.fromkeys(found))


def _one_blank(text: str) -> str:
    return " ".join(text.lower().split())


def agent_names(agents: Iterable[Mapping[str, str]], words: RegistryWords) -> dict[str, list[str]]:
    """Agent -> its names: its id, the parts of its label, and the names in config/."""
    names = {}
    for row in agents:
        label, _, short = row["label"].partition("(")
        known = row["agent"], label.strip(), short.rstrip(") "), *words.agents.get(row["agent"], ())
        names[row["agent"]] = [name for name in known if name]
    return names


@dataclass(frozen=True)
class Place:
    """The arm that a group corresponds to.

    Attributes
    ----------
    arm : str
        Its id; empty if it is not clear.
    why : str
        Why it is not clear, with the candidate arms.
    """

    arm: str
    why: str = ""


@dataclass(frozen=True)
class _Given:
    """The treatments that a text names.

    Attributes
    ----------
    agents : frozenset of str
    partners : tuple of str
    whole : bool
        Whether the text names all treatments, so that a partner it does not name was not given.
    unread : str
        Letters in it that may abbreviate another agent.
    either : str
        A part of it that names several agents of which not all were given.
    """

    agents: frozenset[str]
    partners: tuple[str, ...]
    whole: bool = False
    unread: str = ""
    either: str = ""


@dataclass(frozen=True)
class ArmFinder:
    """Finds the arm of a trial that a group corresponds to.

    Attributes
    ----------
    arms : sequence of mapping
        The trial's rows of arms.csv.
    agents : mapping
        Output of `agent_names`.
    registered : sequence of ArmGroup
        The arms registered in the record.
    """

    arms: Sequence[Mapping[str, str]]
    agents: Mapping[str, Sequence[str]]
    registered: Sequence[ArmGroup]
    words: RegistryWords

    def arm_of(self, group: Group) -> Place:
        """The arm named by the title or the registered arm of that title; else the description.

        If title and registered arm name different arms, or several arms fit, it is not clear.
        """
        title = self._given(group.title)
        same = [g for g in self.registered if _one_blank(g.label) == _one_blank(group.title)]
        listed = self._registered(same[0]) if len(same) == 1 else None
        said = [given for given in (title, listed) if given is not None]
        if not said and (described := self._given(group.description)):
            said = [described]
        if not said:
            return self._unclear("no agent of the sheet is named.", self.arms)
        if either := next((given.either for given in said if given.either), ""):
            why = f'"{clipped(either)}" does not say which of the agents was given.'
            return self._unclear(why, self.arms)
        clear = [given for given in said if not given.unread]
        if not clear:
            return self._unclear(f'"{said[0].unread}" may abbreviate another agent.', self.arms)
        found = [self._fitting(given) for given in clear]
        single = {arms[0]["arm_id"] for arms in found if len(arms) == 1}
        if len(single) == 1:
            return Place(single.pop())
        if single:
            meant = [arm for arm in self.arms if arm["arm_id"] in single]
            why = "the title and the registered arm of that title name different arms."
            return self._unclear(why, meant)
        if several := next(filter(None, found), []):
            return self._unclear("several arms have these agents.", several)
        named = " + ".join(sorted(clear[0].agents)) or "none of the agents"
        return self._unclear(f"no arm has exactly these agents: {named}.", self.arms)

    def experimental(self, one: str, other: str) -> str:
        """The one of two arms that is registered as experimental; empty unless exactly one is."""
        types: dict[str, set[str]] = {}
        for registered in self.registered:
            group = Group(id="", title=registered.label, description=registered.description)
            types.setdefault(self.arm_of(group).arm, set()).add(registered.type)
        meant = [arm for arm in (one, other) if types.get(arm) == {"EXPERIMENTAL"}]
        return meant[0] if types.keys() >= {one, other} and len(meant) == 1 else ""

    def _given(self, text: str) -> _Given | None:
        """The treatments in a text; None if it names no agent, given or explicitly not given."""
        parts = _SEPARATORS.split(text)
        missing = [p for p in parts if named_in(p, {"": self.words.not_given})]
        rest = " + ".join(part for part in parts if part not in missing)
        agents = named_in(rest, self.agents)
        if not agents and not missing:
            return None
        several = [p for p in parts if len(named_in(p, self.agents)) > 1]
        either = next((p.strip() for p in several if p in missing or _EITHER.search(p)), "")
        known = {**self.agents, **self.words.partners}
        letters = (part.strip() for part in rest.split(" + ") if not named_in(part, known))
        unread = ", ".join(part for part in letters if _LETTERS.fullmatch(part))
        partners = tuple(named_in(rest, self.words.partners))
        return _Given(frozenset(agents), partners, unread=unread, either=either)

    def _registered(self, group: ArmGroup) -> _Given | None:
        drugs = [name.partition(": ")[2] or name for name in group.intervention_names]
        given = self._given(" + ".join(drugs))
        return given and replace(given, whole=True)

    def _fitting(self, given: _Given) -> list[Mapping[str, str]]:
        arms = [a for a in self.arms if set(filter(None, a["agents"].split("+"))) == given.agents]
        if len(arms) < 2:
            return arms
        # Arms with the same agents differ in their partners, which a title may leave out.
        if len(given.partners) == 1:
            return [arm for arm in arms if arm["partner"] == given.partners[0]]
        if not given.partners and given.whole:
            return [arm for arm in arms if arm["partner"] not in self.words.partners]
        return arms

    def _unclear(self, why: str, arms: Sequence[Mapping[str, str]]) -> Place:
        named = ", ".join(f"{arm['arm_id']} ({arm['label']})" for arm in arms)
        return Place("", f"{why} Candidates: {named}")
