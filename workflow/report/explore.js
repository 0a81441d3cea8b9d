"use strict";

// "Try it": pool an analysis again with other trials and other choices.
const Explore = (() => {
  const { button, element, interval, number, plain, probability, rounded } = Words;
  const { data } = Pools;
  const AS_REPORTED = "report";

  const COLUMNS = [
    { name: "Pool", key: null },
    { name: "Trial", key: (row) => row.trial.toLowerCase() },
    { name: "Year", key: (row) => Number(row.year) || 0, look: "wide" },
    { name: "Plot", key: null },
    { name: "Estimate", key: (row) => number(row.ends[0]) },
    { name: "Weight, %", key: (row, weights) => weights.get(row.key) ?? -1 },
    { name: "Result", key: null, look: "wide" },
    { name: "Verification", key: (row) => row.verification, look: "wide" },
    { name: "Source", key: (row) => row.source.toLowerCase(), look: "wide" },
  ];
  const WEIGHT = COLUMNS.findIndex((column) => column.name.startsWith("Weight"));

  // Options for pooling: name in the address, heading, values with labels.
  const modelsOf = (pool) => [
    [AS_REPORTED, "As in the report"], [pool.method.model, "Random effects"],
    ["common", data.models.common],
    ...Object.keys(pool.priors).map((prior) => [prior, data.models[prior]]),
  ];
  const named = (words) => words.map((word) => [word, word]);

  function settingsOf(pool) {
    const { method } = pool;
    const first = (value, all) => [value, ...all.filter((other) => other !== value)];
    const rows = [
      ...pool.asked.map(([heading, words], i) =>
        ({ key: `rows${i + 1}`, heading, values: words.map((word) => [word, plain(word)]) })),
    ];
    if (pool.rows.some((row) => row.bias === "high")) {
      rows.push({ key: "bias", heading: "Risk of bias", values: named(["any", "not high"]) });
    }
    if (pool.rows.some((row) => !row.pooled)) {
      rows.push({ key: "excluded", heading: "Trials not pooled", values: named(["left out", "pooled too"]) });
    }
    const estimators = named(first(method.estimator, data.estimators));
    const intervals = first(method.interval, Object.keys(data.intervals))
      .map((name) => [name, data.intervals[name] ?? plain(name)]);
    return [
      ...rows,
      { key: "model", heading: "Model and prior", values: modelsOf(pool) },
      { key: "estimator", heading: "Estimator of τ² (random effects)", values: estimators },
      { key: "interval", heading: "Interval (random effects)", values: intervals },
    ];
  }

  // The state of the tool: the reader's choices. It starts with those of the report.
  function fresh(pools, at = 0) {
    const chosen = {};
    for (const { key, values } of settingsOf(pools[at])) chosen[key] = values[0][0];
    return { at, chosen, passed: [], without: new Set(), filter: "", sort: null, down: false };
  }

  function rowsOf(pool, state) {
    const { chosen } = state;
    const rows = pool.chosen(pool.asked.map((_, i) => chosen[`rows${i + 1}`]));
    const fits = (row) => row.y !== null && row.v !== null &&
      (row.pooled || (chosen.excluded === "pooled too" && row.v > 0)) &&
      (chosen.bias !== "not high" || row.bias !== "high");
    return rows.map((row) => ({ ...row, fits: fits(row), used: fits(row) && !state.without.has(row.key) }));
  }

  const isReport = (pools, state) =>
    state.without.size === 0 &&
    settingsOf(pools[state.at]).every(({ key, values }) => state.chosen[key] === values[0][0]);

  // Results of all models for the rows used, and the leading model.
  function resultOf(pool, state) {
    const { chosen } = state;
    const used = rowsOf(pool, state).filter((row) => row.used);
    const method = { ...pool.method, estimator: chosen.estimator, interval: chosen.interval };
    const found = Pools.pooled(pool, used, method);
    if (found.lead === null || found.lead === "single_trial") return found;
    // As in the results without each trial, the leading model stays as trials are left out.
    const reported = Pools.published(pool).lead;
    const kept = reported in found.models ? reported : found.lead;
    return { ...found, lead: chosen.model === AS_REPORTED ? kept : chosen.model };
  }

  const labelOf = ({ method }, model, chosen) =>
    model === method.model && (chosen.estimator !== method.estimator || chosen.interval !== method.interval)
      ? `Random effects, ${chosen.estimator}, ${data.intervals[chosen.interval] ?? chosen.interval}`
      : data.models[model];

  // ------------------------------------------------------------------------------- the address

  function written(pools, state) {
    const said = new URLSearchParams();
    if (state.at !== 0) said.set("of", pools[state.at].set.filter(Boolean).join("|"));
    for (const { key, values } of settingsOf(pools[state.at])) {
      if (state.chosen[key] !== values[0][0]) said.set(key, state.chosen[key]);
    }
    if (state.without.size > 0) said.set("without", [...state.without].join(" "));
    return said.toString();
  }

  // A link may be older than the page: unknown words are ignored and reported.
  function readFrom(pools, text) {
    const said = new URLSearchParams(text);
    const at = pools.findIndex((pool) => pool.set.filter(Boolean).join("|") === said.get("of"));
    const state = fresh(pools, Math.max(at, 0));
    const passed = at < 0 && said.has("of") ? [said.get("of").replaceAll("|", ", ")] : [];
    const settings = new Map(settingsOf(pools[state.at]).map(({ key, values }) => [key, values]));
    for (const [key, value] of said) {
      if (settings.get(key)?.some(([known]) => known === value)) state.chosen[key] = value;
      else if (key !== "of" && key !== "without") passed.push(`${key} ${value}`);
    }
    const known = new Set(rowsOf(pools[state.at], state).map((row) => row.key));
    const left = (said.get("without") ?? "").split(" ").filter(Boolean);
    passed.push(...left.filter((key) => !known.has(key)).map((key) => `without ${key.replace("trial-", "")}`));
    return { ...state, passed, without: new Set(left.filter((key) => known.has(key))) };
  }

  // ------------------------------------------------------------------------------------ the tool

  function build(place, text) {
    const pools = data.analyses[place.dataset.analysis];
    const name = place.dataset.label;
    const section = place.closest(".view");
    let state = readFrom(pools, text);
    const choice = element("select", {},
      ...pools.map((pool, i) => element("option", { value: String(i) }, pool.label)));
    const filter = element("input", { type: "search", autocomplete: "off" });
    const only = button("Pool only the trials shown", () => {
      const visible = new Set(shown().map((row) => row.key));
      for (const row of rowsOf(pool(), state)) if (!visible.has(row.key)) state.without.add(row.key);
      changed();
    });
    const reset = button("Back to the report", () => {
      state = fresh(pools, state.at);
      filter.value = "";
      changed();
    });
    // location.href is not used: it may point to a row, or the browser may have refused to change it.
    const share = button("Copy link to this choice", () =>
      Saving.copy(Views.addressOf(section.id, written(pools, state)), share));
    const selects = element("div", { class: "controls" });
    const controls = element("div", { class: "controls" },
      element("label", {}, "Filter trials by text", filter), only, reset, share);
    const [head, body, foot] = ["thead", "tbody", "tfoot"].map((tag) => element(tag));
    const table = element("table", { class: "trials" },
      element("caption", { class: "hidden" }, `Trials: ${name}`), head, body, foot);
    const result = element("p", { class: "result", role: "status" });
    const verdict = element("p", { class: "told" });
    const differs = element("ul", { class: "differs" });
    const differing = element("p", { class: "note" }, "What differs from the report:");
    const older = element("p", { role: "status" });
    const spread = element("p", { class: "note" });
    const scroll = { class: "scroll", role: "group", "aria-label": `Trials: ${name}`, tabindex: "0" };
    place.replaceChildren(selects, older, result, verdict, differing, differs, controls,
      element("div", scroll, table), spread);

    const pool = () => pools[state.at];
    const matches = (row) =>
      [row.trial, row.year, row.arms, row.source, row.verification]
        .join(" ").toLowerCase().includes(state.filter.trim().toLowerCase());
    const shown = () => rowsOf(pool(), state).filter(matches);

    function menus() {
      choice.value = String(state.at);
      const menu = ({ key, heading, values }) => {
        const select = element("select", { "data-key": key },
          ...values.map(([value, label]) => element("option", { value }, label)));
        select.value = state.chosen[key];
        select.addEventListener("change", () => {
          state.chosen[key] = select.value;
          changed();
          // The menus were rebuilt, so the focus has to be restored.
          selects.querySelector(`[data-key="${key}"]`).focus();
        });
        return element("label", {}, heading, select);
      };
      const more = pool().pooled ? settingsOf(pool()).map(menu) : [];
      selects.replaceChildren(element("label", {}, "Measure and patients", choice), ...more);
    }

    function header(weighted) {
      const cells = COLUMNS.map((column, i) => {
        const cell = element("th", { scope: "col", class: column.look ?? "" });
        if (column.key === null || (i === WEIGHT && !weighted)) {
          cell.append(column.name);
          return cell;
        }
        const sorted = state.sort === i;
        const sign = sorted ? (state.down ? " ▼" : " ▲") : "";
        const label = column.name === "Estimate" ? `${pool().measure} (${data.method.level}%)` : column.name;
        cell.append(button(label + sign, () => {
          state.down = sorted && !state.down;
          state.sort = i;
          render();
          head.querySelectorAll("th")[i].querySelector("button").focus();
        }));
        if (sorted) cell.setAttribute("aria-sort", state.down ? "descending" : "ascending");
        return cell;
      });
      return element("tr", {}, ...cells);
    }

    function line(row, axis, weights) {
      const weighted = pool().pooled;
      const tick = element("input", { type: "checkbox", checked: row.used && weighted,
        disabled: !row.fits || !weighted, "aria-label": `Pool ${row.trial}` });
      tick.addEventListener("change", () => {
        if (tick.checked) state.without.delete(row.key);
        else state.without.add(row.key);
        changed();
        const again = [...body.querySelectorAll("tr")].find((tr) => tr.dataset.row === row.key);
        again?.querySelector("input").focus();
      });
      const source = element("td", { class: "wrap wide" });
      source.append(element("a", { href: `#${row.id || row.view}` }, row.source || "row"));
      for (const [link, address] of row.links) {
        const kind = link.startsWith("10.") ? "DOI" : /^[A-Z]+/.exec(link)[0];
        // Users of speech control say the visible text, so the accessible name begins with it.
        const name = `${kind} ${link.replace(kind, "").trim()}`;
        source.append(" ", element("a", { href: address, "aria-label": name }, kind));
      }
      const weight = row.used ? rounded(weights.get(row.key) ?? NaN, 1) : "–";
      const trial = element("th", { scope: "row", class: "wrap" }, element("a", { href: `#${row.view}` }, row.trial));
      trial.append(element("div", { class: "note" }, row.arms));
      // A phone shows the reason too: without it, a box that cannot be ticked is a riddle.
      if (!row.pooled) trial.append(element("div", { class: "note why" }, `Not pooled: ${row.reason}`));
      return element("tr", { class: row.used || !weighted ? "" : "out", "data-row": row.key },
        element("td", {}, tick),
        trial,
        element("td", { class: "wide" }, row.year),
        element("td", {}, Plot.trial(pool(), axis, row, weights.get(row.key) ?? 0, row.used || !weighted)),
        element("td", {}, row.own),
        element("td", { class: "number" }, weighted ? weight : ""),
        element("td", { class: "wide" }, row.result),
        element("td", { class: "wrap wide" }, row.verification),
        source);
    }

    function modelLine(model, found, axis) {
      const own = found.models[model];
      const piece = Pools.prediction(own);
      const leads = model === found.lead && model !== "single_trial";
      const role = leads ? " (main model)" : model === Pools.coPrimary(pool(), found.lead) ? " (co-primary)" : "";
      return element("tr", { class: leads ? "lead" : "" },
        element("td"),
        element("th", { scope: "row", class: "wrap" }, labelOf(pool(), model, state.chosen) + role),
        element("td", { class: "wide" }),
        element("td", {}, Plot.pooled(pool(), axis, own, leads)),
        element("td", {}, `${rounded(own.estimate, 2)} (${interval(own.ci_low, own.ci_high)})`),
        element("td"),
        element("td", { colspan: "3", class: "wide" }, piece ? `prediction interval ${piece}` : ""));
    }

    function footer(found, axis) {
      const lines = Object.keys(data.models)
        .filter((model) => model in found.models)
        .map((model) => modelLine(model, found, axis));
      const scale = element("tr", {}, element("td"), element("td"), element("td", { class: "wide" }),
        element("td", {}, Plot.scale(axis)), element("td", { colspan: "2" }), element("td", { colspan: "3", class: "wide" }));
      return [...lines, scale];
    }

    const numbersOf = (found, model = found.lead) => {
      const own = found.models[model];
      return `${rounded(own.estimate, 2)} (${data.method.level}% interval ${interval(own.ci_low, own.ci_high)})`;
    };

    // The model stays as trials are left out, but the report pools so many trials by another.
    function otherLead(found, k) {
      const model = Statistics.leader(k, pool().method, pool().priors);
      if (state.chosen.model !== AS_REPORTED || model === found.lead) return "";
      return ` For ${k} trials, the report would use ${labelOf(pool(), model, state.chosen)}: ${numbersOf(found, model)}.`;
    }

    function say(found, rows, whole) {
      const used = rows.filter((row) => row.used);
      const reported = new Set(pool().rows.filter((row) => row.pooled).map((row) => row.key));
      const total = reported.size;
      // Another choice may pool a trial that the report has no admitted result of.
      const others = used.filter((row) => !reported.has(row.key)).length;
      const hidden = used.filter((row) => !matches(row)).length;
      if (!pool().pooled) {
        result.textContent = "These trials are shown individually; the analysis does not pool them.";
      } else if (found.lead === null) {
        result.textContent = "No trial is selected, so there is nothing to pool.";
      } else {
        const piece = Pools.prediction(found.models[found.lead]);
        const more = others > 0 ? ` and ${others} other${others > 1 ? "s" : ""}` : "";
        const trials = `${used.length - others} of ${total} trial${total === 1 ? "" : "s"}${more}`;
        result.textContent =
          `${trials}: ${pool().measure.toLowerCase()} ${numbersOf(found)}` +
          `${piece ? `, prediction interval ${piece}` : ""}; ${labelOf(pool(), found.lead, state.chosen)}. ` +
          `${whole ? "This is the result of the analysis." : "Recomputed in this page."}` +
          `${otherLead(found, used.length)}` +
          `${hidden ? ` ${hidden} of the pooled trials ${hidden === 1 ? "is" : "are"} hidden by the filter.` : ""}`;
      }
      const random = found.models[pool().method.model];
      spread.textContent = random
        ? `τ² ${rounded(random.tau2, 3)} (${state.chosen.estimator}, ${data.method.level}% interval ` +
          `${interval(number(random.tau2_low), number(random.tau2_high), 3) || "empty"}); ` +
          `I² ${rounded(random.i2, 0)}% (from Q ${rounded(number(random.i2_from_q), 0)}%); ` +
          `Q = ${rounded(random.q, 2)}, df = ${used.length - 1}, ${probability(number(random.q_p))}.`
        : "";
    }

    // The verdict by the interval, and whether it differs from that of the report.
    function judge(found, whole) {
      verdict.replaceChildren();
      const here = found.lead === null ? null : Pools.side(pool(), found.models[found.lead]);
      if (here === null) return;
      const chip = ({ word, sign, look }) => element("span", { class: `verdict ${look}` },
        element("span", { "aria-hidden": "true" }, sign), ` ${word}`);
      verdict.append(chip(here), ` ${here.said}`);
      const second = found.models[Pools.coPrimary(pool(), found.lead)];
      if (second && Pools.side(pool(), second).word !== here.word) {
        const ends = interval(second.ci_low, second.ci_high);
        verdict.append(`; that of the co-primary model, ${ends}, ${Pools.side(pool(), second).verb} it`);
      }
      // Compared with the first measure of the same patients if the report pools them, else of all.
      const alike = pools.filter((one) => one.set[1] === pool().set[1]);
      const base = [...alike, pools[0]].find((one) => Pools.published(one).lead in one.published);
      if (whole || !base) return;
      const report = Pools.published(base);
      const there = Pools.side(base, report.models[report.lead]);
      const whose = `the report${alike.includes(base) ? "" : `, ${base.label},`}`;
      verdict.append(here.word === there.word ? `; ${whose} has the same verdict` : `; ${whose}: `);
      if (here.word !== there.word) verdict.append(chip(there));
      verdict.append(` (${base.measure.toLowerCase()} ${numbersOf(report)}).`);
    }

    function differences(rows, whole) {
      const said = [];
      if (state.at !== 0) said.push(`${pool().label}, not ${pools[0].label}`);
      for (const { key, heading, values } of settingsOf(pool())) {
        const label = (value) => values.find(([other]) => other === value)[1];
        const model = key === "model" ? Pools.published(pool()).lead : null;
        if (state.chosen[key] !== values[0][0] && state.chosen[key] !== model) {
          said.push(`${heading}: ${label(state.chosen[key])}, not ${model ? data.models[model] : label(values[0][0])}`);
        }
      }
      if (!whole) said.push(...trialsThatDiffer(pool(), rows, state.without));
      differs.replaceChildren(...said.map((text) => element("li", {}, text)));
      differs.hidden = said.length === 0 || !pool().pooled;
      differing.hidden = differs.hidden;
    }

    function render() {
      const whole = isReport(pools, state);
      const rows = rowsOf(pool(), state);
      let found = { lead: null, models: {} };
      if (pool().pooled) found = whole ? Pools.published(pool()) : resultOf(pool(), state);
      const weights = pool().pooled ? weightsOf(pool(), rows, state) : new Map();
      const axis = Plot.axisOf(pool(), rows, found.models[found.lead]);
      const list = rows.filter(matches);
      if (state.sort !== null) {
        const key = COLUMNS[state.sort].key;
        const [before, after] = state.down ? [1, -1] : [-1, 1];
        list.sort((a, b) => {
          const [first, second] = [key(a, weights), key(b, weights)];
          // NaN cannot be ordered: it comes last.
          const none = Number.isNaN(first) - Number.isNaN(second);
          if (none !== 0) return none;
          return first < second ? before : first > second ? after : 0;
        });
      }
      head.replaceChildren(header(pool().pooled));
      const nothing = element("tr", {}, element("td", { colspan: String(COLUMNS.length) }, "No trial has this text."));
      body.replaceChildren(...(list.length > 0 ? list.map((row) => line(row, axis, weights)) : [nothing]));
      foot.replaceChildren(...footer(found, axis));
      only.disabled = !pool().pooled;
      // On paper, the tool adds to the figure above it only if the reader has changed the pool.
      place.parentElement.classList.toggle("changed", pool().pooled && !whole);
      older.hidden = state.passed.length === 0;
      older.textContent = older.hidden ? "" : `The link asks for what this report does not have: ${
        state.passed.map(plain).join("; ")}. What follows is without it.`;
      say(found, rows, whole);
      judge(found, whole);
      differences(rows, whole);
    }

    function changed() {
      state.passed = [];
      Views.keep(section.id, written(pools, state));
      menus();
      render();
    }

    choice.addEventListener("change", () => {
      const without = state.without;
      state = fresh(pools, Number(choice.value));
      const known = new Set(pool().rows.map((row) => row.key));
      state.without = new Set([...without].filter((key) => known.has(key)));
      filter.value = "";
      changed();
      choice.focus();
    });
    filter.addEventListener("input", () => {
      state.filter = filter.value;
      render();
    });
    menus();
    render();
    place.address = (said) => {
      state = readFrom(pools, said);
      filter.value = "";
      menus();
      render();
    };
  }

  // Trials pooled here but not in the report, and vice versa.
  function trialsThatDiffer(pool, rows, without) {
    const here = new Map(rows.filter((row) => row.used).map((row) => [row.key, row]));
    const there = new Map(pool.rows.filter((row) => row.pooled).map((row) => [row.key, row]));
    const names = (found) => [...new Set(found.map((row) => row.trial))].join(", ");
    const missing = [...there.values()].filter((row) => !here.has(row.key));
    const left = missing.filter((row) => without.has(row.key));
    const gone = missing.filter((row) => !without.has(row.key));
    const come = [...here.values()].filter((row) => !there.has(row.key));
    const other = [...here.values()].filter((row) => there.has(row.key) && there.get(row.key).result !== row.result);
    return [
      left.length > 0 && `Without ${names(left)}`, gone.length > 0 && `Drops out: ${names(gone)}`,
      come.length > 0 && `Comes in: ${names(come)}`,
      other.length > 0 && `Another result of the same trial: ${names(other)}`,
    ].filter(Boolean);
  }

  // Weights in the leading model, in percent.
  function weightsOf(pool, rows, state) {
    const used = rows.filter((row) => row.used);
    if (used.length === 0) return new Map();
    const found = resultOf(pool, state);
    const { weights } = found.models[found.lead];
    return new Map(used.map((row, i) => [row.key, weights[i]]));
  }

  return { build, fresh, readFrom, resultOf, rowsOf };
})();
