"""This project's numbers against the reference programs, for every reference data set.

One function a family of methods: given a data set's name it yields pairs, ours and theirs. The
tests hold every pair to the bound of its quantity; benchmarks/agreement.py makes the table of
docs/methods.md of the same pairs.
"""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from trial_evidence.measures.effects import (
    logit_proportion,
    odds_ratio,
    risk_difference,
    risk_ratio,
    wilson_interval,
)
from trial_evidence.pool.bayes.posterior import posterior, posterior_stack
from trial_evidence.pool.bayes.priors import (
    DRUG_V_CONTROL,
    DRUG_V_DRUG,
    EMPIRICAL_PRIORS,
    HalfCauchy,
    HalfNormal,
    TauPrior,
    Uniform,
)
from trial_evidence.pool.bayes.tau_posterior import FLAT, MeanPrior
from trial_evidence.pool.engine.heterogeneity import i2_from_tau2, q_profile
from trial_evidence.pool.engine.many import fit_stack
from trial_evidence.pool.engine.results import Refused, percent_weights
from trial_evidence.pool.engine.stacks import stack
from trial_evidence.pool.engine.tau2 import estimate_tau2
from trial_evidence.pool.models.binomial_normal import conditional_logistic, unconditional_logistic
from trial_evidence.pool.models.counts import Counts, mantel_haenszel, peto
from trial_evidence.pool.probes.influence import all_subsets, cumulative, influence, leave_one_out
from trial_evidence.pool.probes.meta_regression import meta_regression
from trial_evidence.pool.probes.selection_model import step_selection_model
from trial_evidence.pool.probes.small_study import egger, harbord, pet_peese, peters, trim_and_fill
from trial_evidence.pool.probes.subgroups import (
    interaction_within_trials,
    separate_subgroups,
    subgroup_test,
)

from reference import load

METAFOR, META, BAYESMETA = "metafor", "meta", "bayesmeta"
DIGITS, QUADRATURE = "50-digit arithmetic", "converged quadrature"
DIRECT = "quadrature in R"
INPUTS = load("all_inputs")
# Below this, differences are absolute: a relative one would only compare rounding errors.
NEAR_ZERO = 1e-8


@dataclass(frozen=True)
class Pair:
    """A number, or a row of numbers, from this project and from a reference.

    Attributes
    ----------
    quantity : str
        What is compared; with `reference`, a row of the table in docs/methods.md.
    reference : str
        Program or method that the other number is from.
    where : str
        Data set, method and field.
    ours, theirs : tuple of float
        Of equal length; NaN in `theirs` where the reference has none.
    unit : float or None
        What differences are measured in, where neither relative nor absolute ones say much: limits
        near zero in widths of their interval.
    """

    quantity: str
    reference: str
    where: str
    ours: tuple[float, ...]
    theirs: tuple[float, ...]
    unit: float | None = None

    @property
    def known(self) -> int:
        """Number of values in the reference."""
        return sum(not math.isnan(x) for x in self.theirs)

    @property
    def difference(self) -> float:
        """Largest difference: relative, absolute where the reference is below `NEAR_ZERO`.

        Infinite where ours is missing and theirs is not, or where only one is infinite.
        """
        return max(
            (_difference(a, b, self.unit) for a, b in zip(self.ours, self.theirs, strict=True)),
            default=0.0,
        )


def _difference(ours: float, theirs: float, unit: float | None) -> float:
    if math.isnan(theirs) or ours == theirs:
        return 0.0
    if not (math.isfinite(ours) and math.isfinite(theirs)):
        return math.inf
    return abs(ours - theirs) / (unit or (abs(theirs) if abs(theirs) > NEAR_ZERO else 1.0))


def _numbers(values: Any) -> tuple[float, ...]:
    """Numbers as R wrote them: null is NA, infinities are strings, a single number is a scalar."""
    if not isinstance(values, (list, tuple, np.ndarray)):
        values = [values]
    return tuple(math.nan if x is None else float(str(x).replace("Inf", "inf")) for x in values)


def pair(
    quantity: str, reference: str, where: str, ours: Any, theirs: Any, unit: float | None = None
) -> Pair:
    left, right = _numbers(ours), _numbers(theirs)
    if len(left) != len(right):
        raise ValueError(f"{where}: {len(left)} numbers against {len(right)}")
    return Pair(quantity, reference, where, left, right, unit)


def _effects(name: str) -> tuple[list[float], list[float]]:
    return INPUTS[name]["yi"], INPUTS[name]["vi"]


def _fields(
    quantity: str, reference: str, where: str, ours: Any, theirs: Mapping[str, Any],
    names: Mapping[str, str],
) -> Iterator[Pair]:  # fmt: skip
    """A pair for each attribute, keyed by its name in the reference."""
    for field, theirs_name in names.items():
        yield pair(
            quantity, reference, f"{where} {field}", getattr(ours, field), theirs[theirs_name]
        )


# ------------------------------------------------------------------------------ pooling by variance

TESTS = {
    "z": ("wald", "t_k_minus_{}"),
    "t": ("t", "t_k_minus_{}"),
    "knha": ("hartung_knapp", "hartung_knapp_k_minus_{}"),
    "adhoc": ("hartung_knapp_conservative", "conservative_k_minus_{}"),
}
CLOSED = ("EE", "DL", "HE", "SJ", "HS")


def estimators(name: str) -> Iterator[Pair]:
    """Every estimator of tau2 with every interval; prediction intervals; weights; Q; I2."""
    y, v = _effects(name)
    k = len(y)
    data = load_cached("all_metafor")[name]
    for method, fit in data["fits"].items():
        kind = "closed forms" if method in CLOSED else "REML, ML, PM, EB"
        where = f"{name} {method}"
        first = fit_stack(y, v, method=method)
        yield pair(f"mean: {kind}", METAFOR, where, first.estimate, fit["estimate"])
        yield pair(f"tau²: {kind}", METAFOR, where, first.tau2, fit["tau2"])
        if method == "EE":
            yield pair("Q, p(Q), I² from Q", METAFOR, where, [
                first.q[0], first.q_p[0], first.i2_q[0]], [
                fit["q"], fit["q_p"], fit["i2"]])  # fmt: skip
        else:
            yield pair(f"I² from tau²: {kind}", METAFOR, where, first.i2, fit["i2"])
        if k > 1:
            weights = percent_weights(1 / (np.array(v) + first.tau2[0]))
            yield pair(f"weights: {kind}", METAFOR, where, weights, fit["weights"])
        for test, (interval, prediction) in TESTS.items():
            se, low, high, p, *predictions = fit[test]
            ours = fit_stack(y, v, method=method, interval=interval)
            yield pair(f"se, limits, p: {kind}", METAFOR, f"{where} {test}", [
                ours.se[0], ours.ci_low[0], ours.ci_high[0], ours.p_value[0]], [
                se, low, high, p])  # fmt: skip
            if method == "EE" or k == 1:
                continue
            for lost, expected in ((1, predictions[:2]), (2, predictions[2:])):
                if k > lost:
                    ours = fit_stack(y, v, method=method, prediction=prediction.format(lost))
                    yield pair(
                        f"prediction intervals: {kind}", METAFOR, f"{where} {test} k-{lost}",
                        [ours.pi_low[0], ours.pi_high[0]], expected,
                    )  # fmt: skip
    for method, exact in data.get("exact_tau2", {}).items():
        found = estimate_tau2(stack(y, v), method)
        yield pair("tau² by DL, ML, REML, PM", DIGITS, f"{name} {method}", found, exact)
    for level, expected in data.get("q_profile", {}).items():
        whole = stack(y, v)
        limits = q_profile(whole, float(level))
        yield pair("Q-profile limits of tau², I² at them", METAFOR, f"{name} {level}%", [
            *(x[0] for x in limits), *(i2_from_tau2(whole, x)[0] for x in limits)], expected,
        )  # fmt: skip


def meta_intervals(name: str) -> Iterator[Pair]:
    """Intervals, tau2, I2 and prediction intervals by meta."""
    y, v = _effects(name)
    data = load_cached("all_meta")[name]
    kinds = {"classic|": "wald", "HK|": "hartung_knapp", "HK|se": "hartung_knapp_conservative"}
    for key, (mean, se, low, high, p, tau2, *_, i2, q) in data["ci"].items():
        method, kind = key.split("|", 1)
        ours = fit_stack(y, v, method=method, interval=kinds[kind])
        yield pair(f"mean, tau², se, limits, p: {method}", META, f"{name} {key}", [
            ours.estimate[0], ours.tau2[0], ours.se[0], ours.ci_low[0], ours.ci_high[0],
            ours.p_value[0]], [mean, tau2, se, low, high, p])  # fmt: skip
        yield pair("Q, I² from Q", META, f"{name} {key}", [ours.q[0], ours.i2_q[0] / 100], [q, i2])
    names = {"V": "t_k_minus_1", "HTS": "t_k_minus_2", "HK": "hartung_knapp_k_minus_1",
             "HK-PR": "hartung_knapp_k_minus_2"}  # fmt: skip
    for key, expected in data["predict"].items():
        method, kind = key.split("|")
        ours = fit_stack(y, v, method=method, prediction=names[kind])
        yield pair(f"prediction intervals: {method}", META, f"{name} {key}", [
            ours.pi_low[0], ours.pi_high[0]], expected)  # fmt: skip


# --------------------------------------------------------------------------------------- one by one

DELETED = {
    "hat": "hat", "rstudent": "rstudent", "dffits": "dffits", "cook_distance": "cook_d",
    "covariance_ratio": "cov_r", "tau2_deleted": "tau2_del", "q_deleted": "QE_del",
}  # fmt: skip
REFITTED = {"estimate": "estimate", "se": "se", "p_value": "pval", "ci_low": "ci_lb",
            "ci_high": "ci_ub", "q": "Q", "q_p": "Qp", "tau2": "tau2"}  # fmt: skip


def deletion(name: str) -> Iterator[Pair]:
    """Leave-one-out, cumulative, influence, Baujat, all subsets."""
    y, v = _effects(name)
    data = load_cached("all_metafor")[name]
    kinds = {"z": "wald", "knha": "hartung_knapp"}
    for kind, function in (("leave1out", leave_one_out), ("cumul", cumulative)):
        for key, theirs in data[kind].items():
            method, test = key.split("_")
            fit = function(y, v, method=method, interval=kinds[test])
            known = {a: b for a, b in REFITTED.items() if theirs[b] is not None}
            quantity = f"leave-one-out, cumulative: {method}"
            yield from _fields(quantity, METAFOR, f"{name} {kind} {key}", fit, theirs, known)
            i2 = fit.i2_q if method == "EE" else fit.i2
            yield pair(quantity, METAFOR, f"{name} {kind} {key} i2", i2, theirs["I2"])
    for method, theirs in data["influence"].items():
        ours = influence(y, v, method=method)
        quantity = f"influence, Baujat: {method}"
        yield from _fields(quantity, METAFOR, f"{name} {method}", ours, theirs, DELETED)
        yield from _fields(
            quantity, METAFOR, f"{name} {method}", ours, data["baujat"][method],
            {"baujat_x": "x", "baujat_y": "y"},
        )  # fmt: skip
    for method in ("EE", "DL"):
        if f"gosh_{method}" not in data:
            continue
        (found, _), theirs = all_subsets(y, v, method=method), data[f"gosh_{method}"]
        middle = np.quantile(found.estimate, [0.25, 0.5, 0.75])
        fields = ("n", "mean_est", "min_est", "max_est", "q25", "q50", "q75")
        yield pair(f"all subsets: {method}", METAFOR, name, [
            found.estimate.size, found.estimate.mean(), found.estimate.min(),
            found.estimate.max(), *middle], [theirs[f] for f in fields])  # fmt: skip
        if method == "DL":
            yield pair("all subsets: DL", METAFOR, name, found.tau2.mean(), theirs["mean_tau2"])
        else:
            yield pair("all subsets: EE", METAFOR, name, found.i2_q.mean(), theirs["mean_I2"])


# --------------------------------------------------------------------------- small-study effects

LINE = {"statistic": "stat", "p_value": "pval", "limit": "limit_est", "limit_low": "limit_lb",
        "limit_high": "limit_ub"}  # fmt: skip


def small_studies(name: str) -> Iterator[Pair]:
    """Egger, PET-PEESE, trim-and-fill, selection."""
    y, v = _effects(name)
    data = load_cached("all_metafor")[name]
    theirs = data["regtest"].get("lm_sei")
    if theirs is not None and theirs.get("stat") is not None:
        ours = egger(y, v, forced=True)
        yield from _fields("Egger", METAFOR, name, ours, theirs, LINE)
        yield pair("Egger", METAFOR, f"{name} slope", ours.slope, theirs["coef"][1])
    theirs, ours = data["pet_peese"], pet_peese(y, v, forced=True)
    if not isinstance(ours, Refused):
        yield pair("PET, PEESE", METAFOR, name, [
            ours.pet.limit, ours.pet.limit_se, ours.pet.slope, ours.peese.limit,
            ours.peese.limit_se], [
            theirs[f] for f in ("pet_est", "pet_se", "pet_slope", "peese_est", "peese_se")],
        )  # fmt: skip
    for key, theirs in data["trimfill"].items():
        method, estimator, side = key.split("_")
        if estimator == "R0" and len(set(y)) < len(y):
            # metafor chooses by row order which of two trials with equal effects is mirrored.
            continue
        filled = trim_and_fill(
            y, v, estimator=estimator, side=side, method=method, interval="wald", forced=True
        )
        quantity = f"trim-and-fill: {method}"
        yield pair(quantity, METAFOR, f"{name} {key}", [
            filled.missing, filled.missing_se, int(filled.side == "left"), filled.estimate,
            filled.se, filled.ci_low, filled.ci_high, filled.tau2, *sorted(filled.filled_yi)], [
            *(theirs[f] for f in ("k0", "se_k0")), int(theirs["side"] == "left"),
            *(theirs[f] for f in ("beta", "se", "ci_lb", "ci_ub", "tau2")),
            *sorted(_numbers(theirs["filled_yi"]))])  # fmt: skip


def selection(name: str) -> Iterator[Pair]:
    """Step-function selection models."""
    y, v = _effects(name)
    for key, theirs in load_cached("all_metafor")[name]["selmodel"].items():
        *steps, favoured = key.split("_")[1:]
        model = step_selection_model(
            y, v, favoured=favoured, steps=[float(p) for p in steps], forced=True
        )
        where = f"{name} {key}"
        if isinstance(model, Refused):
            # metafor keeps the relative selection probability of an empty interval at the bound.
            continue
        yield pair("selection model: mean, tau², selection", METAFOR, where, [
            model.estimate, model.tau2, *model.selection], [
            theirs["beta"], theirs["tau2"], *theirs["delta"]])  # fmt: skip
        yield pair("selection model: se", METAFOR, where, model.se, theirs["se"])
        yield pair("selection model: test", METAFOR, where, [model.statistic, model.p_value], [
            theirs["LRT"], theirs["LRTp"]])  # fmt: skip


def meta_bias(name: str) -> Iterator[Pair]:
    """Harbord, Peters and Egger by meta."""
    y, v = _effects(name)
    for key, theirs in load_cached("all_meta")[name]["metabias"].items():
        if theirs["stat"] is None or theirs["bias"] is None:
            continue
        if key in ("Harbord", "Peters"):
            line = {"Harbord": harbord, "Peters": peters}[key](_counts(name), forced=True)
        elif key == "Egger":
            line = egger(y, v, forced=True)
        else:
            continue
        yield pair(f"{key}", META, name, [
            line.statistic, line.p_value, line.slope, line.slope_se, line.limit, line.limit_se,
            line.df], [theirs.get(f) for f in (
                "stat", "pval", "bias", "se_bias", "intercept", "se_intercept", "df")],
        )  # fmt: skip


# ------------------------------------------------------------------------------------------- counts

MEASURES = {"RR": "risk_ratio", "OR": "odds_ratio", "RD": "risk_difference", "PETO": "odds_ratio"}
EFFECTS = {"RR": risk_ratio, "OR": odds_ratio, "RD": risk_difference}
POOLED = {"estimate": "beta", "se": "se", "p_value": "pval", "ci_low": "ci_lb", "ci_high": "ci_ub"}


def _counts(name: str, measure: str = "odds_ratio") -> Counts:
    table = INPUTS[name]["table"]
    return Counts(*(table[key] for key in ("ai", "n1i", "ci", "n2i")), measure)


def counts(name: str) -> Iterator[Pair]:
    """Effect sizes, Mantel-Haenszel, Peto, logistic regression."""
    data, given = load_cached("all_metafor")[name], INPUTS[name]
    measure = given["measure"]
    if "escalc_only0" in data:
        sets = _counts(name, MEASURES[measure])
        ours = EFFECTS[measure](sets.events_e, sets.n_e, sets.events_c, sets.n_c)
        yield from _fields("effects of two-by-two tables", METAFOR, name, ours,
                           data["escalc_only0"], {"yi": "yi", "vi": "vi"})  # fmt: skip
        pooled, theirs = mantel_haenszel(sets), data["mh"]
        yield from _fields("Mantel-Haenszel", METAFOR, name, pooled, theirs, POOLED)
        yield pair("Mantel-Haenszel", METAFOR, f"{name} Q", [pooled.q, pooled.q_p, pooled.i2_q], [
            theirs["QE"], theirs["QEp"], theirs["I2"]])  # fmt: skip
    if "peto" in data:
        pooled, theirs = peto(_counts(name)), data["peto"]
        yield from _fields("Peto", METAFOR, name, pooled, theirs, POOLED)
        yield pair("Peto", METAFOR, f"{name} Q", [pooled.q, pooled.q_p, pooled.i2_q], [
            theirs["QE"], theirs["QEp"], theirs["I2"]])  # fmt: skip
    functions: dict[str, Callable[..., Any]] = {
        "UM.FS": unconditional_logistic,
        "CM.EL": conditional_logistic,
        "CM.AL": lambda c, **given: conditional_logistic(c, approximate=True, **given),
    }
    for key, theirs in data.get("glmm", {}).items():
        model, kind = key.rsplit("_", 1)
        if model == "PLO":
            continue
        fit = functions[model](_counts(name), common=kind == "EE")
        yield pair(f"logistic regression: {model}", DIRECT, f"{name} {key}", [
            fit.estimate, fit.se, fit.tau2 or 0.0], [
            theirs[f] for f in ("beta", "se", "tau2")])  # fmt: skip
    if measure == "PLO":
        ours = logit_proportion(given["table"]["xi"], given["table"]["ni"])
        yield pair("effects of proportions", METAFOR, name, [*ours.yi, *ours.vi], [
            *given["yi"], *given["vi"]])  # fmt: skip


def meta_counts(name: str) -> Iterator[Pair]:
    """metabin and metaprop."""
    data, given = load_cached("all_meta")[name], INPUTS[name]
    sums = {"estimate": "TE_common", "se": "se_common", "ci_low": "lb_common",
            "ci_high": "ub_common", "p_value": "p_common"}  # fmt: skip
    for key, theirs in data.get("metabin", {}).items():
        where, measure = f"{name} {key}", MEASURES[given["measure"]]
        known = {ours: theirs_name for ours, theirs_name in sums.items() if theirs_name in theirs}
        if key == "MH|exact":
            pooled = mantel_haenszel(_counts(name, measure))
            yield from _fields("Mantel-Haenszel", META, where, pooled, theirs, known)
        elif key == "Peto|only0":
            yield from _fields("Peto", META, where, peto(_counts(name)), theirs, known)
        elif key == "Inverse|only0" and given["measure"] in EFFECTS:
            fit = fit_stack(*_effects(name), method="DL", interval="wald",
                            prediction="t_k_minus_1")  # fmt: skip
            yield pair("inverse variance of counts, DL", META, where, [
                fit.estimate[0], fit.se[0], fit.tau2[0], fit.pi_low[0], fit.pi_high[0], fit.q[0]], [
                theirs[f] for f in ("TE_random", "se_random", "tau2", "lb_predict", "ub_predict",
                                    "Q")])  # fmt: skip
    for key, theirs in data.get("metaprop", {}).items():
        scale, method = key.split("|")
        if scale != "PLOGIT":
            continue
        where = f"{name} {key}"
        on_scale = _effects(name.split("__")[0] + "__PLO")
        found = fit_stack(*on_scale, method=method, interval="wald", prediction="t_k_minus_1")
        yield pair(f"proportions: {method}", META, where, [
            found.estimate[0], found.se[0], found.tau2[0], found.q[0], found.pi_low[0],
            found.pi_high[0]], [theirs[f] for f in (
                "TE_random", "se_random", "tau2", "Q", "lb_predict", "ub_predict")],
        )  # fmt: skip
        limits = np.array([found.estimate[0], found.ci_low[0], found.ci_high[0]])
        back = 1 / (1 + np.exp(-limits))
        yield pair(f"proportions, back-transformed: {method}", META, where, back, [
            theirs[f] for f in ("bt_random", "bt_lb", "bt_ub")])  # fmt: skip
    if "prop_ci" in data:
        theirs = data["prop_ci"]
        limits = 1 / (1 + np.exp(-np.array(_numbers([*theirs["lower"], *theirs["upper"]]))))
        ours = np.concatenate(wilson_interval(given["table"]["xi"], given["table"]["ni"]))
        yield pair("Wilson's interval", META, name, ours, limits)


# ------------------------------------------------------------------------- covariates and subgroups


def _covariates(values: Sequence[Any]) -> dict[str, list[float]]:
    """Numbers unchanged; factors as one dummy column per level after the first, as R codes them."""
    if all(isinstance(x, (int, float)) for x in values):
        return {"x": [float(x) for x in values]}
    levels = sorted(set(values))
    return {f"x{level}": [float(x == level) for x in values] for level in levels[1:]}


def regressions(name: str) -> Iterator[Pair]:
    """Meta-regression on numbers and on groups; subgroups with one tau2 and with separate ones."""
    y, v = _effects(name)
    data = load_cached("all_metafor")[name]
    intervals = {"z": "wald", "knha": "hartung_knapp"}
    for key, theirs in data["metareg"].items():
        covariate, method, test = key.split("|")
        columns = _covariates(data["mods"][covariate])
        fit = meta_regression(y, v, columns, method=method, interval=intervals[test], forced=True)
        if isinstance(fit, Refused):
            raise AssertionError(fit.reason)
        quantity, where = f"meta-regression: {method}", f"{name} {key}"
        names = {"coefficients": "beta", "se": "se", "ci_low": "ci_lb", "ci_high": "ci_ub",
                 "p_value": "pval", "tau2": "tau2", "q_residual": "QE", "q_residual_p": "QEp",
                 "statistic": "QM", "statistic_p": "QMp"}  # fmt: skip
        yield from _fields(quantity, METAFOR, where, fit, theirs, names)
        if method != "EE":
            # Without heterogeneity to explain, R2 is undefined here and zero in metafor.
            r2 = None if fit.r2 is None else theirs["R2"]
            yield pair(quantity, METAFOR, f"{where} r2", fit.r2, r2)
        if method == "REML" and len(columns) > 1 and test == "knha":
            # The floored factor is Hartung and Knapp's but at least 1, so F is the smaller value.
            floored = min(theirs["QM"], data["metareg"][f"{covariate}|REML|z"]["QM"] / len(columns))
            found = subgroup_test(y, v, data["mods"][covariate])
            yield pair("between subgroups, common tau²: F", METAFOR, where, found.statistic,
                        floored)  # fmt: skip


def separate(name: str) -> Iterator[Pair]:
    """Subgroups with separate tau2, REML."""
    y, v = _effects(name)
    for test, theirs in load_cached("all_metafor")[name]["subgroup_separate"].items():
        found = separate_subgroups(y, v, INPUTS[name]["group"], interval=TESTS[test][0])
        yield pair("between subgroups, separate tau²: REML", METAFOR, f"{name} {test}", [
            *found.fit.estimate, *found.fit.se, *found.fit.tau2, found.statistic, found.p_value], [
            *theirs["TE"], *theirs["se"], *theirs["tau2"], theirs["Q"], theirs["Qp"]],
        )  # fmt: skip


def meta_subgroups(name: str) -> Iterator[Pair]:
    """Subgroups by meta, tau2 separate and common."""
    y, v = _effects(name)
    groups = INPUTS[name]["group"]
    for key, theirs in load_cached("all_meta")[name]["subgroup"].items():
        _, method, kind, ci = key.split("|")
        where, order = f"{name} {key}", np.argsort(theirs["levels"])
        if kind == "tau.separate":
            interval = {"classic": "wald", "HK": "hartung_knapp"}[ci]
            found = separate_subgroups(y, v, groups, method=method, interval=interval)
            yield pair(f"between subgroups, separate tau²: {method}", META, where, [
                *found.fit.estimate, *found.fit.se, *found.fit.tau2, found.statistic,
                found.p_value], [
                *np.array(theirs["TE"])[order], *np.array(theirs["se"])[order],
                *[np.nan if x is None else x for x in np.array(theirs["tau2"])[order]],
                theirs["Qb_random"], theirs["Qb_p"]])  # fmt: skip
        elif ci == "classic":
            columns = _covariates(groups)
            fit = meta_regression(y, v, columns, method=method, interval="wald", forced=True)
            corners = np.vstack([np.zeros(len(columns)), np.eye(len(columns))])
            means, low, high = fit.predict(**dict(zip(columns, corners.T, strict=True)))
            yield pair(f"between subgroups, common tau²: {method}", META, where, [
                *means, *low, *high, fit.statistic, fit.statistic_p], [
                *(x for f in ("TE", "lb", "ub") for x in np.array(theirs[f])[order]),
                theirs["Qb_random"], theirs["Qb_p"]])  # fmt: skip


def within_trials(name: str) -> Iterator[Pair]:
    """Within-trial interactions, pooled."""
    data = load_cached("within_trials")[name]
    given = data["data"]
    positive, negative = (
        (given[f"lhr_{side}"], np.array(given[f"se_{side}"]) ** 2) for side in ("pos", "neg")
    )
    yi, vi = interaction_within_trials(*negative, *positive)
    yield pair("interactions within trials", METAFOR, name, [*yi, *vi], [
        *given["int"], *given["vint"]])  # fmt: skip
    for key, effects, method, interval in (
        ("deft_REML", (yi, vi), "REML", "wald"), ("deft_EE", (yi, vi), "EE", "wald"),
        ("deft_REML_knha", (yi, vi), "REML", "hartung_knapp"),
        ("daft_pos", positive, "REML", "wald"), ("daft_neg", negative, "REML", "wald"),
    ):  # fmt: skip
        fit, theirs = fit_stack(*effects, method=method, interval=interval), data[key]
        yield pair("interactions within trials", METAFOR, f"{name} {key}", [
            fit.estimate[0], fit.se[0], fit.p_value[0], fit.ci_low[0], fit.ci_high[0], fit.tau2[0],
            fit.q[0], fit.q_p[0]], [theirs[f] for f in (
                "beta", "se", "pval", "ci_lb", "ci_ub", "tau2", "QE", "QEp")],
        )  # fmt: skip


# ----------------------------------------------------------------------------------------- Bayesian

PRIORS: dict[str, TauPrior] = {
    "halfnormal_0.25": HalfNormal(0.25),
    "halfnormal_0.5": HalfNormal(0.5),
    "halfnormal_1.0": HalfNormal(1.0),
    "halfcauchy_0.3": HalfCauchy(0.3),
    "halfcauchy_0.5": HalfCauchy(0.5),
    "uniform_0_4": Uniform(4.0),
    "turner_mortality_pharma_placebo": EMPIRICAL_PRIORS["all-cause mortality", DRUG_V_CONTROL],
    "turner_semiobjective_pharma_pharma": EMPIRICAL_PRIORS[
        "cause-specific mortality or major morbidity", DRUG_V_DRUG
    ],
}
EXACT = {"mean": "mu_mean", "sd": "mu_sd", "median": "mu_median", "central_low": "mu_lb95",
         "central_high": "mu_ub95", "probability_below_zero": "p_mu_lt0",
         "pi_central_low": "new_lb95", "pi_central_high": "new_ub95",
         "new_trial_below_zero": "p_new_lt0", "tau_mean": "tau_mean",
         "shrinkage_mean": "shrinkage_mean", "shrinkage_sd": "shrinkage_sd"}  # fmt: skip
QUANTILES = {"median": "mu_median", "central_low": "mu_lb95", "central_high": "mu_ub95",
             "pi_central_low": "new_lb95", "pi_central_high": "new_ub95",
             "probability_below_zero": "p_mu_lt0"}  # fmt: skip


def bayes(name: str) -> Iterator[Pair]:
    """Posteriors under every prior, one at a time and stacked."""
    y, v = _effects(name)
    data = load_cached("all_bayes")[name]
    for key, theirs in data["exact"].items():
        tau, mean = key.split("|")
        prior, mean_prior = PRIORS[tau], FLAT if mean == "flat" else MeanPrior(0.0, 2.0)
        ours = posterior(y, v, prior, mean_prior=mean_prior)
        where = f"{name} {key}"
        exact = {a: b for a, b in EXACT.items() if math.isfinite(np.sum(getattr(ours, a)))}
        yield from _fields("posterior", QUADRATURE, where, ours, theirs, exact)
        many = posterior_stack(y, v, prior, mean_prior=mean_prior)
        yield from _fields("posterior, stacked", QUADRATURE, where, many, theirs, QUANTILES)
        other = data["bayesmeta"][key]
        for quantity, low, high, which in (
            ("shortest interval: mean", ours.ci_low, ours.ci_high, "mu"),
            ("shortest interval: new trial", ours.pi_low, ours.pi_high, "theta"),
            ("shortest interval: tau", ours.tau_low, ours.tau_high, "tau"),
        ):
            ends = other["shortest"][which]
            yield pair(quantity, BAYESMETA, where, [low, high], ends, unit=ends[1] - ends[0])
        yield pair("median of tau", BAYESMETA, where, ours.tau_median, other["tau"]["median"])


# --------------------------------------------------------------------------------------- everything


@cache
def load_cached(name: str) -> dict[str, Any]:
    """Data sets of a reference file, read once."""
    return load(name)


def _having(file: str, *fields: str) -> tuple[str, ...]:
    return tuple(n for n, data in load_cached(file).items() if any(f in data for f in fields))


FAMILIES: dict[str, tuple[Callable[[str], Iterator[Pair]], tuple[str, ...]]] = {
    "estimators": (estimators, _having("all_metafor", "fits")),
    "meta_intervals": (meta_intervals, _having("all_meta", "ci")),
    "deletion": (deletion, _having("all_metafor", "leave1out")),
    "small_studies": (small_studies, _having("all_metafor", "regtest")),
    "selection": (selection, _having("all_metafor", "selmodel")),
    "meta_bias": (meta_bias, _having("all_meta", "metabias")),
    "counts": (counts, _having("all_metafor", "escalc_only0", "peto", "glmm", "pft_back")),
    "meta_counts": (meta_counts, _having("all_meta", "metabin", "metaprop")),
    "regressions": (regressions, _having("all_metafor", "metareg")),
    "separate": (separate, _having("all_metafor", "subgroup_separate")),
    "meta_subgroups": (meta_subgroups, _having("all_meta", "subgroup")),
    "within_trials": (within_trials, _having("within_trials", "data")),
    "bayes": (bayes, _having("all_bayes", "exact")),
}
