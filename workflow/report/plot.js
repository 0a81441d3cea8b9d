"use strict";

// The small forest plot of the tool: one mark per row on a common axis.
const Plot = (() => {
  const { drawn, number } = Words;
  const WIDTH = 210;
  const HEIGHT = 24;
  const MARGIN = 10;
  // Wider intervals are cut and get an arrow; otherwise the others would be too small to tell apart.
  const LONGEST_RATIO = 24;

  // Holds the trials and the leading result: cut at no effect, it would seem to end there.
  function axisOf(pool, rows, lead) {
    const ratio = pool.scale === "log_ratio";
    const position = ratio ? Math.log : (x) => x;
    const ends = rows
      .flatMap((row) => row.ends.map(number))
      .concat(lead ? [lead.ci_low, lead.ci_high] : [])
      .filter((x) => Number.isFinite(x) && (!ratio || x > 0));
    if (pool.none !== null) ends.push(pool.none);
    let [low, high] = [Math.min(...ends), Math.max(...ends)];
    if (ratio) [low, high] = [Math.max(low, 1 / LONGEST_RATIO), Math.min(high, LONGEST_RATIO)];
    if (!(high > low)) [low, high] = ratio ? [low / 2, low * 2] : [low - 0.5, low + 0.5];
    const [first, last] = [position(low), position(high)];
    const x = (value) =>
      MARGIN + ((position(value) - first) / (last - first)) * (WIDTH - 2 * MARGIN);
    const inside = (ticks) => ticks.filter((t) => t >= low && t <= high);
    const steps = ratio ? inside([0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20]) : [];
    // A single tick does not make a scale.
    return { x, low, high, ticks: steps.length > 1 ? steps : inside(evenTicks(low, high)) };
  }

  function evenTicks(low, high) {
    const rough = (high - low) / 4;
    const power = 10 ** Math.floor(Math.log10(rough));
    const step = [1, 2, 5, 10].map((n) => n * power).find((n) => n >= rough);
    const first = Math.ceil(low / step);
    return Array.from({ length: Math.floor(high / step) - first + 1 }, (_, i) =>
      Number(((first + i) * step).toPrecision(6)));
  }

  const within = (axis, value) => Math.min(Math.max(value, axis.low), axis.high);
  const picture = (properties) => drawn("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, ...properties });

  function canvas(axis, pool, properties) {
    const svg = picture(properties);
    if (pool.none !== null) {
      const x = axis.x(pool.none);
      svg.append(drawn("line", { x1: x, x2: x, y1: 0, y2: HEIGHT, class: "none" }));
    }
    return svg;
  }

  function arrow(axis, value, y) {
    const x = axis.x(within(axis, value));
    const away = value > axis.high ? 5 : -5;
    return drawn("path", { d: `M${x + away} ${y}l${-away} -3.5v7z`, class: "filled" });
  }

  function trial(pool, axis, row, weight, included) {
    const look = included ? "mark" : "mark out";
    const label = `${row.trial}: ${row.own}`;
    const svg = canvas(axis, pool, { class: look, role: "group", "aria-label": label });
    const [estimate, low, high] = row.ends.map(number);
    if (Number.isNaN(estimate)) return svg;
    const y = HEIGHT / 2;
    const line = { x1: axis.x(within(axis, low)), x2: axis.x(within(axis, high)), y1: y, y2: y };
    svg.append(drawn("line", { ...line, class: "interval" }));
    for (const value of [low, high]) {
      if (value < axis.low || value > axis.high) svg.append(arrow(axis, value, y));
    }
    const side = included ? 5 + 1.1 * Math.sqrt(Math.max(weight, 0)) : 6;
    const square = drawn("rect", {
      x: axis.x(within(axis, estimate)) - side / 2, y: y - side / 2, width: side, height: side,
    });
    const target = { href: `#${row.id || row.view}`, "aria-label": row.tip };
    svg.append(drawn("a", target, square));
    return svg;
  }

  function pooled(pool, axis, result, leads) {
    const svg = canvas(axis, pool, { class: leads ? "pooled leads" : "pooled", "aria-hidden": "true" });
    const y = HEIGHT / 2;
    const [low, middle, high] = [result.ci_low, result.estimate, result.ci_high].map((value) =>
      axis.x(within(axis, value)));
    if (Pools.prediction(result)) {
      const ends = { x1: axis.x(within(axis, result.pi_low)), x2: axis.x(within(axis, result.pi_high)) };
      svg.append(drawn("line", { ...ends, y1: y, y2: y, class: "prediction" }));
    }
    // With two trials, the pooled interval may be far wider than theirs.
    for (const value of [result.ci_low, result.ci_high]) {
      if (value < axis.low || value > axis.high) svg.append(arrow(axis, value, y));
    }
    svg.append(drawn("path", { d: `M${low} ${y}L${middle} ${y - 6}L${high} ${y}L${middle} ${y + 6}z` }));
    return svg;
  }

  function scale(axis) {
    const svg = picture({ class: "mark", "aria-hidden": "true" });
    const line = { x1: MARGIN, x2: WIDTH - MARGIN, y1: 2, y2: 2, class: "interval" };
    svg.append(drawn("line", line));
    for (const tick of axis.ticks) {
      const x = axis.x(tick);
      svg.append(
        drawn("line", { x1: x, x2: x, y1: 2, y2: 6, class: "interval" }),
        drawn("text", { x, y: 18, "text-anchor": "middle", "font-size": 11 }, String(tick).replace("-", "−")),
      );
    }
    return svg;
  }

  return { axisOf, pooled, scale, trial };
})();
