"""Largest difference between this project's numbers and the reference values, as a table.

    PYTHONPATH=workflow:tests python benchmarks/agreement.py

prints the table of docs/methods.md. Differences are relative where the reference is above 1e-6 and
absolute below.
"""

import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from reference import load
from trial_evidence.extract.effect_sizes import odds_ratio, risk_difference, risk_ratio
from trial_evidence.pool.bayesian import posterior, posterior_stack
from trial_evidence.pool.binomial_normal import (
    binomial_normal_proportion,
    conditional_logistic,
    unconditional_logistic,
)
from trial_evidence.pool.engine import fit_stack
from trial_evidence.pool.heterogeneity import q_profile
from trial_evidence.pool.influence import all_subsets, cumulative, influence, leave_one_out
from trial_evidence.pool.intervals import INTERVALS
from trial_evidence.pool.mantel_haenszel import Counts, mantel_haenszel
from trial_evidence.pool.meta_regression import meta_regression
from trial_evidence.pool.peto import peto
from trial_evidence.pool.priors import (
    DRUG_V_CONTROL,
    DRUG_V_DRUG,
    EMPIRICAL_PRIORS,
    HalfCauchy,
    HalfNormal,
    Uniform,
)
from trial_evidence.pool.selection_model import step_selection_model
from trial_evidence.pool.small_study import egger, harbord, pet_peese, peters, trim_and_fill
from trial_evidence.pool.stacks import stack
from trial_evidence.pool.subgroups import separate_subgroups, subgroup_test
from trial_evidence.pool.tau2 import TAU2_ESTIMATORS, estimate_tau2
from trial_evidence.pool.tau_posterior import FLAT, MeanPrior

# Quantity, reference, ours, theirs.
Pair = tuple[str, str, Any, Any]
NEAR_ZERO = 1e-6
CLOSED = ("EE", "DL", "HE", "SJ", "HS")
METAFOR, META = "metafor", "meta"


def estimators() -> Iterator[Pair]:
    for data in load("metafor_estimators").values():
        y, v = data["yi"], data["vi"]
        for method, fit in data["fits"].items():
            kind = "closed forms" if method in CLOSED else "REML, ML, PM, EB"
            for interval, test in zip(INTERVALS, ("z", "t", "knha", "adhoc"), strict=True):
                ours = fit_stack(y, v, method=method, interval=interval)
                if ours.se[0] > 0:
                    limits = [ours.se[0], ours.ci_low[0], ours.ci_high[0], ours.p_value[0]]
                    yield f"se, limits, p: {kind}", METAFOR, limits, fit[test]
            yield f"tau², I²: {kind}", METAFOR, ours.tau2[0], fit["tau2"]
            yield f"mean: {kind}", METAFOR, ours.estimate[0], fit["estimate"]
            if method in TAU2_ESTIMATORS:
                yield f"tau², I²: {kind}", METAFOR, ours.i2[0], fit["i2"]
        for method, exact in data.get("exact_tau2", {}).items():
            found = estimate_tau2(stack(y, v), method)[0]
            yield "tau² by DL, ML, REML, PM", "50-digit arithmetic", found, exact
        for level, (low, high, *_) in data.get("q_profile", {}).items():
            found_low, found_high = q_profile(stack(y, v), float(level))
            yield "Q-profile limits of tau²", METAFOR, [found_low[0], found_high[0]], [low, high]
        names = {"V": "t_k_minus_1", "HTS": "t_k_minus_2", "HK": "hartung_knapp_k_minus_1",
                 "HK-PR": "hartung_knapp_k_minus_2"}  # fmt: skip
        for name, expected in data.get("predict_DL", {}).items():
            ours = fit_stack(y, v, method="DL", prediction=names[name])
            yield "prediction intervals", META, [ours.pi_low[0], ours.pi_high[0]], expected


def counts() -> Iterator[Pair]:
    measures = {"RR": risk_ratio, "OR": odds_ratio, "RD": risk_difference}
    words = {"RR": "risk_ratio", "OR": "odds_ratio", "RD": "risk_difference"}
    for data in load("metafor").values():
        table = data.get("table")
        if table is None or data["measure"] not in measures or "ai" not in table:
            continue
        cells = [table[key] for key in ("ai", "n1i", "ci", "n2i")]
        ours = measures[data["measure"]](*cells)
        expected = data["escalc_only0"]
        yield "effects of two-by-two tables", METAFOR, [*ours.yi, *ours.vi], [
            *expected["yi"], *expected["vi"]]  # fmt: skip
        pooled = mantel_haenszel(Counts(*cells, words[data["measure"]]))
        if "mh" in data and pooled is not None:
            yield "Mantel-Haenszel", METAFOR, [pooled.estimate, pooled.se], [
                data["mh"]["beta"], data["mh"]["se"]]  # fmt: skip
    functions = {
        "UM.FS": unconditional_logistic,
        "CM.EL": conditional_logistic,
        "CM.AL": lambda c: conditional_logistic(c, approximate=True),
    }
    for data in load("metafor_counts").values():
        table, glmm = data["table"], data.get("glmm", {})
        if "ai" in table:
            sets = Counts(*(table[k] for k in ("ai", "n1i", "ci", "n2i")), "odds_ratio")
            found = peto(sets)
            yield "Peto", METAFOR, [found.estimate, found.se, found.q], [
                data["peto"][k] for k in ("beta", "se", "QE")]  # fmt: skip
            fits = [(functions[m](sets), glmm[m]) for m in functions if m in glmm]
        elif "PLO" in glmm:
            fits = [(binomial_normal_proportion(table["xi"], table["ni"]), glmm["PLO"])]
        else:
            fits = []
        for fit, (mean, se, tau2) in fits:
            yield "logistic regression: mean, tau²", METAFOR, [fit.estimate, fit.tau2], [mean, tau2]
            yield "logistic regression: se", METAFOR, fit.se, se


def bayes() -> Iterator[Pair]:
    priors = {
        "halfnormal_0.25": HalfNormal(0.25), "halfnormal_0.5": HalfNormal(0.5),
        "halfnormal_1.0": HalfNormal(1.0), "halfcauchy_0.3": HalfCauchy(0.3),
        "halfcauchy_0.5": HalfCauchy(0.5), "uniform_0_4": Uniform(4.0),
        "turner_mortality_pharma_placebo": EMPIRICAL_PRIORS["all-cause mortality", DRUG_V_CONTROL],
        "turner_semiobjective_pharma_pharma": EMPIRICAL_PRIORS[
            "cause-specific mortality or major morbidity", DRUG_V_DRUG],
    }  # fmt: skip
    fields = ("mean", "sd", "median", "central_low", "central_high", "pi_central_low",
              "pi_central_high", "probability_below_zero", "new_trial_below_zero",
              "tau_mean")  # fmt: skip
    fast = ("median", "central_low", "central_high", "pi_central_low", "pi_central_high")
    for data in load("bayes_priors").values():
        for key, values in data["posteriors"].items():
            tau, mean = key.split("|")
            mean_prior = FLAT if mean == "flat" else MeanPrior(0.0, 2.0)
            expected = dict(zip(fields, values, strict=True))
            ours = posterior(data["yi"], data["vi"], priors[tau], mean_prior=mean_prior)
            for field in fields:
                if math.isfinite(getattr(ours, field)):
                    yield (
                        "posterior, all priors", "converged quadrature",
                        getattr(ours, field), expected[field],
                    )  # fmt: skip
            many = posterior_stack(data["yi"], data["vi"], priors[tau], mean_prior=mean_prior)
            for field in fast:
                yield (
                    "posterior quantiles, stacked", "converged quadrature",
                    getattr(many, field)[0], expected[field],
                )  # fmt: skip


def sensitivity() -> Iterator[Pair]:
    kinds = {"z": "wald", "knha": "hartung_knapp"}
    for data in load("metafor_sensitivity").values():
        y, v = data["yi"], data["vi"]
        for key in data["leave1out"]:
            method, test = key.split("_")
            for name, function in (("leave1out", leave_one_out), ("cumul", cumulative)):
                fit = function(y, v, method=method, interval=kinds[test])
                yield "leave-one-out, cumulative: mean, se", METAFOR, [*fit.estimate, *fit.se], [
                    *data[name][key]["estimate"], *data[name][key]["se"]]  # fmt: skip
        for method, theirs in data["influence"].items():
            ours = influence(y, v, method=method)
            for field, key in (("hat", "hat"), ("rstudent", "rstudent"), ("dffits", "dffits"),
                               ("cook_distance", "cook_d"), ("covariance_ratio", "cov_r"),
                               ("q_deleted", "QE_del")):  # fmt: skip
                yield "influence, Baujat", METAFOR, getattr(ours, field), theirs[key]
            yield "influence, Baujat", METAFOR, ours.baujat_x, data["baujat"][method]["x"]
        if "gosh_DL" in data:
            found, theirs = all_subsets(y, v, method="DL"), data["gosh_DL"]
            yield "all subsets (DL): mean estimate and tau²", METAFOR, [
                found.estimate.mean(), found.tau2.mean()], [
                theirs["mean_est"], theirs["mean_tau2"]]  # fmt: skip
        if "lm_sei" in data["regtest"]:
            line, theirs = egger(y, v, forced=True), data["regtest"]["lm_sei"]
            yield "Egger, Harbord, Peters, PET-PEESE", METAFOR, [line.statistic, line.limit], [
                theirs["stat"], theirs["limit_est"]]  # fmt: skip
        both = pet_peese(y, v, forced=True)
        yield "Egger, Harbord, Peters, PET-PEESE", METAFOR, [both.pet.limit, both.peese.limit], [
            data["pet_peese"]["pet_est"], data["pet_peese"]["peese_est"]]  # fmt: skip
        for key, theirs in data.get("metabias", {}).items():
            sets = Counts(*(data["table"][k] for k in ("ai", "n1i", "ci", "n2i")), "odds_ratio")
            line = {"Harbord": harbord, "Peters": peters}[key](sets, forced=True)
            yield "Egger, Harbord, Peters, PET-PEESE", META, line.statistic, theirs["stat"]
        for key, theirs in data["trimfill"].items():
            method, estimator, side = key.split("_")
            filled = trim_and_fill(
                y, v, estimator=estimator, side=side, method=method, interval="wald", forced=True
            )
            yield "trim-and-fill: number, mean, se", METAFOR, [
                filled.missing, filled.estimate, filled.se], [
                theirs["k0"], theirs["beta"], theirs["se"]]  # fmt: skip
        for key, theirs in data.get("selmodel", {}).items():
            *steps, favoured = key.split("_")[1:]
            model = step_selection_model(
                y, v, favoured=favoured, steps=[float(p) for p in steps], forced=True
            )
            yield "selection model: mean", METAFOR, model.estimate, theirs["beta"]
        for key, theirs in data.get("metareg", {}).items():
            _, method, test = key.split("|")
            fit = meta_regression(
                y, v, {"x": theirs["values"]}, method=method, interval=kinds[test], forced=True
            )
            yield "meta-regression: coefficients, se, tests", METAFOR, [
                *fit.coefficients, *fit.se, fit.statistic], [
                *theirs["beta"], *theirs["se"], theirs["QM"]]  # fmt: skip


def subgroups() -> Iterator[Pair]:
    for data in load("metafor_more")["subgroups"].values():
        test = subgroup_test(data["yi"], data["vi"], data["group"])
        yield "between subgroups, common tau²: F, p", METAFOR, [test.statistic, test.p_value], [
            data["statistic"], data["p_value"]]  # fmt: skip
    for data in load("meta_subgroups").values():
        for key, theirs in data["subgroup"].items():
            method, interval = key.split("|")
            if method == "DL":
                found = separate_subgroups(
                    data["yi"], data["vi"], data["group"], method=method,
                    interval={"classic": "wald", "HK": "hartung_knapp"}[interval],
                )  # fmt: skip
                yield "between subgroups, separate tau² (DL): Q, p", META, [
                    found.statistic, found.p_value], [
                    theirs["Qb_random"], theirs["Qb_p"]]  # fmt: skip


def difference(ours: float | Sequence[float], theirs: float | Sequence[float]) -> float:
    a = np.atleast_1d(np.asarray(ours, dtype=float))
    b = np.array([np.nan if x is None else x for x in np.atleast_1d(theirs)], dtype=float)
    known = np.isfinite(b)
    scale = np.where(np.abs(b) > NEAR_ZERO, np.abs(b), 1.0)
    return float((np.abs(a - b) / scale)[known].max(initial=0.0))


def main() -> None:
    largest: dict[tuple[str, str], tuple[float, int]] = {}
    for source in (estimators, counts, bayes, subgroups, sensitivity):
        for quantity, reference, ours, theirs in source():
            worst, number = largest.get((quantity, reference), (0.0, 0))
            largest[quantity, reference] = (max(worst, difference(ours, theirs)), number + 1)
    print("| quantity | reference | comparisons | largest difference |")
    print("| --- | --- | --- | --- |")
    for (quantity, reference), (worst, number) in largest.items():
        print(f"| {quantity} | {reference} | {number} | {worst:.0e} |")


if __name__ == "__main__":
    main()
