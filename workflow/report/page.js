"use strict";

// The interactive part: every analysis as a table of trials that a reader can sort, filter and
// leave out, pooled again by statistics.js. Texts are set as text, never as markup.
const Page = (() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const SVG = "http://www.w3.org/2000/svg";
  const WIDTH = 210;
  const HEIGHT = 24;
  const MARGIN = 10;
  // A wider interval is cut and gets an arrow, or the others could not be told apart.
  const LONGEST_RATIO = 24;

  // --------------------------------------------------------------------------------- small tools

  function element(name, properties = {}, ...children) {
    const made = document.createElement(name);
    for (const [key, value] of Object.entries(properties)) {
      if (key in made && typeof value !== "string") made[key] = value;
      else made.setAttribute(key, value);
    }
    made.append(...children);
    return made;
  }

  function drawn(name, properties = {}, ...children) {
    const made = document.createElementNS(SVG, name);
    for (const [key, value] of Object.entries(properties)) made.setAttribute(key, value);
    made.append(...children);
    return made;
  }

  const number = (value) => {
    if (value === "Infinity") return Infinity;
    if (value === "-Infinity") return -Infinity;
    return value === null || value === undefined ? NaN : value;
  };

  // Half up on the shortest decimal form, with a typographic minus, as the figures print.
  function rounded(value, digits) {
    if (Number.isNaN(value)) return "";
    if (!Number.isFinite(value)) return value > 0 ? "∞" : "−∞";
    const shortest = String(Math.abs(value));
    const shifted = shortest.includes("e")
      ? Math.abs(value) * 10 ** digits
      : Number(`${shortest}e${digits}`);
    const whole = Math.round(shifted);
    const text = (whole / 10 ** digits).toFixed(digits);
    return value < 0 && whole > 0 ? `−${text}` : text;
  }

  function interval(low, high, digits = 2) {
    if (Number.isNaN(low) || Number.isNaN(high)) return "";
    const ends = [rounded(low, digits), rounded(high, digits)];
    return ends.join(ends.some((end) => end.startsWith("−")) ? " to " : "–");
  }

  // As the figures print it: three decimals below 0.01 and around 0.05, where two would hide on
  // which side it lies.
  function probability(p) {
    if (Number.isNaN(p)) return "";
    if (p < 0.001) return "p < 0.001";
    if (p > 0.99) return "p > 0.99";
    return `p = ${rounded(p, p < 0.01 || (p >= 0.045 && p < 0.055) ? 3 : 2)}`;
  }

  // ------------------------------------------------------------------------------------- pooling

  // Rows of a set that are pooled when a reader has chosen these.
  const chosenRows = (pool, chosen) => pool.rows.filter((row) => row.pooled && chosen.has(row.id));

  function pooled(pool, rows) {
    return Statistics.poolTrials(
      rows.map((row) => row.y), rows.map((row) => row.v),
      { scale: pool.scale, priors: pool.priors }, data.method,
    );
  }

  // The pipeline's own results; nothing is computed before a reader changes something.
  function published(pool) {
    const models = {};
    for (const [model, values] of Object.entries(pool.published)) {
      models[model] = Object.fromEntries(
        Object.entries(values).map(([name, value]) => [name, number(value)]),
      );
    }
    const k = pool.rows.filter((row) => row.pooled).length;
    return { lead: k === 0 ? null : Statistics.leader(k, data.method, pool.priors), models };
  }

  // As in the tables: none of few trials, and none that repeats the interval of the mean.
  function shownPrediction(result) {
    const [low, high] = [number(result.pi_low), number(result.pi_high)];
    const alike = (x, y) => Math.abs(x - y) <= 1e-9 * Math.abs(y);
    const repeated = alike(low, number(result.ci_low)) && alike(high, number(result.ci_high));
    const few = result.k < data.method.predictionFrom;
    return few || repeated || Number.isNaN(low) ? "" : interval(low, high);
  }

  // ------------------------------------------------------------------------------------- drawing

  function axisOf(pool) {
    const ratio = pool.scale === "log_ratio";
    const position = ratio ? Math.log : (x) => x;
    const ends = pool.rows
      .flatMap((row) => row.ends.map(number))
      .filter((x) => Number.isFinite(x) && (!ratio || x > 0));
    if (pool.none !== null) ends.push(pool.none);
    let [low, high] = [Math.min(...ends), Math.max(...ends)];
    if (ratio) [low, high] = [Math.max(low, 1 / LONGEST_RATIO), Math.min(high, LONGEST_RATIO)];
    if (!(high > low)) [low, high] = ratio ? [low / 2, low * 2] : [low - 0.5, low + 0.5];
    const [first, last] = [position(low), position(high)];
    const x = (value) =>
      MARGIN + ((position(value) - first) / (last - first)) * (WIDTH - 2 * MARGIN);
    const steps = ratio ? [0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20] : evenTicks(low, high);
    return { x, low, high, ticks: steps.filter((t) => t >= low && t <= high) };
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

  function canvas(axis, pool, label) {
    const svg = drawn("svg", { width: WIDTH, height: HEIGHT, "aria-label": label, role: "group" });
    if (pool.none !== null) {
      const x = axis.x(pool.none);
      svg.append(drawn("line", { x1: x, x2: x, y1: 0, y2: HEIGHT, stroke: "#767676" }));
    }
    return svg;
  }

  function arrow(axis, value, y, colour) {
    const x = axis.x(within(axis, value));
    const away = value > axis.high ? 5 : -5;
    return drawn("path", { d: `M${x + away} ${y}l${-away} -3.5v7z`, fill: colour });
  }

  function trialMark(pool, axis, row, weight, included) {
    const svg = canvas(axis, pool, `${row.trial}: ${row.own}`);
    const [estimate, low, high] = row.ends.map(number);
    if (Number.isNaN(estimate)) return svg;
    const colour = included ? "#1a1a1a" : "#767676";
    const y = HEIGHT / 2;
    const line = { x1: axis.x(within(axis, low)), x2: axis.x(within(axis, high)), y1: y, y2: y };
    svg.append(drawn("line", { ...line, stroke: colour, "stroke-width": 1.5 }));
    for (const value of [low, high]) {
      if (value < axis.low || value > axis.high) svg.append(arrow(axis, value, y, colour));
    }
    const side = included ? 5 + 1.1 * Math.sqrt(Math.max(weight, 0)) : 6;
    const square = drawn("rect", {
      x: axis.x(within(axis, estimate)) - side / 2, y: y - side / 2, width: side, height: side,
      fill: included ? colour : "#fff", stroke: colour,
    });
    svg.append(drawn("a", { href: `#${row.id}`, "data-tip": row.tip, "aria-label": row.tip }, square));
    return svg;
  }

  function pooledMark(pool, axis, result, filled) {
    const svg = canvas(axis, pool, "Pooled result");
    svg.setAttribute("aria-hidden", "true");
    const y = HEIGHT / 2;
    const [low, middle, high] = [result.ci_low, result.estimate, result.ci_high].map((value) =>
      axis.x(within(axis, value)));
    if (shownPrediction(result)) {
      const ends = { x1: axis.x(within(axis, result.pi_low)), x2: axis.x(within(axis, result.pi_high)) };
      svg.append(drawn("line", { ...ends, y1: y, y2: y, stroke: "#8fb2d9", "stroke-width": 4 }));
    }
    svg.append(drawn("path", {
      d: `M${low} ${y}L${middle} ${y - 6}L${high} ${y}L${middle} ${y + 6}z`,
      fill: filled ? "#0b4f8f" : "#fff", stroke: "#0b4f8f", "stroke-width": 1.5,
    }));
    return svg;
  }

  function axisMark(pool, axis) {
    const svg = drawn("svg", { width: WIDTH, height: HEIGHT, "aria-hidden": "true" });
    const line = { x1: MARGIN, x2: WIDTH - MARGIN, y1: 2, y2: 2, stroke: "#1a1a1a" };
    svg.append(drawn("line", line));
    for (const tick of axis.ticks) {
      const x = axis.x(tick);
      svg.append(
        drawn("line", { x1: x, x2: x, y1: 2, y2: 6, stroke: "#1a1a1a" }),
        drawn("text", { x, y: 18, "text-anchor": "middle", "font-size": 11 }, String(tick)),
      );
    }
    return svg;
  }

  // -------------------------------------------------------------------------------------- a tool

  const COLUMNS = [
    { name: "Pool", key: null },
    { name: "Trial", key: (row) => row.trial.toLowerCase() },
    { name: "Year", key: (row) => Number(row.year) || 0 },
    { name: "Plot", key: null },
    { name: "Estimate", key: (row) => number(row.ends[0]) },
    { name: "Weight, %", key: (row, weights) => weights.get(row.id) ?? -1 },
    { name: "Result", key: null },
    { name: "Verification", key: (row) => row.verification },
    { name: "Source", key: (row) => row.source.toLowerCase() },
  ];

  const WEIGHT = COLUMNS.findIndex((column) => column.name.startsWith("Weight"));

  function build(place) {
    const pools = data.analyses[place.dataset.analysis];
    const name = place.dataset.label;
    const state = { at: 0, chosen: new Set(), filter: "", primary: false, sort: null, down: false };
    const choice = element("select", {},
      ...pools.map((pool, i) => element("option", { value: String(i) }, pool.label)));
    const filter = element("input", { type: "search", autocomplete: "off" });
    const primary = element("input", { type: "checkbox" });
    const only = element("button", { type: "button" }, "Pool only the trials shown");
    const reset = element("button", { type: "button" }, "Back to all trials");
    const controls = element("div", { class: "controls" },
      element("label", {}, "Measure and trials", choice),
      element("label", {}, "Filter trials by text", filter),
      element("label", { class: "tick" }, primary,
        "Only results verified in the trial's own report (primary)"),
      only, reset);
    const head = element("thead");
    const body = element("tbody");
    const foot = element("tfoot");
    const table = element("table", { class: "trials" },
      element("caption", { class: "hidden" }, `Trials: ${name}`), head, body, foot);
    const result = element("p", { class: "result", role: "status" });
    const spread = element("p", { class: "note" });
    const remark = element("p", { class: "note" });
    place.replaceChildren(controls, element("div",
      { class: "scroll", role: "group", "aria-label": `Trials: ${name}`, tabindex: "0" }, table),
      result, spread, remark);

    const pool = () => pools[state.at];
    const all = () => new Set(pool().rows.filter((row) => row.pooled).map((row) => row.id));
    const matches = (row) =>
      [row.trial, row.year, row.arms, row.source, row.verification]
        .join(" ").toLowerCase().includes(state.filter.trim().toLowerCase());
    const counted = () => new Set(chosenRows(pool(), state.chosen)
      .filter((row) => !state.primary || row.primary).map((row) => row.id));
    const shown = () => pool().rows.filter((row) => matches(row) && (!state.primary || row.primary));

    function restart() {
      state.chosen = all();
      state.filter = "";
      state.primary = false;
      filter.value = "";
      primary.checked = false;
    }

    function header(axis) {
      const cells = COLUMNS.map((column, i) => {
        const cell = element("th", { scope: "col" });
        if (column.key === null || (i === WEIGHT && !pool().pooled)) {
          cell.append(column.name);
          return cell;
        }
        const sorted = state.sort === i;
        const sign = sorted ? (state.down ? " ▼" : " ▲") : "";
        const label = column.name === "Estimate" ? `${pool().measure} (${data.method.level}%)` : column.name;
        const button = element("button", { type: "button" }, label + sign);
        button.addEventListener("click", () => {
          state.down = sorted && !state.down;
          state.sort = i;
          render();
          head.querySelectorAll("th")[i].querySelector("button").focus();
        });
        if (sorted) cell.setAttribute("aria-sort", state.down ? "descending" : "ascending");
        cell.append(button);
        return cell;
      });
      return element("tr", {}, ...cells);
    }

    function line(row, axis, weights, included) {
      const tick = element("input", { type: "checkbox", checked: included,
        disabled: !row.pooled || !pool().pooled || (state.primary && !row.primary),
        "aria-label": `Pool ${row.trial}` });
      tick.addEventListener("change", () => {
        if (tick.checked) state.chosen.add(row.id);
        else state.chosen.delete(row.id);
        render();
        const again = [...body.querySelectorAll("tr")].find((tr) => tr.dataset.row === row.id);
        again?.querySelector("input").focus();
      });
      const source = element("td", { class: "wrap" });
      source.append(element("a", { href: `#${row.id}` }, row.source || "row"));
      for (const [text, address] of row.links) {
        const kind = text.startsWith("10.") ? "DOI" : /^[A-Z]+/.exec(text)[0];
        source.append(" ", element("a",
          { href: address, rel: "noopener noreferrer", "aria-label": text }, kind));
      }
      const weight = included ? rounded(weights.get(row.id) ?? NaN, 1) : "–";
      const marked = included || !pool().pooled;
      const trial = element("th", { scope: "row", class: "wrap" }, row.trial);
      trial.append(element("div", { class: "note" }, row.arms + (row.pooled ? "" : " (not pooled)")));
      return element("tr", { class: marked ? "" : "out", "data-row": row.id },
        element("td", {}, tick),
        trial,
        element("td", {}, row.year),
        element("td", {}, trialMark(pool(), axis, row, weights.get(row.id) ?? 0, marked)),
        element("td", {}, row.own),
        element("td", { class: "number" }, pool().pooled ? weight : ""),
        element("td", {}, row.result),
        element("td", { class: "wrap" }, row.verification),
        source);
    }

    function modelLine(model, found, lead, axis) {
      const own = found[model];
      const piece = shownPrediction(own);
      return element("tr", { class: model === lead ? "lead" : "" },
        element("td"),
        element("th", { scope: "row", colspan: "2", class: "wrap" },
          data.models[model] + (model === lead && lead !== "single_trial" ? " (main model)" : "")),
        element("td", {}, pooledMark(pool(), axis, own, model === lead)),
        element("td", {}, `${rounded(own.estimate, 2)} (${interval(own.ci_low, own.ci_high)})`),
        element("td", { colspan: "4" }, piece ? `prediction interval ${piece}` : ""));
    }

    function footer(found, axis) {
      const lines = Object.keys(data.models)
        .filter((model) => model in found.models)
        .map((model) => modelLine(model, found.models, found.lead, axis));
      const scale = element("tr", {}, element("td", { colspan: "3" }),
        element("td", {}, axisMark(pool(), axis)), element("td", { colspan: "5" }));
      return [...lines, scale];
    }

    function say(found, used, whole) {
      const k = used.size;
      const total = all().size;
      const hidden = [...used].filter((id) => !shown().some((row) => row.id === id)).length;
      if (!pool().pooled) {
        result.textContent = "These trials are shown individually; the analysis does not pool them.";
      } else if (found.lead === null) {
        result.textContent = "No trial is selected, so there is nothing to pool.";
      } else {
        const own = found.models[found.lead];
        const piece = shownPrediction(own);
        result.textContent =
          `${k} of ${total} trials: ${pool().measure.toLowerCase()} ${rounded(own.estimate, 2)} ` +
          `(${data.method.level}% interval ${interval(own.ci_low, own.ci_high)}` +
          `${piece ? `; prediction interval ${piece}` : ""}), ${data.models[found.lead]}. ` +
          `${whole ? "This is the result of the analysis." : "Recomputed in this page."}` +
          `${hidden ? ` ${hidden} of the pooled trials are hidden by the filter.` : ""}`;
      }
      const random = found.models[data.method.model];
      spread.textContent = random
        ? `τ² ${rounded(random.tau2, 3)} (${data.method.level}% interval ` +
          `${interval(number(random.tau2_low), number(random.tau2_high), 3) || "empty"}); ` +
          `I² ${rounded(random.i2, 0)}% (from Q ${rounded(number(random.i2_from_q), 0)}%); ` +
          `Q = ${rounded(random.q, 2)}, df = ${k - 1}, ${probability(number(random.q_p))}.`
        : "";
      remark.textContent = state.primary
        ? "Trials verified only in a secondary source are left out; no other row of the sheet " +
          "replaces them."
        : "";
    }

    function render() {
      const used = counted();
      const whole = used.size === all().size;
      const rows = pool().rows.filter((row) => used.has(row.id));
      let found = { lead: null, models: {} };
      if (pool().pooled) found = whole ? published(pool()) : pooled(pool(), rows);
      const weights = weightsOf(pool(), rows);
      const axis = axisOf(pool());
      const list = [...shown()];
      if (state.sort !== null) {
        const key = COLUMNS[state.sort].key;
        const [before, after] = state.down ? [1, -1] : [-1, 1];
        list.sort((a, b) => {
          const [first, second] = [key(a, weights), key(b, weights)];
          return first < second ? before : first > second ? after : 0;
        });
      }
      head.replaceChildren(header(axis));
      body.replaceChildren(...list.map((row) => line(row, axis, weights, used.has(row.id))));
      foot.replaceChildren(...footer(found, axis));
      only.disabled = !pool().pooled;
      // On paper only a pool that a reader has changed says more than the figure above it.
      place.parentElement.classList.toggle("changed", pool().pooled && !whole);
      say(found, used, whole);
    }

    choice.addEventListener("change", () => {
      state.at = Number(choice.value);
      state.sort = null;
      restart();
      render();
    });
    filter.addEventListener("input", () => {
      state.filter = filter.value;
      render();
    });
    primary.addEventListener("change", () => {
      state.primary = primary.checked;
      render();
    });
    only.addEventListener("click", () => {
      const visible = new Set(shown().map((row) => row.id));
      state.chosen = new Set([...state.chosen].filter((id) => visible.has(id)));
      render();
    });
    reset.addEventListener("click", () => {
      restart();
      render();
    });
    restart();
    render();
  }

  // Weights in the model that leads, in percent.
  function weightsOf(pool, rows) {
    if (!pool.pooled || rows.length === 0) return new Map();
    const found = pooled(pool, rows);
    const weights = found.models[found.lead].weights;
    return new Map(rows.map((row, i) => [row.id, weights[i]]));
  }

  // ---------------------------------------------------------------------------------- the page

  const tip = document.getElementById("tip");

  function showTip(target) {
    tip.textContent = target.getAttribute("data-tip");
    tip.hidden = false;
    const box = target.getBoundingClientRect();
    const left = Math.min(Math.max(box.left + box.width / 2 - tip.offsetWidth / 2, 8),
      document.documentElement.clientWidth - tip.offsetWidth - 8);
    tip.style.left = `${Math.max(left, 0) + window.scrollX}px`;
    tip.style.top = `${box.bottom + window.scrollY + 8}px`;
  }

  const hideTip = () => {
    tip.hidden = true;
  };

  function onTip(event) {
    const target = event.target.closest?.("[data-tip]");
    if (target) showTip(target);
    else hideTip();
  }

  document.addEventListener("mouseover", onTip);
  document.addEventListener("focusin", onTip);
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") hideTip();
  });

  // A link into a closed part opens it.
  function openTarget() {
    const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (!target) return;
    for (let part = target.closest("details"); part; part = part.parentElement.closest("details")) {
      part.open = true;
    }
    target.scrollIntoView({ block: "center" });
    if (target.tabIndex === -1) target.focus({ preventScroll: true });
  }
  window.addEventListener("hashchange", openTarget);

  // Paper cannot be opened: the rows and results of every analysis are printed; the many further
  // figures only where a reader has opened them.
  let closed = [];
  window.addEventListener("beforeprint", () => {
    closed = [...document.querySelectorAll("details.paper:not([open])")];
    for (const part of closed) part.open = true;
  });
  window.addEventListener("afterprint", () => {
    for (const part of closed) part.open = false;
  });

  if (window.matchMedia("(max-width: 60rem)").matches) {
    document.querySelector("details.contents").open = false;
  }

  const waiting = new Set(document.querySelectorAll(".pool"));
  function buildOne(place) {
    if (!waiting.delete(place)) return;
    build(place);
  }
  function buildAll() {
    for (const place of [...waiting]) buildOne(place);
  }
  // Near the window first, so that the page opens at once.
  const near = new IntersectionObserver((entries) => {
    for (const entry of entries) {
      if (entry.isIntersecting) {
        near.unobserve(entry.target);
        buildOne(entry.target);
      }
    }
  }, { rootMargin: "1500px" });
  for (const place of waiting) near.observe(place);
  if (location.hash) {
    buildAll();
    openTarget();
  }

  return { buildAll, chosenRows, data, interval, pooled, probability };
})();
