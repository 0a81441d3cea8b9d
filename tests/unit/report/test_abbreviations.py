"""The abbreviations in a table, and no others, are explained below it."""

import pytest
from trial_evidence.report.words.abbreviations import abbreviations

OUTCOMES = {"EFS": "event-free survival", "pCR": "pathological complete response"}


@pytest.mark.parametrize(
    ("cell", "said"),
    [
        ("RR 1.42", "RR: risk ratio."),
        ("OR 8.41 (2.52–28.10)", "OR: odds ratio."),
        ("RD −0.13", "RD: risk difference."),
        ("HR 0.64 (95% CrI 0.45–0.90)", "CrI: Bayesian credible interval; HR: hazard ratio."),
        ("0.64 (95% CI 0.45–0.90)", "CI: confidence interval."),
        ("EFS or PFS event by 60 months", "EFS: event-free survival."),
        ("tpCR (ypT0/is)", ""),
        # A genotype.
        ("H carrier v RR", ""),
        ("Risk ratio", ""),
    ],
)
def test_what_is_abbreviated_is_explained(cell, said):
    assert abbreviations(["Setting", cell], OUTCOMES) == said


def test_abbreviations_stand_by_the_alphabet():
    assert abbreviations(["pCR", "HR 0.64", "EFS", "95% CI 0.5–0.7"], OUTCOMES) == (
        "CI: confidence interval; EFS: event-free survival; HR: hazard ratio; "
        "pCR: pathological complete response."
    )
