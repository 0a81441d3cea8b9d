"use strict";

// Views with their own addresses. Only the open view is displayed, and a view is turned from text into
// elements when it is first opened.
const Views = (() => {
  const { button, element } = Words;
  const root = document.documentElement;
  const main = document.getElementById("content");
  const all = [...main.querySelectorAll(":scope > .view")];
  const links = new Map([...document.querySelectorAll("nav .tree a")].map((a) => [a.hash.slice(1), a]));
  const titleOf = (view) => links.get(view.id)?.textContent ?? view.querySelector("h2").textContent;
  // Largest number of search results listed.
  const MOST = 30;
  const GONE = "The link led to something that this report no longer has, so this is its start screen.";
  const places = new Map();
  const watching = [];
  let open = all[0];
  let fresh = false;

  // ------------------------------------------------------------------------------------ one view

  // Without scripts, the browser shows the content of `noscript`; with scripts, it is text until needed.
  function fill(view) {
    const kept = view.querySelector(":scope > noscript");
    if (kept === null) return;
    const body = element("div", { class: "body" });
    body.innerHTML = kept.textContent;
    kept.replaceWith(body);
    for (const act of watching) act(view);
  }

  function viewOf(id) {
    const exact = document.getElementById(id);
    if (exact) return exact.closest(".view");
    const mark = `id="${id}"`;
    return all.find((view) => view.querySelector(":scope > noscript")?.textContent.includes(mark));
  }

  // An address that was truncated or typed may not be decodable; it is then used as it is.
  function decoded(text) {
    try {
      return decodeURIComponent(text);
    } catch {
      return text;
    }
  }

  // `<id of a view or of an element in it>?<the reader's choices in the view>`
  function asked() {
    const [id, ...said] = location.hash.slice(1).split("?");
    return [decoded(id), said.join("?")];
  }

  function show() {
    const [id, said] = asked();
    // The skip link keeps the open view; on loading, there is none to keep.
    if (id === main.id && !root.classList.contains("linked")) {
      main.focus();
      return;
    }
    const found = viewOf(id || "start");
    const view = found ?? all[0];
    const moved = view !== open;
    fill(view);
    lost.hidden = Boolean(found) || id === main.id;
    lost.textContent = lost.hidden ? "" : GONE;
    open.classList.remove("open");
    view.classList.add("open");
    open = view;
    root.classList.remove("linked");
    document.title = view === all[0] ? main.dataset.title : `${titleOf(view)} – ${main.dataset.title}`;
    mark(view);
    step(view);
    const target = document.getElementById(id);
    const inside = target !== null && target !== view && view.contains(target);
    const tool = view.querySelector(".pool");
    // Following a link to a row of the open view does not reset the choices.
    if (tool?.address && (moved || !inside)) tool.address(said);
    if (inside) reveal(target);
    else if (fresh || moved) {
      window.scrollTo(0, fresh ? 0 : places.get(location.hash) ?? 0);
      if (fresh) view.querySelector("h2").focus({ preventScroll: true });
    }
    fresh = false;
  }

  // A link into a folded part unfolds it.
  function reveal(target) {
    for (let part = target.closest("details"); part; part = part.parentElement.closest("details")) {
      part.open = true;
    }
    target.scrollIntoView({ block: "center" });
    target.classList.add("asked");
    setTimeout(() => target.classList.remove("asked"), 4000);
    if (target.tabIndex === -1) target.focus({ preventScroll: true });
  }

  const hashOf = (id, said) => `#${id}${said ? `?${said}` : ""}`;
  const addressOf = (id, said) => location.href.split("#")[0] + hashOf(id, said);

  // Puts the reader's choices into the address without adding an entry to the history.
  function keep(id, said) {
    try {
      history.replaceState(history.state, "", hashOf(id, said));
    } catch {
      // Some browsers refuse this for local files; the choice still works, but not its address.
    }
  }

  // ------------------------------------------------------------------------------- the way about

  function mark(view) {
    for (const link of links.values()) link.removeAttribute("aria-current");
    const link = links.get(view.id);
    if (!link) return;
    link.setAttribute("aria-current", "page");
    const folded = link.closest(".tree details");
    if (folded) folded.open = true;
    const tree = link.closest("nav");
    if (tree.scrollHeight > tree.clientHeight) {
      tree.scrollTop += link.getBoundingClientRect().top - tree.getBoundingClientRect().top - tree.clientHeight / 3;
    }
  }

  const lost = element("p", { class: "lost", role: "status", hidden: true });
  const steps = element("nav", { class: "steps", "aria-label": "Previous and next" });
  function step(view) {
    const at = all.indexOf(view);
    const made = [[all[at - 1], "prev", "← "], [all[at + 1], "next", ""]]
      .filter(([other]) => other)
      .map(([other, rel, before]) => element("a", { href: `#${other.id}`, rel, class: rel },
        before + titleOf(other) + (rel === "next" ? " →" : "")));
    steps.replaceChildren(...made);
  }

  function search() {
    const field = element("input", { type: "search", autocomplete: "off", placeholder: "Trial, outcome, agent, NCT number" });
    const found = element("ul", { class: "found" });
    const count = element("p", { class: "note", role: "status" });
    const words = all.map((view) => [view, `${titleOf(view)} ${view.dataset.search ?? ""}`.toLowerCase()]);
    field.addEventListener("input", () => {
      const wanted = field.value.toLowerCase().split(/\s+/).filter(Boolean);
      const hits = wanted.length === 0 ? [] : words.filter(([, text]) => wanted.every((word) => text.includes(word)));
      found.replaceChildren(...hits.slice(0, MOST).map(([view]) =>
        element("li", {}, element("a", { href: `#${view.id}` }, titleOf(view)))));
      const more = hits.length > MOST ? `; the first ${MOST}:` : "";
      count.textContent = wanted.length === 0 ? "" : `${hits.length} found${more}`;
    });
    return [element("label", {}, "Search trials and analyses", field), count, found];
  }

  // ---------------------------------------------------------------------------------------- print

  // Nothing can be unfolded on paper: rows and results are printed unfolded, but the many further
  // figures only if the reader has opened them.
  let closed = [];
  window.addEventListener("beforeprint", () => {
    closed = [...document.querySelectorAll("details.paper:not([open])")];
    for (const part of closed) part.open = true;
  });
  window.addEventListener("afterprint", () => {
    for (const part of closed) part.open = false;
    root.classList.remove("whole");
  });

  function printWhole() {
    fillAll();
    root.classList.add("whole");
    window.print();
  }

  function fillAll() {
    for (const view of all) fill(view);
  }

  function start() {
    all[0].querySelector("h2").before(lost);
    main.append(steps);
    main.dataset.title = document.title;
    document.querySelector("nav .find").append(...search(), element("p", { class: "tools" },
      button("Print this view", () => window.print()), button("Print everything", printWhole)));
    const contents = document.querySelector("details.contents");
    const narrow = window.matchMedia("(max-width: 60rem)");
    if (narrow.matches) contents.open = false;
    document.addEventListener("click", (event) => {
      const link = event.target.closest?.("a");
      if (!link?.getAttribute("href")?.startsWith("#")) return;
      places.set(location.hash, window.scrollY);
      fresh = true;
      if (narrow.matches) contents.open = false;
      // The same address again fires no hashchange, but the reader wants to go there.
      if (link.getAttribute("href") === location.hash) show();
    });
    if ("scrollRestoration" in history) history.scrollRestoration = "manual";
    window.addEventListener("scroll", () => places.set(location.hash, window.scrollY), { passive: true });
    window.addEventListener("hashchange", show);
    for (const act of watching) act(all[0]);
    show();
  }

  return { addressOf, fillAll, keep, start, whenFilled: (act) => watching.push(act) };
})();
