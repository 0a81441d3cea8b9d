"""What R is given to pool is what was pooled."""

import math

import numpy as np
import pandas as pd
import pytest
from trial_evidence.exchange.stage import KEYS, pooled_effects, write_for_r
from trial_evidence.files import records


@pytest.fixture(scope="module")
def effects(pooled):
    _, configuration, evidence = pooled
    return pooled_effects(configuration, evidence)


def natural(measure, value):
    if "difference" in measure:
        return value
    return 1 / (1 + math.exp(-value)) if measure == "proportion" else math.exp(value)


def test_every_pool_has_its_effects_and_they_give_its_common_estimate(pooled, effects):
    """Else R would agree with something that the report does not say."""
    estimates = pooled[2].estimates
    pools = estimates[estimates["model"].isin(["common", "single_trial"])]
    kinds = set()
    for pool in records(pools):
        rows = effects[np.logical_and.reduce([effects[key] == pool[key] for key in KEYS])]
        if pool["model"] == "single_trial" and len(rows) > 1:
            # Trials that are shown one by one are pools of one trial each.
            rows = rows[rows["trial"] == pool["trials"]]
        assert len(rows) == pool["k"], pool
        weights = 1 / rows["vi"]
        mean = float((weights * rows["yi"]).sum() / weights.sum())
        assert natural(pool["measure"], mean) == pytest.approx(pool["estimate"], rel=1e-9)
        kinds.add((pool["measure"] == "proportion", "_of_" in pool["measure"]))
    assert kinds == {(False, False), (True, False), (False, True)}


def test_groups_of_trials_are_named_for_the_test_between_them(pooled, effects):
    tests = pooled[2].estimates.query("model == 'subgroup_difference'")
    assert len(tests)
    for test in records(tests):
        rows = effects[np.logical_and.reduce([effects[key] == test[key] for key in KEYS])]
        assert rows["group"].nunique() == test["q_df"] + 1 or math.isnan(test["q_df"])


def test_an_old_file_is_not_left_for_r_to_read(pooled, tmp_path):
    _, configuration, evidence = pooled
    old = tmp_path / "exchange/r/adjuvant/gone.csv"
    old.parent.mkdir(parents=True)
    old.write_text("setting\n", encoding="utf-8")
    write_for_r(configuration, evidence, tmp_path)
    assert not old.exists()
    written = pd.read_csv(next(tmp_path.glob("exchange/r/adjuvant/*.csv")))
    assert {"yi", "vi", "trial"} <= set(written.columns)


def test_the_script_has_the_priors_of_the_configuration(pooled, tmp_path):
    _, configuration, evidence = pooled
    write_for_r(configuration, evidence, tmp_path)
    script = (tmp_path / "exchange/r/agreement.R").read_text(encoding="utf-8")
    assert "hazard_ratio = half_normal(0.5)" in script
    assert "hazard_ratio = inverse_gamma(2.42, 0.3)" in script
    assert "proportion = half_normal(1)" in script
