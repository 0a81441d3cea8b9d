"""The trials that an analysis pools for one measure: the input of sensitivity analyses."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from trial_evidence.config.configuration import Analysis, Configuration
from trial_evidence.config.methods import Pooling
from trial_evidence.files import records
from trial_evidence.measures import MEASURES, Measure
from trial_evidence.pool.bayes.posterior import Posterior, Summary, posterior_stack
from trial_evidence.pool.bayes.priors import HalfNormal, Priors, model_priors
from trial_evidence.pool.engine.many import FitChoices, fit_stack
from trial_evidence.pool.engine.results import Floats, Refused
from trial_evidence.pool.estimates import published_limits
from trial_evidence.pool.models.counts import Counts, counts_of
from trial_evidence.pool.models.leading import Lead, leading_model
from trial_evidence.pool.probes.further_trial import Pools
from trial_evidence.pool.shown import in_order
from trial_evidence.sheet.values import ALL
from trial_evidence.words.models import CAUTIOUS, EMPIRICAL

BEGINNING = ("setting", "analysis", "measure")
MEAN = ("estimate", "ci_low", "ci_high")
NEW_TRIAL = ("pi_low", "pi_high")
# With more trials, recomputing without each of them takes quadratic time, and no single trial is
# decisive.
MANY = 200
NOT_ODDS = Refused("Defined for odds ratios only.")


@dataclass(frozen=True, kw_only=True)
class Pooled:
    """Trials pooled for one measure, and how they are pooled.

    Attributes
    ----------
    measure : str
        The measure that is pooled.
    rows : DataFrame
        The pooled trials, one row per trial.
    level : float
        Level of the intervals in percent.
    priors : mapping of str to TauPrior
        Bayesian model -> its prior of tau, on the analysis scale; the leading one first.
    pooling : Pooling
        The random-effects model that is reported, and which model leads.
    """

    measure: str
    rows: pd.DataFrame
    level: float
    priors: Priors
    pooling: Pooling

    @property
    def k(self) -> int:
        """Number of trials."""
        return len(self.rows)

    @property
    def yi(self) -> Floats:
        """Effects on the analysis scale, shape (k,)."""
        return self.rows["yi"].to_numpy(float)

    @property
    def vi(self) -> Floats:
        """Their sampling variances, shape (k,)."""
        return self.rows["vi"].to_numpy(float)

    @property
    def reading(self) -> Measure:
        """How the measure is pooled, and which direction is a benefit."""
        return MEASURES[self.measure]

    @property
    def choices(self) -> FitChoices:
        """The random-effects model that is reported, as arguments of ``fit_stack``."""
        return {
            "method": self.pooling.tau2_estimator,
            "interval": self.pooling.estimate_interval,
            "prediction": self.pooling.prediction_interval,
            "level": self.level,
        }

    def lead(self, k: int) -> Lead:
        """The model that leads for k of the trials."""
        return leading_model(k, self.pooling, empirical=EMPIRICAL in self.priors)

    def refit(self, yi: Floats, vi: Floats) -> Pools:
        """Pool sets of trials by the model that leads for all; a single trial keeps its own result.

        A change of model with the number of trials would be mistaken for the influence of the
        trials.
        """
        choices, prior = self.choices, self.priors.get(self.lead(self.k).model)
        # Of the results of a Bayesian model, only those of single trials do not have a posterior.
        method = choices["method"] if prior is None else "EE"
        fit = fit_stack(yi, vi, method=method, interval=choices["interval"], level=self.level)
        found = Pools(fit.estimate, fit.ci_low, fit.ci_high, fit.tau2)
        for at in np.flatnonzero(fit.k == 1).tolist():
            # A limit printed as exactly no effect may be slightly off it when recomputed.
            own = (self.yi == np.nansum(yi[:, at])) & (self.vi == np.nansum(vi[:, at]))
            limits = self.published(int(np.argmax(own))) if own.any() else {}
            for name, limit in limits.items():
                getattr(found, name)[at] = float(self.reading.scale.to_analysis(limit))
        many = fit.k > 1
        if prior is None or not many.any():
            return found
        bayes = posterior_stack(yi[:, many], vi[:, many], prior, self.level, prediction=False)
        for own, its in zip(
            found, (bayes.median, bayes.ci_low, bayes.ci_high, bayes.tau_median**2), strict=True
        ):
            own[many] = its
        return found

    def published(self, at: int) -> dict[str, float]:
        """The limits printed in the source of a trial; see `published_limits`."""
        return published_limits(records(self.rows.iloc[[at]])[0], self.level)

    def natural(self, value: float | None) -> float:
        """A value on the analysis scale converted to the natural scale; NaN if missing."""
        return float("nan") if value is None else float(self.reading.scale.to_natural(value))


@dataclass(frozen=True, kw_only=True)
class Comparison(Pooled):
    """Trials pooled by one analysis for one of its measures, all patients only.

    Attributes
    ----------
    listed : tuple of str
        Trials as the forest plot lists them, those that are not pooled among them, by id.
    """

    analysis: Analysis
    listed: tuple[str, ...] = ()

    @property
    def cautious_scale(self) -> float:
        """Scale of the half-normal prior on tau."""
        prior = self.priors[CAUTIOUS]
        assert isinstance(prior, HalfNormal), "the cautious prior is half-normal"
        return prior.scale

    @property
    def counts(self) -> Counts | None:
        """Two-by-two tables, if the measure is based on counts."""
        return counts_of(self.rows, self.measure)

    @property
    def null(self) -> str:
        """The value of no difference as printed: 1 for ratios, 0 for differences."""
        return f"{self.natural(0.0):g}"

    def naturals(
        self, result: object, names: Iterable[str] = (*MEAN, *NEW_TRIAL), at: int | None = None
    ) -> dict[str, float]:
        """Fields of a result on the natural scale; for a stack, those at one index."""
        values = {name: getattr(result, name) for name in names}
        return {n: self.natural(v if at is None else v[at]) for n, v in values.items()}

    def bayesian(
        self, found: Posterior | Summary[Floats], model: str = CAUTIOUS, at: int | None = None
    ) -> dict[str, str | float]:
        """A posterior as a record, on the natural scale; for a stack, that at one index."""
        values = (vars(found)[name] for name in ("median", "tau_median"))
        median, tau = (value if at is None else value[at] for value in values)
        return {
            "model": model,
            "estimate": self.natural(median),
            **self.naturals(found, ("ci_low", "ci_high", *NEW_TRIAL), at),
            "tau2": tau**2,
        }

    def benefit(self, below_zero: float) -> float:
        """Probability of benefit from the probability of an effect below zero."""
        return below_zero if self.analysis.fewer_is_better else 1 - below_zero

    def frame(self) -> dict[str, Any]:
        """Columns that identify the comparison in every row of a table, if the table has them."""
        return {
            "setting": self.analysis.setting,
            "analysis": self.analysis.id,
            "measure": self.measure,
            "k": self.k,
            "ci_level": self.level,
        }


def pooled_analyses(configuration: Configuration, setting: str) -> tuple[Analysis, ...]:
    """Analyses that pool all their trials, in the order of the configuration."""
    return tuple(a for a in configuration.of_setting(setting) if a.pool == "overall")


def by_measure(
    configuration: Configuration, analyses: Iterable[Analysis], rows: pd.DataFrame
) -> Iterator[Comparison]:
    """Split rows of the evidence into comparisons: every measure of these analyses."""
    for analysis in analyses:
        for measure in analysis.measures:
            own = rows[(rows["analysis"] == analysis.id) & (rows["measure"] == measure)]
            yield Comparison(
                analysis=analysis,
                measure=measure,
                rows=own.reset_index(drop=True),
                level=configuration.confidence_level,
                priors=model_priors(configuration.tau_priors[measure]),
                pooling=configuration.own(analysis).pooling,
            )


def comparisons(
    configuration: Configuration, setting: str, trials: pd.DataFrame
) -> tuple[Comparison, ...]:
    """The comparisons to examine: every measure of a pooled analysis with two or more trials.

    Parameters
    ----------
    trials : DataFrame
        Columns ``trial_evidence.extract.columns.USED_COLUMNS``.
    """
    whole = trials[trials["subgroup"] == ALL]
    pooled = whole[whole["pooled"] == "yes"]
    found = by_measure(configuration, pooled_analyses(configuration, setting), pooled)
    return tuple(replace(c, listed=_listed(c, whole)) for c in found if c.k >= 2)


def _listed(c: Comparison, trials: pd.DataFrame) -> tuple[str, ...]:
    own = trials[(trials["analysis"] == c.analysis.id) & (trials["measure"] == c.measure)]
    groups = own.groupby(c.analysis.subgroups, sort=False)
    order = c.analysis.figure.order
    return tuple(trial for _, group in groups for trial in in_order(group, order)["trial_id"])


def table(
    comparisons: Iterable[Comparison],
    columns: list[str],
    examined: Callable[[Comparison], Iterable[dict[str, Any]]],
) -> pd.DataFrame:
    """The records of all comparisons, one row each, with the columns that identify the comparison.

    Raises
    ------
    KeyError
        If a record has a column that is not in `columns`, which is a programming error.
    """
    found = [(c.frame(), record) for c in comparisons for record in examined(c)]
    unknown = {name for _, record in found for name in record} - set(columns)
    if unknown:
        raise KeyError(f"not columns of the table: {', '.join(sorted(unknown))}")
    rows = pd.DataFrame([frame | record for frame, record in found], columns=columns)
    return rows.astype({c: "Int64" for c in ("k", "df", "df_num", "df_den") if c in columns})
