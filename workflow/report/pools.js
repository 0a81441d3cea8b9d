"use strict";

// The data of the page on every set of trials: its rows, other choices of rows, its results.
const Pools = (() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const { number, interval, withInterval } = Words;

  // A row of the tool: its printed texts, and its effect in one measure.
  function row(rows, pool, [place, y, v, estimate, low, high, reason, bias]) {
    let ends = [estimate, low, high].map(number);
    if (Number.isNaN(ends[0]) && y !== null) ends = Statistics.ownResult(y, v, pool.scale, data.method.level);
    const printed = rows[place];
    const own = withInterval(...ends);
    return {
      ...printed, key: printed.view, y, v, ends, own, reason, bias, pooled: reason === "",
      tip: `${printed.trial}: ${own || "no estimate"}. Source: ${printed.place}; ${printed.verification}.`,
    };
  }

  function read({ rows, pools, choices, method }) {
    return pools.map((pool) => {
      const asked = pool.set[1] === "all" && choices.asked ? choices.asked : [];
      const sets = asked.length > 0 ? choices.sets.map((set) => set[pool.set[0]] ?? []) : [];
      const biases = new Map((choices.sets ?? []).flatMap((set) =>
        (set[pool.set[0]] ?? []).map((member) => [member[0], member[7]])));
      const own = pool.members.map((member) => [...member.slice(0, 7), biases.get(member[0]) ?? ""]);
      return {
        ...pool, asked, method, rows: own.map((member) => row(rows, pool, member)),
        // The rows for a combination of choices, one word per option; the configured one comes first.
        chosen(words) {
          const at = choices.taken?.findIndex((taken) => taken.every((word, i) => word === words[i]));
          if (asked.length === 0 || at <= 0) return this.rows;
          return sets[at].map((member) => row(rows, pool, member));
        },
      };
    });
  }

  for (const [key, analysis] of Object.entries(data.analyses)) data.analyses[key] = read(analysis);

  function pooled(pool, rows, method = pool.method, priors = pool.priors) {
    const found = Statistics.poolTrials(
      rows.map(({ y }) => y), rows.map(({ v }) => v), { scale: pool.scale, priors }, method,
    );
    if (rows.length === 1) {
      // Its own limits, which rounding may have put on the other side of no effect.
      const [estimate, low, high] = rows[0].ends;
      Object.assign(found.models.single_trial, { estimate, ci_low: low, ci_high: high });
    }
    return found;
  }

  // The pipeline's own results: nothing is computed until a reader changes something.
  function published(pool) {
    const models = {};
    for (const [model, values] of Object.entries(pool.published)) {
      models[model] = Object.fromEntries(
        Object.entries(values).map(([name, value]) => [name, number(value)]),
      );
    }
    const k = pool.rows.filter(({ pooled: isPooled }) => isPooled).length;
    return { lead: k === 0 ? null : Statistics.leader(k, pool.method, pool.priors), models };
  }

  // As in the tables: not shown with few trials, or if it equals the interval of the mean.
  function prediction(result) {
    const [low, high] = [number(result.pi_low), number(result.pi_high)];
    const alike = (x, y) => Math.abs(x - y) <= 1e-9 * Math.abs(y);
    const repeated = alike(low, number(result.ci_low)) && alike(high, number(result.ci_high));
    const few = result.k < data.method.predictionFrom;
    return few || repeated || Number.isNaN(low) ? "" : interval(low, high);
  }

  // The side of no effect on which a result lies: as a word, a sign and a look.
  function side(pool, { ci_low: low, ci_high: high }) {
    if (pool.none === null) return null;
    const verb = low <= pool.none && pool.none <= high ? "includes" : "excludes";
    const said = `the interval ${verb} ${pool.none}`;
    if (verb === "includes") return { word: "Left open", sign: "?", look: "open", said, verb };
    const benefit = high < pool.none === pool.below;
    return benefit
      ? { word: "Benefit", sign: "✓", look: "good", said, verb }
      : { word: "Worse", sign: "✕", look: "bad", said, verb };
  }

  // The model that is co-primary with a leading one; undefined if there is none.
  const coPrimary = (pool, lead) =>
    pool.method.leading.find(([, model, other]) => model === lead && other && other !== lead)?.[2];

  return { coPrimary, data, pooled, prediction, published, side };
})();
