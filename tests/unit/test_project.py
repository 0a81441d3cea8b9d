"""Rules of the house that no other tool checks."""

import ast
import csv
import re
import tomllib
from collections import Counter
from graphlib import TopologicalSorter
from pathlib import Path

import pytest
import yaml
from trial_evidence import __version__

ROOT = Path(__file__).resolve().parents[2]
LIBRARY = ROOT / "workflow/trial_evidence"
LOCK = (ROOT / "requirements.lock").read_text(encoding="utf-8")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))

# What a room may know of the others: those that stand before it, and not beside it. The longest
# name that fits says in which room a module lives; a stage knows all the rooms of its package.
STREAM = [
    {"words", "files"},
    {"kept"},
    {"measures"},
    {"config"},
    {"sheet"},
    {"workbook", "extract"},
    {"loaded"},
    {"pool.engine"},
    {"pool.bayes"},
    {"pool.models"},
    {"pool.probes"},
    {"pool"},
    {"figures.canvas"},
    {"figures.house"},
    {"figures.charts", "figures.forests"},
    {"figures.overview"},
    {"figures"},
    {"network.evidence"},
    {"network.fit"},
    {"network.components", "network.within_trials"},
    {"network"},
    {"network.pictures"},
    {"network.stage"},
    {"audit", "calibration", "sensitivity"},
    {"sensitivity.pictures"},
    {"sensitivity.stage"},
    {"report.words"},
    {"report.trail"},
    {"report.material"},
    {"report.absolute", "report.in_whom"},
    {"report.tables"},
    {"report.page", "report.files"},
    {"report"},
    {"changes"},
    {"exchange"},
    {"watch"},
    {"api", "cli"},
    {"standby"},
    {"__main__"},
]
ROOMS = set().union(*STREAM)


def python_files():
    return sorted(LIBRARY.rglob("*.py"))


def room(module):
    """Room of a module, given as the library's parts of its dotted name; none for the library."""
    names = (".".join(module[:n]) for n in range(len(module), 0, -1))
    return next((name for name in names if name in ROOMS), None)


def parts(path):
    """A file as the parts of its dotted name below the library."""
    found = path.relative_to(LIBRARY).with_suffix("").parts
    return found[:-1] if found[-1] == "__init__" else found


def imported(path):
    """What a file imports of the library: parts of dotted names below the library."""
    package = ["trial_evidence", *path.relative_to(LIBRARY).parent.parts]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            module = ".".join([*base, *([node.module] if node.module else [])])
            names = [f"{module}.{alias.name}" for alias in node.names]
        else:
            continue
        for name in names:
            root, *rest = name.split(".")
            if root == "trial_evidence" and rest:
                yield tuple(rest)


def imports(path):
    """Rooms of the library that a file imports."""
    return map(room, imported(path))


def test_every_module_has_its_room():
    homeless = [path for path in python_files() if parts(path) and room(parts(path)) is None]
    assert homeless == []


@pytest.mark.parametrize("name", sorted(ROOMS))
def test_no_module_imports_one_downstream(name):
    position = next(n for n, level in enumerate(STREAM) if name in level)
    upstream = set().union(*STREAM[:position])
    found = {
        f"{path.relative_to(LIBRARY)} imports {other}"
        for path in python_files()
        if parts(path) and room(parts(path)) == name
        for other in imports(path)
        if other not in upstream | {name}
    }
    assert found == set()


def test_no_modules_import_each_other_in_a_circle():
    files = {parts(path): path for path in python_files()}
    graph = {
        module: {other[:n] for other in imported(path) for n in (len(other), len(other) - 1)}
        for module, path in files.items()
    }
    # Raises CycleError with the modules of the circle.
    TopologicalSorter({a: (of & files.keys()) - {a} for a, of in graph.items()}).prepare()


def test_the_sheet_knows_nothing_but_itself_and_words():
    found = {name for path in (LIBRARY / "sheet").rglob("*.py") for name in imports(path)}
    assert found <= {"sheet", "words"}


def test_no_room_is_crowded():
    counts = Counter(path.parent for path in python_files() if path.name != "__init__.py")
    assert {str(folder.relative_to(LIBRARY)): n for folder, n in counts.items() if n > 12} == {}


def names_in_the_sheet():
    """Every name by which an agent or a trial could slip into the code."""
    with (ROOT / "data/raw/agents.csv").open(encoding="utf-8", newline="") as file:
        agents = list(csv.DictReader(file))
    with (ROOT / "data/raw/trials.csv").open(encoding="utf-8", newline="") as file:
        trials = list(csv.DictReader(file))
    names = {row["agent"] for row in agents}
    names |= {part.strip("()") for row in agents for part in row["label"].split()}
    names |= {row["trial_id"] for row in trials}
    names |= {row["name"].partition(" (")[0] for row in trials}
    return sorted(name.lower() for name in names if len(name) > 3)


def test_no_agent_or_trial_is_named_in_the_library():
    either = "|".join(re.escape(name) for name in names_in_the_sheet())
    named = re.compile(rf"(?<![a-z0-9])(?:{either})(?![a-z0-9])")
    found = {
        f"{path.relative_to(LIBRARY)}: {match.group()}"
        for path in python_files()
        for match in named.finditer(path.read_text(encoding="utf-8").lower())
    }
    assert found == set()


# ----------------------------------------------------------------------------------- environment


def normalised(requirement):
    """Name of a requirement as package indexes compare it."""
    return re.sub(r"[-_.]+", "-", re.split(r"[^A-Za-z0-9._-]", requirement)[0]).lower()


def locked():
    """Name -> the lines of its entry in the lock."""
    entries = re.split(r"\n(?=[a-z0-9])", LOCK.strip())
    return {normalised(entry): entry for entry in entries}


def test_every_dependency_is_in_the_lock():
    wanted = [*PROJECT["project"]["dependencies"], *PROJECT["dependency-groups"]["dev"]]
    assert [name for name in wanted if normalised(name) not in locked()] == []


def test_every_entry_of_the_lock_has_one_version_and_hashes():
    bad = [
        name
        for name, entry in locked().items()
        if not re.match(r"[a-z0-9._-]+==\S+", entry) or "--hash=sha256:" not in entry
    ]
    assert bad == []


def test_the_lock_names_no_place_to_install_from():
    assert [
        line
        for line in LOCK.splitlines()
        if "://" in line or re.match(r"\s*(-i|-f|--(extra-)?index-url|--find-links|-e)\b", line)
    ] == []


def test_conda_installs_what_the_lock_says():
    environment = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))
    (pip,) = (part["pip"] for part in environment["dependencies"] if isinstance(part, dict))
    assert pip == ["-r requirements.lock"]
    (python,) = (p for p in environment["dependencies"] if str(p).startswith("python="))
    version = tuple(int(part) for part in python.partition("=")[2].split("."))
    least = PROJECT["project"]["requires-python"].removeprefix(">=")
    assert version >= tuple(int(part) for part in least.split("."))


def test_snakemake_is_pinned_to_what_the_workflow_asks_for():
    asked = re.search(r'min_version\("([\d.]+)"\)', (ROOT / "Snakefile").read_text("utf-8"))
    pinned = re.match(r"snakemake==([\d.]+)", locked()["snakemake"])
    assert asked is not None
    assert pinned is not None
    least, ours = (tuple(map(int, m.group(1).split("."))) for m in (asked, pinned))
    assert ours[0] == least[0]
    assert ours >= least


# ------------------------------------------------------------------------------------- documents


def make_targets():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    return set(re.findall(r"^([a-z]+):", makefile, flags=re.MULTILINE))


def commands(text):
    """Targets of every `make ...` that a text shows as code; `make` alone is `all`."""
    indented = re.findall(r"^ {4}(.*)$", text, flags=re.MULTILINE)
    quoted = re.findall(r"`([^`\n]+)`", text)
    shown = [re.match(r"make(?: ([a-z]+))?(?: |$)", line) for line in [*indented, *quoted]]
    return {match.group(1) or "all" for match in shown if match}


def test_the_readme_shows_commands_that_there_are():
    shown = commands((ROOT / "README.md").read_text(encoding="utf-8"))
    assert shown >= {"all", "test"}
    assert shown <= make_targets()


def test_the_readme_is_short_and_leads_everywhere():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert len(readme.splitlines()) < 120
    pages = {path.relative_to(ROOT).as_posix() for path in (ROOT / "docs").glob("*.md")}
    second = {
        f"docs/{name}"
        for page in pages & set(re.findall(r"\((docs/[\w-]+\.md)", readme))
        for name in re.findall(r"\(([\w-]+\.md)", (ROOT / page).read_text(encoding="utf-8"))
    }
    assert pages - set(re.findall(r"\((docs/[\w-]+\.md)", readme)) - second == set()


def test_the_table_of_contents_of_the_readme_is_complete():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    headings = re.findall(r"^## (.*)$", readme, flags=re.MULTILINE)
    anchors = {re.sub(r"[^\w -]", "", h).lower().replace(" ", "-") for h in headings}
    assert set(re.findall(r"\]\(#([^)]+)\)", readme)) == anchors - {"contents"}


def test_no_page_leads_nowhere():
    broken = set()
    for page in [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")]:
        for target in re.findall(r"\]\(([^)#\s]+)", page.read_text(encoding="utf-8")):
            if "://" not in target and not (page.parent / target).exists():
                broken.add(f"{page.name}: {target}")
    assert broken == set()


def test_what_is_made_is_not_kept():
    ignored = (ROOT / ".gitignore").read_text(encoding="utf-8").splitlines()
    assert {"/results/", "/data/processed/", "/.venv/", "/.snakemake/"} <= set(ignored)


def test_test_modules_have_names_of_their_own():
    # Two of one name cannot be collected in one run.
    names = Counter(path.name for path in (ROOT / "tests").rglob("test_*.py"))
    assert [name for name, count in names.items() if count > 1] == []


def test_the_page_for_newcomers_names_every_room():
    page = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")
    missing = {name for name in ROOMS if f"| `{name.replace('.', '/')}` |" not in page}
    assert missing <= {"network.stage", "sensitivity.stage", "__main__"}


def lines_of_code(path):
    """Lines that hold code: no blank line, no comment, no docstring."""
    text = path.read_text(encoding="utf-8")
    said = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef):
            first = node.body[0] if node.body else None
            if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
                said.update(range(first.lineno, first.end_lineno + 1))
    lines = enumerate(text.split("\n"), 1)
    return sum(1 for n, line in lines if n not in said and line.strip() and line.strip()[0] != "#")


def test_no_file_is_long():
    sizes = {str(path.relative_to(LIBRARY)): lines_of_code(path) for path in python_files()}
    assert {name: size for name, size in sizes.items() if size > 400} == {}


def names_of_the_field():
    """Outcomes, settings, definitions and factors: what configuration and dictionary name."""
    config = yaml.safe_load((ROOT / "config/analyses.yaml").read_text(encoding="utf-8"))
    outcomes = {*config["outcomes"], *(o.get("label", "") for o in config["outcomes"].values())}
    with (ROOT / "workflow/dictionary/pcr.csv").open(encoding="utf-8", newline="") as file:
        allowed = {row["column"]: row["allowed"] for row in csv.DictReader(file)}
    # What no source says has the same words everywhere.
    definitions = set(allowed["definition"].split("|")) - {"not stated"}
    return sorted(
        {*outcomes, *config["settings"], *config["effect_modifiers"], *definitions} - {""}
    )


def test_no_outcome_setting_definition_or_factor_is_named_in_the_library():
    either = "|".join(re.escape(name) for name in names_of_the_field())
    named = re.compile(rf"(?<![\w.-])(?:{either})(?![\w-])")
    found = {
        f"{path.relative_to(LIBRARY)}: {match.group()}"
        for path in python_files()
        for match in named.finditer(path.read_text(encoding="utf-8"))
    }
    assert found == set()


def test_the_version_is_said_once():
    """Who cites a version must find it as the tag, the command and the citation name it."""
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert citation["version"] == __version__
    assert "version" in PROJECT["project"]["dynamic"]
    # The catalogue of workflows takes the version from the tag.
    catalogue = (ROOT / ".snakemake-workflow-catalog.yml").read_text(encoding="utf-8")
    assert "version" not in catalogue
    released = re.findall(r"^## (\d\S*)", (ROOT / "CHANGELOG.md").read_text("utf-8"), flags=re.M)
    assert released[0] == __version__


def test_the_check_looks_at_every_file_of_the_configuration():
    """An edit of one that no rule names is taken for one during every run that follows."""
    rules = (ROOT / "workflow/rules/common.smk").read_text(encoding="utf-8")
    files = {f"config/{path.name}" for path in (ROOT / "config").glob("*.yaml")}
    assert files
    assert {file for file in files if f'"{file}"' not in rules} == set()
