"use strict";

// The models of the pool stage for one set of trials, with the same formulas: see docs/methods.md.
// Effects and variances are on the analysis scale (log ratio, difference, logit).
const Statistics = (() => {
  const EPSILON = Number.EPSILON;
  const SMALL_STEP = 1e-8;
  const ROOT_TWO_PI = Math.sqrt(2 * Math.PI);

  const sum = (values) => values.reduce((total, value) => total + value, 0);
  const least = (values) => values.reduce((a, b) => Math.min(a, b), Infinity);
  const most = (values) => values.reduce((a, b) => Math.max(a, b), -Infinity);

  // ------------------------------------------------------------------------------ distributions

  // Stirling's series with its Bernoulli terms is exact to rounding from 15 upwards.
  function logGamma(x) {
    let shift = 0;
    let z = x;
    while (z < 15) {
      shift += Math.log(z);
      z += 1;
    }
    const r = 1 / (z * z);
    const series =
      (1 / 12 - r * (1 / 360 - r * (1 / 1260 - r * (1 / 1680 - r * (1 / 1188 - r * (691 / 360360)))))) / z;
    return (z - 0.5) * Math.log(z) - z + 0.5 * Math.log(2 * Math.PI) + series - shift;
  }

  // Continued fraction by Lentz's method; `term(n)` gives the n-th numerator and denominator.
  function continuedFraction(start, term) {
    const tiny = 1e-300;
    let value = start || tiny;
    let c = value;
    let d = 0;
    for (let n = 1; n < 5000; n += 1) {
      const [a, b] = term(n);
      d = b + a * d || tiny;
      c = b + a / c || tiny;
      d = 1 / d;
      const change = c * d;
      value *= change;
      if (Math.abs(change - 1) < EPSILON) return value;
    }
    throw new Error("a continued fraction does not converge");
  }

  // Regularised incomplete beta function; `rest` is 1 - x, passed separately to avoid cancellation.
  function incompleteBeta(x, rest, a, b) {
    if (x <= 0) return 0;
    if (rest <= 0) return 1;
    if (x > (a + 1) / (a + b + 2)) return 1 - incompleteBeta(rest, x, b, a);
    const front = Math.exp(
      a * Math.log(x) + b * Math.log(rest) + logGamma(a + b) - logGamma(a) - logGamma(b),
    );
    const fraction = continuedFraction(1, (n) => {
      const m = Math.floor(n / 2);
      const even = (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m));
      const odd = (-(a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1));
      return [n % 2 === 0 ? even : odd, 1];
    });
    return front / (a * fraction);
  }

  // Regularised upper incomplete gamma function.
  function gammaTail(a, x) {
    if (x <= 0) return 1;
    if (x === Infinity) return 0;
    const front = Math.exp(a * Math.log(x) - x - logGamma(a));
    if (x < a + 1) {
      let term = 1 / a;
      let total = term;
      for (let n = 1; term > total * EPSILON * 0.1; n += 1) {
        term *= x / (a + n);
        total += term;
      }
      return 1 - front * total;
    }
    return front / continuedFraction(x + 1 - a, (n) => [-n * (n - a), x + 2 * n + 1 - a]);
  }

  const chiSquareTail = (q, df) => gammaTail(df / 2, q / 2);
  const normalDensity = (z) => Math.exp(-0.5 * z * z) / ROOT_TWO_PI;

  function normalBelow(z) {
    const tail = 0.5 * gammaTail(0.5, 0.5 * z * z);
    return z < 0 ? tail : 1 - tail;
  }

  // Probability of a t above a positive value.
  function tTail(t, df) {
    const square = t * t;
    return 0.5 * incompleteBeta(df / (df + square), square / (df + square), df / 2, 0.5);
  }

  const tDensity = (t, df) =>
    Math.exp(
      logGamma((df + 1) / 2) - logGamma(df / 2) - 0.5 * Math.log(df * Math.PI)
        - ((df + 1) / 2) * Math.log1p((t * t) / df),
    );

  // Root of a decreasing function: Newton's method within a bracket. The error after a step is about
  // the square of the step, so a tolerance above rounding error still gives full precision.
  function fallingRoot(valueAndSlope, bottom, top, start, tolerance = EPSILON) {
    let [low, high, x] = [bottom, top, start];
    let before = high - low;
    for (let n = 0; n < 2000; n += 1) {
      const [value, slope] = valueAndSlope(x);
      if (Number.isNaN(value)) throw new Error("a function whose root is sought is not a number");
      if (value === 0) return x;
      if (value > 0) low = x;
      else high = x;
      const step = -value / slope;
      const newton = x + step >= low && x + step <= high && 2 * Math.abs(step) <= Math.abs(before);
      const next = newton ? x + step : low + (high - low) / 2;
      if (Math.abs(next - x) <= (newton ? tolerance : EPSILON) * Math.abs(next)) return next;
      if (high - low <= 2 * EPSILON * Math.max(Math.abs(low), Math.abs(high))) return next;
      before = next - x;
      x = next;
    }
    throw new Error("a bracket does not close");
  }

  // Quantiles for p above one half, solved in the upper tail for precision.
  function upperQuantile(p, tail, density) {
    let high = 1;
    while (tail(high) > 1 - p) high *= 2;
    return fallingRoot((x) => [tail(x) - (1 - p), -density(x)], 0, high, high / 2);
  }

  const tQuantile = (p, df) => upperQuantile(p, (t) => tTail(t, df), (t) => tDensity(t, df));
  const normalQuantile = (p) =>
    p < 0.5 ? -normalQuantile(1 - p) : upperQuantile(p, (z) => normalBelow(-z), normalDensity);

  // ------------------------------------------------------------------------------ random effects

  function weighted(y, v, tau2) {
    const w = v.map((variance) => 1 / (variance + tau2));
    const total = sum(w);
    // Relative to the first effect, so that effects far from zero lose no precision.
    const mean = y[0] + sum(w.map((weight, i) => weight * (y[i] - y[0]))) / total;
    return { w, total, mean, residuals: y.map((effect) => effect - mean) };
  }

  const weightedSquares = (y, v, tau2) => {
    const { w, residuals } = weighted(y, v, tau2);
    return sum(w.map((weight, i) => weight * residuals[i] ** 2));
  };

  const plainSquares = (y) => {
    const mean = sum(y) / y.length;
    return sum(y.map((effect) => (effect - mean) ** 2));
  };

  // Twice the first and twice the second derivative of the log likelihood.
  function slopeAndCurvature(y, v, tau2, restricted) {
    const { w, total, residuals } = weighted(y, v, tau2);
    const squares = sum(w.map((weight) => weight ** 2));
    const cubes = sum(w.map((weight) => weight ** 3));
    const lean = sum(w.map((weight, i) => weight ** 2 * residuals[i]));
    const fit = sum(w.map((weight, i) => weight ** 2 * residuals[i] ** 2));
    const change = sum(w.map((weight, i) => weight ** 3 * residuals[i] ** 2));
    const ratio = squares / total;
    const slope = fit - total;
    const curvature = (2 * lean * lean) / total - 2 * change + squares;
    return restricted
      ? [slope + ratio, curvature + ratio * ratio - (2 * cubes) / total]
      : [slope, curvature];
  }

  function logLikelihood(y, v, tau2, restricted) {
    const { w, total, residuals } = weighted(y, v, tau2);
    const misfit = sum(w.map((weight, i) => weight * residuals[i] ** 2));
    return 0.5 * (sum(w.map(Math.log)) - misfit - (restricted ? Math.log(total) : 0));
  }

  // Finds all local maxima of the likelihood, and takes the highest.
  function likelihoodTau2(y, v, restricted) {
    const slopes = (tau2) => slopeAndCurvature(y, v, tau2, restricted);
    const smallest = least(v);
    const r = plainSquares(y) / (y.length - 1);
    const bound = r / 2 + Math.sqrt((r * r) / 4 + r * most(v));
    const reach = Math.log1p((bound * (1 + 1e-9)) / smallest);
    const steps = Math.ceil(reach / 0.5);
    const peaks = [];
    let here = 0;
    let rising = slopes(0)[0] > 0;
    if (!rising) peaks.push(0);
    const offset = y.length / sum(v.map((variance) => 1 / variance));
    // Multiplied by (offset + tau2)^2, the slope is nearly linear.
    const straightened = (tau2) => {
      const [slope, curvature] = slopes(tau2);
      const lever = offset + tau2;
      return [slope * lever, curvature * lever + 2 * slope];
    };
    for (let step = 1; step <= steps; step += 1) {
      const there = smallest * Math.expm1((step * reach) / steps);
      const next = step < steps && slopes(there)[0] > 0;
      if (rising && !next) peaks.push(fallingRoot(straightened, here, there, (here + there) / 2));
      here = there;
      rising = next;
    }
    const height = (tau2) => logLikelihood(y, v, tau2, restricted);
    return peaks.reduce((best, tau2) => (height(tau2) > height(best) ? tau2 : best), peaks[0] ?? 0);
  }

  // The tau2 at which Q has fallen to a target; zero if Q is below it already.
  function squaresTau2(y, v, short) {
    if (short(weightedSquares(y, v, 0)) <= 0) return 0;
    const value = (tau2) => short(weightedSquares(y, v, tau2));
    let high = most(v);
    while (value(high) > 0) high *= 2;
    return fallingRoot((tau2) => [value(tau2), NaN], 0, high, high / 2);
  }

  const pauleMandel = (y, v) => squaresTau2(y, v, (q) => q - (y.length - 1));

  const TAU2 = {
    REML: (y, v) => likelihoodTau2(y, v, true),
    ML: (y, v) => likelihoodTau2(y, v, false),
    PM: pauleMandel,
    // Morris's empirical Bayes estimate solves the same equation.
    EB: pauleMandel,
    DL: (y, v) => {
      const w = v.map((variance) => 1 / variance);
      const total = sum(w);
      const rest = sum(w.map((weight) => weight * (total - weight))) / total;
      return Math.max((weightedSquares(y, v, 0) - (y.length - 1)) / rest, 0);
    },
    HE: (y, v) => Math.max(plainSquares(y) / (y.length - 1) - sum(v) / v.length, 0),
    HS: (y, v) =>
      Math.max((weightedSquares(y, v, 0) - y.length) / sum(v.map((variance) => 1 / variance)), 0),
    SJ: (y, v) => {
      const crude = plainSquares(y) / y.length;
      return crude === 0 ? 0 : (crude * weightedSquares(y, v, crude)) / (y.length - 1);
    },
  };

  // Q-profile interval of tau2; limits are zero if Q is too small even without heterogeneity.
  function qProfile(y, v, level) {
    const df = y.length - 1;
    const tail = 0.5 - level / 200;
    const limit = (probability) =>
      squaresTau2(y, v, (q) => probability - chiSquareTail(q, df));
    // The effects are more alike than expected for any tau2: the interval is empty.
    if (chiSquareTail(weightedSquares(y, v, 0), df) > 1 - tail) return [NaN, NaN];
    return [limit(tail), limit(1 - tail)];
  }

  function heterogeneity(y, v) {
    const df = y.length - 1;
    const q = weightedSquares(y, v, 0);
    return { q, q_df: df, q_p: chiSquareTail(q, df), i2_from_q: q > df ? (100 * (q - df)) / q : 0 };
  }

  function i2FromTau2(v, tau2) {
    const w = v.map((variance) => 1 / variance);
    const total = sum(w);
    const typical = ((v.length - 1) * total) / sum(w.map((weight) => weight * (total - weight)));
    return (100 * tau2) / (tau2 + typical);
  }

  // Factor by which an interval multiplies the Wald variance.
  const FACTORS = {
    wald: () => 1,
    t: () => 1,
    hartung_knapp: (factor) => factor,
    hartung_knapp_conservative: (factor) => Math.max(factor, 1),
  };
  // Standard error of a prediction interval, and the number subtracted from k for its degrees of freedom.
  const PREDICTIONS = {
    t_k_minus_1: ["t", 1],
    t_k_minus_2: ["t", 2],
    hartung_knapp_k_minus_1: ["hartung_knapp", 1],
    hartung_knapp_k_minus_2: ["hartung_knapp", 2],
    conservative_k_minus_1: ["hartung_knapp_conservative", 1],
    conservative_k_minus_2: ["hartung_knapp_conservative", 2],
  };

  // The configured random-effects model. Prediction intervals without a closed form (the bootstrap) or
  // without degrees of freedom are left out.
  function randomEffects(y, v, { estimator, interval, prediction, level }) {
    const k = y.length;
    const upper = 0.5 + level / 200;
    const tau2 = TAU2[estimator](y, v);
    const { w, total, mean, residuals } = weighted(y, v, tau2);
    const factor = sum(w.map((weight, i) => weight * residuals[i] ** 2)) / (k - 1);
    const error = (name) => Math.sqrt(FACTORS[name](factor) / total);
    const se = error(interval);
    const normal = interval === "wald";
    const half = (normal ? normalQuantile(upper) : tQuantile(upper, k - 1)) * se;
    const ratio = mean === 0 ? 0 : Math.abs(mean) / se;
    const limits = {};
    const [name, lost] = PREDICTIONS[prediction] ?? ["", k];
    if (k > lost) {
      const spread = tQuantile(upper, k - lost) * Math.sqrt(tau2 + error(name) ** 2);
      limits.pi_low = mean - spread;
      limits.pi_high = mean + spread;
    }
    const [tau2Low, tau2High] = qProfile(y, v, level);
    return {
      k,
      estimate: mean,
      ci_low: mean - half,
      ci_high: mean + half,
      ...limits,
      p_value: 2 * (normal ? normalBelow(-ratio) : tTail(ratio, k - 1)),
      tau2,
      tau2_low: tau2Low,
      tau2_high: tau2High,
      i2: i2FromTau2(v, tau2),
      ...heterogeneity(y, v),
      weights: w.map((weight) => (100 * weight) / total),
    };
  }

  // Common-effect model by inverse variance; with one trial, its own result.
  function commonEffect(y, v, level) {
    const { w, total, mean } = weighted(y, v, 0);
    const se = 1 / Math.sqrt(total);
    const half = normalQuantile(0.5 + level / 200) * se;
    return {
      k: y.length,
      estimate: mean,
      ci_low: mean - half,
      ci_high: mean + half,
      p_value: 2 * normalBelow(-Math.abs(mean) / se),
      ...(y.length > 1 ? heterogeneity(y, v) : {}),
      weights: w.map((weight) => (100 * weight) / total),
    };
  }

  // ------------------------------------------------------------------------------------ Bayesian

  // Nodes and weights of composite Gauss-Legendre quadrature on [0, 1].
  function quadrature(panels, nodes) {
    const points = [];
    const weights = [];
    const rule = [];
    for (let i = 1; i <= nodes; i += 1) {
      let x = Math.cos((Math.PI * (i - 0.25)) / (nodes + 0.5));
      let slope = 1;
      for (let n = 0; n < 20; n += 1) {
        let [before, value] = [1, x];
        for (let j = 2; j <= nodes; j += 1) {
          [before, value] = [value, ((2 * j - 1) * x * value - (j - 1) * before) / j];
        }
        slope = (nodes * (x * value - before)) / (x * x - 1);
        x -= value / slope;
      }
      rule.push([x, 2 / ((1 - x * x) * slope * slope)]);
    }
    for (let panel = 0; panel < panels; panel += 1) {
      for (const [x, weight] of rule) {
        points.push((panel + 0.5 + 0.5 * x) / panels);
        weights.push((0.5 * weight) / panels);
      }
    }
    return { points, weights };
  }

  const FINE = quadrature(32, 16);
  const PARTIAL = quadrature(12, 16);
  const SEARCH = 129;
  const DROP = 50;
  const FARTHEST = Math.exp(140);

  // Priors of tau: log density up to a constant, whether to integrate over log tau (where the posterior
  // is smooth), and a range of tau outside which the density is below exp(-drop) times that at `best`.
  const PRIORS = {
    half_normal: (scale) => ({
      logDensity: (tau) => -0.5 * (tau / scale) ** 2,
      onLogScale: false,
      reach: (best, drop) => [0, Math.sqrt(best * best + 2 * drop * scale * scale)],
    }),
    inverse_gamma: (shape, scale) => {
      const logDensity = (tau) => -(shape + 1) * Math.log(tau) - scale / tau;
      const mode = scale / (shape + 1);
      const reach = (best, drop) => {
        const least = logDensity(best) - drop;
        let [low, high] = [Math.min(best, mode), Math.max(best, mode)];
        while (logDensity(low) > least) low /= 2;
        // Bounded: if `best` is so small that its density vanishes, the range would grow for ever.
        while (logDensity(high) > least && high < mode * FARTHEST) high *= 2;
        return [low, high];
      };
      return { logDensity, onLogScale: true, reach };
    },
  };

  // Posterior of tau with a flat prior on the mean, integrated over u, where tau = unit sinh(u) or
  // tau = exp(u).
  function tauPosterior(y, v, [name, ...numbers]) {
    const prior = PRIORS[name](...numbers);
    const unit = 1 / Math.sqrt(sum(v.map((variance) => 1 / variance)));
    const given = (tau) => weighted(y, v, tau * tau);
    const tauAt = prior.onLogScale ? Math.exp : (u) => unit * Math.sinh(u);
    const uAt = prior.onLogScale ? Math.log : (tau) => Math.asinh(tau / unit);
    const logDensity = (u) => {
      const tau = tauAt(u);
      const { w, total, residuals } = given(tau);
      const misfit = sum(w.map((weight, i) => weight * residuals[i] ** 2));
      const likelihood = 0.5 * (sum(w.map(Math.log)) - Math.log(total) - misfit);
      return likelihood + prior.logDensity(tau) + (prior.onLogScale ? u : Math.log(Math.cosh(u)));
    };
    const best = Math.max(y.length > 1 ? Math.sqrt(TAU2.REML(y, v)) : 0, 0.1 * unit);
    const [start, end] = prior.reach(best, 2 * DROP).map(uAt);
    const grid = Array.from({ length: SEARCH }, (_, i) => start + ((end - start) * i) / (SEARCH - 1));
    const heights = grid.map(logDensity);
    const peak = most(heights);
    const moments = grid.map((u, i) => heights[i] + 2 * Math.log(Math.hypot(1, tauAt(u) / unit)));
    const momentPeak = most(moments);
    const kept = grid
      .map((_, i) => i)
      .filter((i) => Math.max(heights[i] - peak, moments[i] - momentPeak) > -DROP);
    const low = grid[Math.max(kept[0] - 1, 0)];
    const high = grid[Math.min(kept[kept.length - 1] + 1, SEARCH - 1)];
    const density = (u) => Math.exp(logDensity(u) - peak);
    const us = FINE.points.map((point) => low + (high - low) * point);
    const mass = us.map((u, i) => density(u) * FINE.weights[i] * (high - low));
    const total = sum(mass);
    const below = (u) =>
      (sum(PARTIAL.points.map((p, i) => density(low + (u - low) * p) * PARTIAL.weights[i])) * (u - low)) /
      total;
    const median = fallingRoot((u) => [0.5 - below(u), -density(u) / total], low, high, (low + high) / 2, SMALL_STEP);
    return {
      taus: us.map(tauAt),
      weights: mass.map((part) => part / total),
      median: tauAt(median),
      given,
    };
  }

  // A mixture of normal distributions: distribution function, quantiles, shortest intervals.
  function mixture(means, sds, weights) {
    const below = (x) => sum(weights.map((p, i) => p * normalBelow((x - means[i]) / sds[i])));
    const density = (x) =>
      sum(weights.map((p, i) => (p / sds[i]) * normalDensity((x - means[i]) / sds[i])));
    const slope = (x) =>
      sum(weights.map((p, i) => {
        const z = (x - means[i]) / sds[i];
        return ((-p * z) / (sds[i] * sds[i])) * normalDensity(z);
      }));
    const quantile = (p) => {
      const z = normalQuantile(p);
      const each = means.map((mean, i) => mean + z * sds[i]);
      const margin = 1e-3 * (most(each) - least(each)) + 1e-9 * least(sds);
      const start = sum(weights.map((part, i) => part * each[i]));
      return fallingRoot(
        (x) => [p - below(x), -density(x)], least(each) - margin, most(each) + margin, start, SMALL_STEP,
      );
    };
    // The shortest interval has limits of equal density.
    const shortest = (level) => {
      const outside = 1 - level;
      const imbalance = (tail) => {
        const [low, high] = [quantile(tail), quantile(tail + level)];
        const [atLow, atHigh] = [density(low), density(high)];
        return [atHigh - atLow, slope(high) / atHigh - slope(low) / atLow];
      };
      const tail = fallingRoot(
        imbalance, 1e-9 * outside, (1 - 1e-9) * outside, outside / 2, SMALL_STEP,
      );
      return [quantile(tail), quantile(tail + level)];
    };
    return { below, quantile, shortest };
  }

  function bayesian(y, v, prior, level) {
    const tau = tauPosterior(y, v, prior);
    const conditional = tau.taus.map((value) => tau.given(value));
    const means = conditional.map(({ mean }) => mean);
    const variances = conditional.map(({ total }) => 1 / total);
    const mean = mixture(means, variances.map(Math.sqrt), tau.weights);
    const next = mixture(
      means, variances.map((variance, i) => Math.sqrt(variance + tau.taus[i] ** 2)), tau.weights,
    );
    const [ciLow, ciHigh] = mean.shortest(level / 100);
    const [piLow, piHigh] = next.shortest(level / 100);
    return {
      k: y.length,
      estimate: mean.quantile(0.5),
      ci_low: ciLow,
      ci_high: ciHigh,
      pi_low: piLow,
      pi_high: piHigh,
      tau2: tau.median ** 2,
      below_zero: mean.below(0),
      weights: y.map((_, i) =>
        100 * sum(conditional.map(({ w, total }, n) => (tau.weights[n] * w[i]) / total))),
    };
  }

  // ------------------------------------------------------------------------------------ the pool

  // From the analysis scale back to the natural scale.
  const NATURAL = {
    log_ratio: Math.exp,
    logit: (x) => 0.5 + 0.5 * Math.tanh(x / 2),
    identity: (x) => x,
  };

  function onNaturalScale(result, scale) {
    const read = { ...result };
    for (const name of ["estimate", "ci_low", "ci_high", "pi_low", "pi_high"]) {
      if (name in result) read[name] = NATURAL[scale](result[name]);
    }
    return read;
  }

  // All models shown by the page for these trials, on the natural scale, and the name of the leading
  // model for this number of trials. `method` is the configured model: its name, estimator, intervals,
  // level, and the least number of trials from which each model leads.
  function poolTrials(y, v, { scale, priors }, method) {
    if (y.length === 0) return { lead: null, models: {} };
    const read = (result) => onNaturalScale(result, scale);
    const common = read(commonEffect(y, v, method.level));
    if (y.length === 1) return { lead: "single_trial", models: { single_trial: common } };
    return {
      lead: leader(y.length, method, priors),
      models: {
        [method.model]: read(randomEffects(y, v, method)),
        common,
        ...Object.fromEntries(Object.entries(priors).map(([model, prior]) => [
          model, read(bayesian(y, v, prior, method.level)),
        ])),
      },
    };
  }

  // A trial's own estimate and its limits on the natural scale.
  function ownResult(y, v, scale, level) {
    const half = normalQuantile(0.5 + level / 200) * Math.sqrt(v);
    return [y, y - half, y + half].map(NATURAL[scale]);
  }

  // If the measure lacks the configured prior, the half-normal prior, which always exists, is used.
  function leader(k, method, priors) {
    if (k === 1) return "single_trial";
    const name = method.leading.filter(([from]) => from <= k).at(-1)[1];
    return name === method.model || name in priors ? name : "bayesian";
  }

  return {
    bayesian, chiSquareTail, leader, normalQuantile, ownResult, poolTrials, randomEffects, tQuantile, tTail,
  };
})();
