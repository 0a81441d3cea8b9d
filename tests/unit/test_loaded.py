"""Names in the configuration that find nothing in the sheet are told before a run."""

import contextlib

import pytest
from made_up.project import write_sheet
from trial_evidence.cli import main


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    folder = tmp_path_factory.mktemp("named")
    write_sheet(folder)
    return folder


@pytest.fixture
def check(project, capsys):
    """Exit code and output of the check after a replacement in a file of config/."""

    def checked(file, old, new):
        path = project / "config" / file
        before = path.read_text(encoding="utf-8")
        assert before.count(old) == 1
        path.write_text(before.replace(old, new), encoding="utf-8")
        with contextlib.chdir(project):
            code = main(["check", "--list-warnings"])
        path.write_text(before, encoding="utf-8")
        said = capsys.readouterr()
        return code, (said.out + said.err).splitlines()

    return checked


ASSOCIATION = "[PIK3CA], outcomes: [pCR], contrasts: [mutated v wild type], direction: below"


@pytest.mark.parametrize(
    ("file", "old", "new", "place", "meant"),
    [
        # Without the level, the analyses of the patient factor would be gone.
        ("analyses.yaml", "levels: [negative, positive]", "levels: [negativ, positive]",
         'levels: "negativ"', "negative"),
        ("config.yaml", "[hormone_receptor, pik3ca]", "[hormone_recepto, pik3ca]",
         'effect_modifiers: "hormone_recepto"', "hormone_receptor"),
        ("config.yaml", "[year, hormone_receptor=positive]", "[year, hormone_receptor=positiv]",
         'covariates: "positiv"', "positive"),
        # The order of preference would be lost.
        ("config.yaml", "[as registered]", "[as registred]", 'definition: "as registred"',
         "as registered"),
        ("report.yaml", "subgroups: [hormone_receptor=negative]",
         "subgroups: [hormon_receptor=negative]",
         'subgroups: event_free_dual_v_single: "hormon_receptor"', "hormone_receptor"),
        ("report.yaml", "progression_free_dual_v_single, factor: hormone_receptor",
         "progression_free_dual_v_single, factor: hormone_recptor",
         'factor: receptor_progression: "hormone_recptor"', "hormone_receptor"),
        ("report.yaml", ASSOCIATION,
         ASSOCIATION.replace("PIK3CA", "PIK3C"),
         'biomarkers: pik3ca_response: "PIK3C"', "PIK3CA"),
        # Outcome and contrast are beginnings of cells.
        ("report.yaml", ASSOCIATION,
         ASSOCIATION.replace("pCR", "pCr"),
         'outcomes: pik3ca_response: "pCr"', "pCR"),
        ("report.yaml", ASSOCIATION,
         ASSOCIATION.replace("mutated v wild type", "mutated vs wild ty"),
         'contrasts: pik3ca_response: "mutated vs wild ty"', "mutated v wild typ"),
        ("report.yaml", "factors: [hormone_receptor]", "factors: [hormone_receptors]",
         'factors: receptor: "hormone_receptors"', "hormone_receptor"),
        ("report.yaml", ", markers: [PIK3CA]", ", markers: [pik3ca]", 'markers: kinase: "pik3ca"',
         "PIK3CA"),
    ],
)  # fmt: skip
def test_a_misspelt_name_is_warned_of(check, file, old, new, place, meant):
    code, lines = check(file, old, new)
    (line,) = (line for line in lines if "finds no data" in line)
    assert line.startswith(f"{file}, line ")
    ending = f'is in no row of the sheet, so it finds no data. Did you mean "{meant}"?'
    assert line.partition(", line ")[2].partition(", ")[2] == f"{place} {ending}"
    assert code == 0


def test_a_name_similar_to_none_in_the_sheet_is_no_misspelling(check):
    _, lines = check("config.yaml", "[hormone_receptor, pik3ca]", "[brain_metastases, pik3ca]")
    assert not [line for line in lines if "finds no data" in line]


@pytest.mark.parametrize(
    ("file", "old", "new", "said"),
    [
        ("config.yaml", "    analysis: [final, primary]\n    assessor",
         "    analysis: [fina, primary]\n    assessor",
         'sensitivity.preferred.analysis: "fina" is not allowed. Allowed: interim, primary, '
         'updated, final. Did you mean "final"?'),
        ("report.yaml", "population: [ITT, mITT, evaluable]", "population: [IIT, mITT, evaluable]",
         'milestones.population: "IIT" is not allowed. Allowed: ITT, mITT, evaluable.'),
        ("report.yaml", "where: {first: almab, second: cetinib}",
         "where: {first: cetinib, second: almab}",
         'claims.rule.where.first: synergy_in_the_network: "cetinib and almab" is not one of '
         "the interactions of this network in networks.yaml. Allowed: almab and cetinib, "
         "almab and bemab."),
    ],
)  # fmt: skip
def test_a_word_that_is_not_allowed_stops_the_run(check, file, old, new, said):
    code, lines = check(file, old, new)
    (line,) = (line for line in lines if line.startswith(f"{file}, line "))
    assert line.partition(", line ")[2].partition(", ")[2] == said
    assert code == 1
