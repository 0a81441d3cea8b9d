"""The recipes of docs/extending.md, each carried out on a copy of the project."""

import contextlib
import csv
import io
import math
import shutil
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from small_project import commands, evidence_of, small_project
from trial_evidence.cli import main
from trial_evidence.config.looks import read_figure_configuration
from trial_evidence.figures.canvas.publishing import publish
from trial_evidence.figures.canvas.style import styled
from trial_evidence.figures.forests.layout import layout
from trial_evidence.figures.stage import setting_forests
from trial_evidence.report.files.styled_figures import choose_style

pytestmark = pytest.mark.long

ROOT = Path(__file__).resolve().parents[2]


@dataclass
class Copy:
    """A copy of the project with the made-up sheet, and the files a recipe edited.

    With a library of its own the commands run as `make` runs them; without one, in this process.
    """

    folder: Path
    own_library: bool = False
    touched: set[str] = field(default_factory=set)

    def edit(self, name: str, old: str, new: str) -> None:
        """Replace a text that occurs once in a file; insert at the start if `old` is empty."""
        path = self.folder / name
        text = path.read_text(encoding="utf-8")
        if old:
            assert text.count(old) == 1, (name, old, text.count(old))
        path.write_text(text.replace(old, new, 1), encoding="utf-8")
        self.touched.add(name)

    def append(self, name: str, text: str) -> None:
        """Append lines to a file, creating it if missing."""
        path = self.folder / name
        with path.open("a", encoding="utf-8") as file:
            file.write(text)
        self.touched.add(name)

    def run(self, *several: str) -> str:
        """Run commands in turn; return their output."""
        if self.own_library:
            return commands(self.folder, *map(str.split, several))
        said = io.StringIO()
        with contextlib.chdir(self.folder), contextlib.redirect_stdout(said):
            for arguments in map(str.split, several):
                assert main(arguments) == 0, arguments
        return said.getvalue()

    def pooled(self, setting: str, *further: str) -> list[dict[str, str]]:
        """Pool a setting from the current sheet, run further commands; return the estimates."""
        self.run("check", "extract", f"pool --setting {setting}", *further)
        return self.rows(f"results/{setting}/estimates.csv")

    def rows(self, name: str) -> list[dict[str, str]]:
        """Rows of a table of the copy."""
        with (self.folder / name).open(encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file))


@pytest.fixture
def copy(tmp_path):
    """A copy of sheet and configuration only, for recipes that edit nothing else."""
    return Copy(small_project(tmp_path / "project"))


@pytest.fixture
def fork(copy):
    """A copy that includes the library, for recipes that edit it."""
    shutil.copytree(ROOT / "workflow", copy.folder / "workflow")
    copy.own_library = True
    return copy


ANALYSES, PCR, HAZARD_RATIOS = (
    "config/analyses.yaml", "data/raw/pcr.csv", "data/raw/hazard_ratios.csv",
)  # fmt: skip


def test_a_timed_endpoint_is_rows_and_an_entry(copy):
    copy.edit(
        ANALYSES, "  RFS: {table", "  DRFI: {table: hazard_ratios, better: fewer}\n  RFS: {table"
    )
    copy.edit(ANALYSES, "analyses:\n", """analyses:
  - id: distant_dual_v_single
    setting: adjuvant
    title: "Distant recurrence: dual versus single HER2 blockade"
    outcome: [DRFI]
    measures: [hazard_ratio]
    contrast: {kind: dual v single}
    pool: overall
    subgroups: added_agents
    arms: [Dual, Single]
""")  # fmt: skip
    copy.append(HAZARD_RATIOS, (
        "trial_f,trial_f_dual,trial_f_single,DRFI,final,60,investigator,all,0.70,0.50,0.98,95,,,,,,"
        ",,,yes,doe_2020_trial_f,Table 3,primary,reported,current,\n"
    ))  # fmt: skip
    rows = [r for r in copy.pooled("adjuvant") if r["analysis"] == "distant_dual_v_single"]
    (own,) = [r for r in rows if r["subgroup"] == "all"]
    assert (own["outcome"], own["k"], own["model"]) == ("DRFI", "1", "single_trial")
    assert float(own["estimate"]) == pytest.approx(0.70, abs=0.001)
    assert float(own["probability_of_benefit"] or 1) > 0.5
    assert len(copy.touched) <= 2


def test_a_counted_outcome_is_rows_and_an_entry(copy):
    # A harm: fewer events are better, so a risk ratio below 1 is a benefit.
    copy.edit(ANALYSES, "  pcr: {table: pcr", """  diarrhoea:
    {table: pcr, label: Diarrhoea, better: fewer}
  pcr: {table: pcr""")  # fmt: skip
    copy.edit(ANALYSES, "analyses:\n", """analyses:
  - id: diarrhoea_dual_v_trastuzumab
    setting: neoadjuvant
    title: "Diarrhoea: dual HER2 blockade versus trastuzumab"
    outcome: diarrhoea
    measures: [risk_ratio, risk_difference]
    contrast: {kind: dual v single, control: [trastuzumab], same_partner: true}
    pool: overall
    subgroups: added_agents
    arms: [Dual, Trastuzumab]
""")  # fmt: skip
    copy.edit(PCR, "status,note\n", "status,note,outcome\n")
    path = copy.folder / PCR
    header, *lines = path.read_text(encoding="utf-8").splitlines()
    harms = [
        f"{trial},{trial}_{arm},ypT0/is,ITT,local,all,{events},100,,doe_2020_{trial},Table 4,"
        "primary,reported,current,,diarrhoea"
        for trial, arm, events in (
            ("trial_a", "dual", 60), ("trial_a", "single", 30),
            ("trial_b", "dual", 50), ("trial_b", "single", 25),
        )
    ]  # fmt: skip
    text = "\n".join([header, *(f"{line}," for line in lines), *harms]) + "\n"
    path.write_text(text, encoding="utf-8")
    found = copy.pooled("neoadjuvant")
    lead = next(
        r for r in found
        if r["analysis"] == "diarrhoea_dual_v_trastuzumab" and r["measure"] == "risk_ratio"
        and r["subgroup"] == "all" and r["role"] == "lead"
    )  # fmt: skip
    assert (lead["outcome"], lead["k"], lead["events"]) == ("Diarrhoea", "2", "165")
    assert float(lead["estimate"]) == pytest.approx(2.0, rel=1e-6)
    # Twice the harm is not a benefit.
    assert float(lead["probability_of_benefit"]) < 0.1
    # Responses are counted as before, separately from harms.
    response = next(
        r for r in found
        if r["analysis"] == "pcr_dual_v_trastuzumab" and r["role"] == "lead"
        and r["subgroup"] == "all" and r["measure"] == "risk_ratio"
    )  # fmt: skip
    assert response["outcome"] == "pCR"
    assert len(copy.touched) <= 2


def test_a_column_of_the_sheet(fork):
    fork.append("workflow/dictionary/arms.csv", (
        'dose,text,,,optional,no,,6 mg/kg,"The dose of the antibody, as the source says it."\n'
    ))  # fmt: skip
    assert "No errors" in fork.run("check")
    path = fork.folder / "data/raw/arms.csv"
    header, *lines = path.read_text(encoding="utf-8").splitlines()
    path.write_text("\n".join([f"{header},dose", *(f"{line},6 mg/kg" for line in lines)]) + "\n")
    fork.touched.add("data/raw/arms.csv")
    assert "No errors" in fork.run("check", "workbook --book book.xlsx")
    assert len(fork.touched) <= 2


def test_a_setting(copy):
    copy.edit(ANALYSES, "settings:\n", "settings:\n  prevention: Prevention\n")
    copy.edit(ANALYSES, "analyses:\n", """analyses:
  - id: event_free_dual_v_single
    setting: prevention
    title: "Event-free survival: prevention"
    outcome: [iDFS]
    measures: [hazard_ratio]
    contrast: {kind: dual v single}
    pool: overall
    subgroups: added_agents
    arms: [Dual, Single]
""")  # fmt: skip
    copy.edit(
        "data/raw/trials.csv", "TRIAL-F,NCT00000007,adjuvant", "TRIAL-F,NCT00000007,prevention"
    )
    (own,) = [r for r in copy.pooled("prevention") if r["subgroup"] == "all"]
    assert own["trials"] == "trial_f"
    assert len(copy.touched) <= 3


def test_a_measure(fork):
    # The arcsine difference: asin(sqrt(p1)) - asin(sqrt(p0)), variance 1/4n1 + 1/4n0.
    effects = "workflow/trial_evidence/measures/effects.py"
    fork.edit(effects, "FROM_COUNTS: Mapping", '''def arcsine_difference(
    events_e: npt.ArrayLike, n_e: npt.ArrayLike, events_c: npt.ArrayLike, n_c: npt.ArrayLike
) -> EffectSizes:
    """Difference between the arcsine-square-root transforms of two proportions."""
    a, n1, c, n0 = (np.asarray(x, dtype=float) for x in (events_e, n_e, events_c, n_c))
    no = np.zeros(a.size, dtype=bool)
    yi = np.arcsin(np.sqrt(a / n1)) - np.arcsin(np.sqrt(c / n0))
    return EffectSizes(yi=yi, vi=1 / (4 * n1) + 1 / (4 * n0), corrected=no, informative=~no)


FROM_COUNTS: Mapping''')  # fmt: skip
    fork.edit(
        effects,
        '    "risk_difference": risk_difference,\n',
        '    "risk_difference": risk_difference,\n    "arcsine_difference": arcsine_difference,\n',
    )
    fork.edit("workflow/trial_evidence/measures/measure.py", '        Measure("hazard_ratio"', (
        '        Measure("arcsine_difference", "Arcsine difference", "AD", "counts", IDENTITY, '
        '2),\n        Measure("hazard_ratio"'
    ))  # fmt: skip
    assert len(fork.touched) <= 2
    # An analysis then names it, and the configuration sets the scale of its heterogeneity prior.
    fork.edit(
        "config/config.yaml",
        "  proportion: {half_normal: 1.0}\n",
        "  proportion: {half_normal: 1.0}\n  arcsine_difference: {half_normal: 0.25}\n",
    )
    entry = "id: pcr_dual_v_trastuzumab\n    setting: neoadjuvant"
    text = (fork.folder / ANALYSES).read_text(encoding="utf-8")
    start = text.index(entry)
    changed = text[start:].replace("odds_ratio", "arcsine_difference", 1)
    (fork.folder / ANALYSES).write_text(text[:start] + changed, encoding="utf-8")
    found = [r for r in fork.pooled("neoadjuvant") if r["measure"] == "arcsine_difference"]
    lead = next(r for r in found if r["subgroup"] == "all" and r["role"] == "lead")
    assert 0 < float(lead["estimate"]) < 1
    (trial,) = [
        r for r in fork.rows("results/neoadjuvant/trials.csv")
        if r["measure"] == "arcsine_difference" and r["trial_id"] == "trial_a"
        and r["subgroup"] == "all"
    ]  # fmt: skip
    # By hand: 42 of 105 against 23 of 105.
    by_hand = math.asin(math.sqrt(42 / 105)) - math.asin(math.sqrt(23 / 105))
    assert float(trial["yi"]) == pytest.approx(by_hand, rel=1e-12)
    assert float(trial["vi"]) == pytest.approx(2 / 420, rel=1e-12)


def test_a_figure(fork):
    fork.append("workflow/trial_evidence/figures/charts/weights.py", '''"""Trials by weight."""

import pandas as pd
import plotnine as p9

from trial_evidence.figures.canvas.style import Style
from trial_evidence.figures.house.theme import Words, house, panel_height_mm


def weights(trials: pd.DataFrame, words: Words, style: Style) -> p9.ggplot:
    """Draw a bar for each trial, its length the weight."""
    return (
        p9.ggplot(trials, p9.aes("trial", "weight"))
        + house(style, words, panel_height_mm(style), x="Trial", y="Weight (%)")
        + p9.geom_col(fill=style.accent)
    )
''')  # fmt: skip
    place = "workflow/trial_evidence/sensitivity/pictures/drawings.py"
    fork.edit(place, '    yield "posterior", _posterior(', '''    about = Words(f"{title}: weights")
    data = pd.DataFrame({"trial": c.rows["trial"], "weight": 100 / len(c.rows)})
    yield "weights", charted(weights, data, words=about, description="Bars.", style=style)
    yield "posterior", _posterior(''')  # fmt: skip
    fork.edit(place, "from trial_evidence.figures.charts.specification import specification\n", (
        "from trial_evidence.figures.charts.specification import specification\n"
        "from trial_evidence.figures.charts.weights import weights\n"
    ))  # fmt: skip
    assert len(fork.touched) <= 2
    fork.pooled("adjuvant", "sensitivity --setting adjuvant")
    drawn = fork.folder / "results/adjuvant/event_free_dual_v_single/weights.svg"
    assert "Weight (%)" in drawn.read_text(encoding="utf-8")
    listed = fork.rows("results/adjuvant/sensitivity/figures.csv")
    assert "Bars." in {row["description"] for row in listed if row["figure"] == "weights"}


def test_a_language(copy):
    copy.append("config/labels/fr.yaml", (
        'decimal_mark: ","\ntexts:\n  "Hazard ratio": "Rapport de risque"\n'
    ))  # fmt: skip
    copy.edit(ANALYSES, 'title: "Overall survival: dual versus single HER2 blockade, adjuvant"', (
        'title: "Overall survival: dual versus single HER2 blockade, adjuvant"\n'
        "    figure: {language: fr}"
    ))  # fmt: skip
    assert len(copy.touched) <= 2
    copy.pooled("adjuvant", "figures --setting adjuvant")
    drawn = copy.folder / "results/adjuvant/overall_survival_dual_v_single/forest.svg"
    assert "Rapport de risque" in drawn.read_text(encoding="utf-8")


def test_a_look_for_a_journal(copy):
    copy.edit("config/styles.yaml", "styles:\n", """styles:
  annals:
    description: "In the manner of a journal that does not exist"
    widths_mm: [120]
    formats: [svg]
    dpi: 300
    fields:
      accent: "#123456"
""")  # fmt: skip
    assert len(copy.touched) <= 1
    copy.pooled("adjuvant")
    # As `make figures STYLE=annals`, for one setting.
    looks = read_figure_configuration(copy.folder / "config")
    look = choose_style(looks, "annals")
    sheet, configuration, _ = evidence_of(copy.folder)
    made = [copy.folder / place for place in ("data/processed", "results")]
    forests = setting_forests(configuration, looks, sheet, "adjuvant", *made, {})
    style = styled(look.fields, look.widths_mm[0], look.magnification)
    folder = made[1] / "figures-annals"
    publish({stem: layout(plot, style) for stem, plot in forests.items()}, folder, look.formats)
    drawn = (folder / "overall_survival_dual_v_single/forest.svg").read_text(encoding="utf-8")
    assert "#123456" in drawn.lower()
