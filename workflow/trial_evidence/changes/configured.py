"""Changes of config/ between two versions, one setting at a time, in words."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from trial_evidence.config.yaml_files import YamlFault, read_yaml_text
from trial_evidence.files import OWN_SETTINGS
from trial_evidence.words.problems import quoted

# Files that do not affect the outputs of `make` -> the command that reads them.
_READ_BY = {
    "calibration.yaml": "make calibrate",
    "registry.yaml": "make registry",
    "styles.yaml": "make figures",
}
# Keys that identify an entry of a list.
_NAMES = ("setting", "id", "network", "analysis", "factor")


def configuration_difference(before: Path, after: Path) -> list[str]:
    """The differences between two folders of configuration, one per line.

    Comments, the order of keys within an entry, and other ways to write the same value are
    ignored: no result depends on them. Files that cannot be read are left to the check.
    """
    folders = (before, after)
    files = {path.relative_to(folder) for folder in folders for path in folder.rglob(OWN_SETTINGS)}
    lines: list[str] = []
    for file in sorted(files):
        reader = _READ_BY.get(file.as_posix())
        name = file.as_posix() + (f" (only {reader} reads it)" if reader else "")
        there = [(folder / file).exists() for folder in folders]
        if not all(there):
            lines.append(f"{name}: the file was {'added' if there[1] else 'removed'}")
            continue
        try:
            texts = [(folder / file).read_bytes() for folder in folders]
            if texts[0] == texts[1]:
                continue
            old, new = map(read_yaml_text, texts)
        except (OSError, YamlFault):
            continue
        lines += [f"{name}, {line}" for line in _differences((), old, new)]
    return lines


def _differences(place: tuple[str, ...], old: Any, new: Any) -> Iterator[str]:
    entries, others = _by_name(old), _by_name(new)
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        # The order of keys matters only at the top of a section, not within an entry.
        yield from _of_groups(place, old, new, ordered=len(place) == 1)
    elif entries is not None and others is not None:
        yield from _of_groups(place, entries, others, ordered=True)
    elif _of_entries(old) and _of_entries(new):
        for verb, some, them in (("added", new, old), ("removed", old, new)):
            yield from (_line(place, f"{verb} {_value(e)}") for e in some if e not in them)
        if old != new and all(e in new for e in old) and all(e in old for e in new):
            yield _line(place, "the same in another order")
    elif old != new or type(old) is not type(new):
        yield _line(place, f"changed from {_value(old)} to {_value(new)}")


def _of_groups(
    place: tuple[str, ...], old: Mapping[str, Any], new: Mapping[str, Any], *, ordered: bool
) -> Iterator[str]:
    """Differences between mappings: settings by key, or list entries by their names."""
    gone = [name for name in old if name not in new]
    came = [name for name in new if name not in old]
    renamed: dict[str, str] = {}
    for name in gone:
        alike = (c for c in came if c not in renamed.values() and _same_but_name(old[name], new[c]))
        if (found := next(alike, None)) is not None:
            renamed[name] = found
    for name, value in old.items():
        here = (*place, name)
        if name in renamed:
            yield _line(here, f"is now called {renamed[name]}")
        elif name in gone:
            yield _line(here, f"removed{_content(value)}")
        else:
            yield from _differences(here, value, new[name])
    for name in came:
        if name not in renamed.values():
            yield _line((*place, name), f"added{_content(new[name])}")
    stayed = [renamed.get(name, name) for name in old if name not in gone or name in renamed]
    if ordered and stayed != [name for name in new if name in stayed]:
        yield _line(place, "the same in another order")


def _by_name(entries: Any) -> dict[str, Any] | None:
    """Entries of a list by name; None if they are not entries with unique names."""
    if not _of_entries(entries):
        return None
    names = ["/".join(str(e[name]) for name in _NAMES if name in e) for e in entries]
    if not all(names) or len(set(names)) < len(names):
        return None
    return dict(zip(names, entries, strict=True))


def _of_entries(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(entry, Mapping) for entry in value)


def _same_but_name(old: Any, new: Any) -> bool:
    """Whether two entries differ only in their id."""
    entries = isinstance(old, Mapping) and isinstance(new, Mapping)
    return entries and "id" in old and {**old, "id": ""} == {**new, "id": ""}


def _line(place: Sequence[str], what: str) -> str:
    return f"{', '.join(place)}: {what}"


def _content(value: Any) -> str:
    """The added or removed value; for an entry with a title, only its title."""
    if isinstance(value, Mapping):
        title = value.get("title") or value.get("text")
        return f" ({title})" if isinstance(title, str) else f": {_value(value)}"
    return f": {_value(value)}"


def _value(value: Any) -> str:
    return quoted(value) if isinstance(value, str) else _flow(value)


def _flow(value: Any) -> str:
    """A value as YAML on one line."""
    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{name}: {_flow(part)}' for name, part in value.items())}}}"
    if isinstance(value, list):
        return f"[{', '.join(map(_flow, value))}]"
    return str(value).lower() if isinstance(value, bool) else str(value)
