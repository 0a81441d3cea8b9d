"use strict";

// Puts the parts of the page together.
const Page = (() => {
  // ------------------------------------------------------------------------------------ hints

  const tip = document.getElementById("tip");

  function showTip(target) {
    tip.textContent = target.getAttribute("aria-label");
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
    const target = event.target.closest?.("svg a");
    if (target) showTip(target);
    else hideTip();
  }

  document.addEventListener("mouseover", onTip);
  document.addEventListener("focusin", onTip);
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") hideTip();
  });

  // ------------------------------------------------------------------------------------ views

  // Numbers stay on one line, long texts get more width. On a phone, each row of a table becomes a list
  // of cells with their headings; matrices (same rows and columns) stay tables.
  function layOut(section) {
    for (const table of section.querySelectorAll("table.grid, table.rows, table.bias")) {
      const isMatrix = table.caption.textContent.startsWith("League table");
      if (!isMatrix) table.classList.add("stacked");
      const headings = [...table.tHead.rows[0].cells].map((cell) => cell.textContent.trim());
      for (const cell of table.querySelectorAll("tbody tr:not(.group) > *")) {
        const { length } = cell.textContent;
        if (table.matches(".grid")) cell.classList.add(length <= 13 ? "n" : length > 90 ? "long" : length > 24 ? "mid" : "text");
        if (cell.tagName === "TD" && !isMatrix) cell.dataset.heading = headings[cell.cellIndex] ?? "";
      }
    }
  }

  function tools(section) {
    const place = section.querySelector(".pool");
    if (place) Explore.build(place, "");
  }

  for (const act of [layOut, tools, Saving.dress]) Views.whenFilled(act);
  Views.start();

  const { data, pooled } = Pools;
  const { interval, probability } = Words;
  return { buildAll: Views.fillAll, data, interval, pooled, probability };
})();
