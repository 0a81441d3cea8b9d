"""Outputs of earlier stages are read only if they belong to this configuration."""

import pytest
from invented import SETTING, analysis, configuration
from trial_evidence.pool.columns import ESTIMATE_COLUMNS
from trial_evidence.report.material.material import read_evidence
from trial_evidence.words.errors import RequestError


def test_results_of_an_analysis_that_is_not_configured_any_more_are_refused(tmp_path):
    """An estimate for another question would appear among the answers."""
    place = tmp_path / SETTING / "estimates.csv"
    place.parent.mkdir()
    row = dict.fromkeys(ESTIMATE_COLUMNS, "") | {"setting": SETTING, "analysis": "gone"}
    text = f"{','.join(ESTIMATE_COLUMNS)}\n{','.join(row[name] for name in ESTIMATE_COLUMNS)}\n"
    place.write_text(text, encoding="utf-8")
    with pytest.raises(RequestError, match=rf"another configuration: gone \({SETTING}\) is not in"):
        read_evidence(configuration(analysis()), tmp_path, tmp_path)
