"""Provenance of the results: versions, checksums, git revision. No time of the run."""

import hashlib
import json
import platform
import subprocess
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from trial_evidence.kept import checksum
from trial_evidence.words.supplied import supplied

PACKAGES = (
    "fonttools", "jinja2", "markupsafe", "matplotlib", "numpy", "openpyxl", "pandas", "pillow",
    "plotnine", "pydantic", "pymare", "python-docx", "pyyaml", "rispy", "scipy", "snakemake",
    "statsmodels", "watchfiles",
)  # fmt: skip
# Folders of workflow/ whose files affect the results -> the files in them.
_CODE = {"trial_evidence": "**/*.py", "dictionary": "*", "rules": "*.smk", "report": "*"}
_FORMATS = {
    ".bib": "application/x-bibtex", ".csv": "text/csv", ".docx":
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    ".html": "text/html", ".json": "application/json", ".md": "text/markdown",
    ".pdf": "application/pdf", ".png": "image/png", ".R": "text/x-r",
    ".ris": "application/x-research-info-systems", ".svg": "image/svg+xml",
    ".txt": "text/plain", ".xlsx":
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}  # fmt: skip
_LICENCE = {
    "@id": "https://spdx.org/licenses/MIT", "@type": "CreativeWork", "name": "MIT License",
    "identifier": "MIT",
}  # fmt: skip


def revision(folder: Path) -> dict[str, str]:
    """The current commit of a project's folder, and whether anything has changed since.

    A folder inside another project's repository counts as not under git: the commit of that
    repository says nothing about it.

    Returns
    -------
    dict
        ``commit`` and its ``date``, empty if the project is not under git or git is not installed;
        ``state``: ``clean``, ``with uncommitted changes``, ``not under git``.
    """
    top = _git(folder, "rev-parse", "--show-toplevel")
    commit = _git(folder, "rev-parse", "--verify", "HEAD")
    if not top or not commit or Path(top) != folder.resolve():
        return {"commit": "", "date": "", "state": "not under git"}
    changed = _git(folder, "status", "--porcelain")
    date = _git(folder, "show", "--no-patch", "--format=%cs", "HEAD")
    state = "with uncommitted changes" if changed else "clean"
    return {"commit": commit, "date": date, "state": state}


def provenance(
    raw: Path, config: Path, project: Path, dates: Sequence[str], tables: Sequence[str]
) -> dict[str, Any]:
    """Everything needed to tell whether two runs used the same code and data.

    Parameters
    ----------
    raw, config : Path
        Folders of the sheet and of the configuration.
    project : Path
        The root folder of the project, for its git revision.
    dates : sequence of str
        Dates of the searches.
    tables : sequence of str
        Names of the tables of the sheet; optional tables may have no file.

    Returns
    -------
    dict
        ``python``, ``packages`` (name -> version), ``sheet``, ``configuration`` (file -> SHA-256
        of its bytes), ``code`` (SHA-256 of all files of the workflow), ``revision``, ``searched``.
        All entries are the same in every run of the same project.
    """
    files = [raw / f"{name}.csv" for name in sorted(tables)]
    return {
        "python": platform.python_version(),
        "packages": {name: version(name) for name in PACKAGES},
        "revision": revision(project),
        "code": {"sha256": _code_checksum()},
        "configuration": _checksums(sorted(config.glob("**/*.yaml")), config),
        "sheet": _checksums([file for file in files if file.exists()], raw),
        "searched": list(dates),
    }


def ro_crate(facts: Mapping[str, Any], files: Sequence[Path], results: Path, title: str) -> str:
    """The results as a research object: RO-Crate 1.1 metadata in JSON-LD.

    Parameters
    ----------
    facts : mapping
        Output of :func:`provenance`.
    files : sequence of Path
        Files below `results`; formats that no stage writes, such as files saved there by a user,
        are left out.
    results : Path
        Root of the crate.

    Returns
    -------
    str
        Content of ``ro-crate-metadata.json``. ``datePublished``, which the standard requires, is
        the date of the last search, because the results are as of that day. There is no time of
        the run.
    """
    listed = [_file_entity(path, results) for path in sorted(files) if path.suffix in _FORMATS]
    inputs = [
        _entity(
            f"#{kind}-{name}", "CreativeWork", name,
            description="Table of the extraction sheet" if kind == "sheet" else "Configuration",
            sha256=digest,
        )
        for kind in ("sheet", "configuration")
        for name, digest in facts[kind].items()
    ]  # fmt: skip
    software = [
        _entity(f"#{name}", "SoftwareApplication", name, softwareVersion=number)
        for name, number in {"python": facts["python"], **facts["packages"]}.items()
    ]
    commit, state = facts["revision"]["commit"], facts["revision"]["state"]
    workflow = _entity(
        "#workflow", "SoftwareSourceCode", "Workflow and library of the project",
        version=commit or state, description=f"Revision {commit or 'unknown'}, {state}",
        sha256=facts["code"]["sha256"],
    )  # fmt: skip
    root = _entity(
        "./", "Dataset", title,
        description="Estimates, tables, figures and report of a meta-analysis of trials.",
        license=_reference(_LICENCE), hasPart=list(map(_reference, listed)),
        mentions=[{"@id": "#run"}],
        **({"datePublished": facts["searched"][-1]} if facts["searched"] else {}),
    )  # fmt: skip
    run = _entity(
        "#run", "CreateAction", "Run of the workflow",
        instrument=list(map(_reference, (workflow, *software))),
        object=list(map(_reference, inputs)), result=[_reference(root)],
    )  # fmt: skip
    descriptor = {
        "@id": "ro-crate-metadata.json",
        "@type": "CreativeWork",
        "conformsTo": {"@id": "https://w3id.org/ro/crate/1.1"},
        "about": _reference(root),
    }
    graph = [descriptor, root, _LICENCE, *listed, run, workflow, *software, *inputs]
    context = ["https://w3id.org/ro/crate/1.1/context", {"sha256": "https://schema.org/sha256"}]
    return as_json({"@context": context, "@graph": graph})


def as_json(content: Mapping[str, Any]) -> str:
    """Readable JSON: indented, non-ASCII characters kept, in the given order."""
    return json.dumps(content, ensure_ascii=False, indent=2) + "\n"


def _entity(id_: str, kind: str, name: str, **more: Any) -> dict[str, Any]:
    return {"@id": id_, "@type": kind, "name": name, **more}


def _reference(entity: Mapping[str, Any]) -> dict[str, str]:
    return {"@id": entity["@id"]}


def _file_entity(path: Path, results: Path) -> dict[str, Any]:
    return _entity(
        path.relative_to(results).as_posix(), "File", path.name,
        encodingFormat=_FORMATS[path.suffix], contentSize=str(path.stat().st_size),
        sha256=checksum(path),
    )  # fmt: skip


def _checksums(paths: Sequence[Path], folder: Path) -> dict[str, str]:
    return {path.relative_to(folder).as_posix(): checksum(path) for path in paths}


def _code_checksum() -> str:
    digest = hashlib.sha256()
    found = {
        f"{name}/{path.relative_to(supplied(name)).as_posix()}": path
        for name, pattern in _CODE.items()
        for path in supplied(name).glob(pattern)
    }
    found["Snakefile"] = supplied("dictionary").parent.with_name("Snakefile")
    for name, path in sorted(found.items()):
        if path.is_file():
            digest.update(name.encode())
            digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def _git(folder: Path, *arguments: str) -> str:
    """Output of a git command; ``""`` if it fails or git is not installed."""
    try:
        done = subprocess.run(
            ["git", "-C", str(folder), *arguments], capture_output=True, text=True, check=False
        )
    except FileNotFoundError:
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""
