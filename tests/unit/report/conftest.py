"""The made-up sheet with every kind of effect size, pooled once for tests of the report."""

import pytest
from small_project import append_like, evidence_of, replace_text, small_project
from trial_evidence.config.configuration import Configuration
from trial_evidence.report.trail.evidence import Evidence
from trial_evidence.sheet import Sheet


@pytest.fixture(scope="session")
def pooled(tmp_path_factory: pytest.TempPathFactory) -> tuple[Sheet, Configuration, Evidence]:
    """Sheet, configuration and their results. Do not modify them."""
    folder = small_project(tmp_path_factory.mktemp("pooled"))
    # A trial without any event in one arm.
    replace_text(folder, "pcr", "all,14,20,70.0", "all,0,20,0.0")
    # A hazard ratio printed in reverse: control against experimental arm.
    replace_text(
        folder,
        "hazard_ratios",
        "trial_k_dual,trial_k_single,PFS,primary,14,BICR,all,0.56,0.44,0.71",
        "trial_k_single,trial_k_dual,PFS,primary,14,BICR,all,1.79,1.41,2.27",
    )
    replace_text(folder, "hazard_ratios", "95,<0.001,two,,400,,200,7.8,5.6", "95,<0.001,two,,,,,,")
    # A hazard ratio with neither interval nor p value.
    replace_text(
        folder,
        "hazard_ratios",
        "PFS,final,,investigator,all,0.74,0.58,0.94,95,0.012,two,,145,,145",
        "PFS,final,,investigator,all,0.74,,,,,,60,145,80,145",
    )
    # Rows that no analysis uses: another endpoint, another factor.
    append_like(folder, "hazard_ratios", "trial_a,", ",EFS,", ",RFI,")
    append_like(folder, "hazard_ratios", "trial_a,", ",all,", ",node=positive,")
    return evidence_of(folder)
