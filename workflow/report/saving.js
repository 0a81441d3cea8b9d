"use strict";

// Buttons that save or copy a figure (as SVG, PDF, PNG, data or text) or a table.
const Saving = (() => {
  const { button, element } = Words;
  const MILLIMETRES_A_POINT = 25.4 / 72;
  const DOTS_A_MILLIMETRE = 600 / 25.4;
  // With more pixels, phones fail.
  const MOST_PIXELS = 12e6;
  const FONTS = '"Liberation Sans", Arial, Helvetica, sans-serif';

  // ------------------------------------------------------------------------------ handing it on

  function save(content, kind, name) {
    const address = URL.createObjectURL(new Blob([content], { type: kind }));
    const link = element("a", { href: address, download: name });
    document.body.append(link);
    link.click();
    link.remove();
    setTimeout(() => URL.revokeObjectURL(address), 10000);
  }

  // The button reports success; without access to the clipboard, execCommand is tried.
  async function copy(text, from) {
    let done = true;
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      const area = element("textarea", { class: "hidden" });
      area.value = text;
      document.body.append(area);
      area.select();
      done = document.execCommand("copy");
      area.remove();
      from.focus();
    }
    const label = from.dataset.label ?? from.textContent;
    from.dataset.label = label;
    from.textContent = done ? "Copied" : "Not copied";
    setTimeout(() => { from.textContent = label; }, 2000);
  }

  const quoted = (cell) => (/[",\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell);
  // The byte order mark tells spreadsheet programs that the file is UTF-8.
  const asCsv = (rows) => `\ufeff${rows.map((row) => row.map((cell) => quoted(String(cell))).join(",")).join("\r\n")}\r\n`;

  // ------------------------------------------------------------------------------------- tables

  const words = (cell) => cell.textContent.replace(/\s+/g, " ").trim();

  // The cells of a table by row; group headings become the first cell of each of their rows.
  function rowsOf(table) {
    const headings = [...table.tHead.rows[0].cells].map(words);
    const grouped = table.querySelector("tr.group") !== null;
    const rows = [];
    for (const body of table.tBodies) {
      let group = "";
      for (const row of body.rows) {
        if (row.classList.contains("group")) group = words(row.cells[0]);
        else rows.push([...(grouped ? [group] : []), ...[...row.cells].map(words)]);
      }
    }
    return [[...(grouped ? [""] : []), ...headings], ...rows];
  }

  const fileName = (text) => text.toLowerCase().replace(/[^a-z0-9]+/g, "-").replace(/^-|-$/g, "").slice(0, 80);

  function dressTable(table, section) {
    const caption = words(table.caption);
    const tools = element("p", { class: "tools", role: "group", "aria-label": `Save: ${caption}` });
    tools.append(
      button("CSV", () => save(asCsv(rowsOf(table)), "text/csv", `${fileName(`${section.id}-${caption}`)}.csv`)),
      button("Copy", () => copy(rowsOf(table).map((row) => row.join("\t")).join("\n"), tools.lastChild)),
    );
    table.closest(".scroll").after(tools);
  }

  // ------------------------------------------------------------------------------------ figures

  const titleOf = (figure) => figure.querySelector(".scroll").getAttribute("aria-label");

  // The SVG text of a figure: of an inline drawing, or from the data address of an image; null if neither.
  function drawingOf(figure) {
    const svg = figure.querySelector("svg");
    if (svg) {
      const alone = svg.cloneNode(true);
      for (const link of alone.querySelectorAll("a")) link.remove();
      alone.setAttribute("xmlns", "http://www.w3.org/2000/svg");
      return named(new XMLSerializer().serializeToString(alone));
    }
    const { src } = figure.querySelector("img");
    return src.startsWith("data:image/svg+xml,") ? named(decodeURIComponent(src.split(/,(.*)/s)[1])) : null;
  }

  // Replace the fonts of the page by names that other programs know. Quoted names are replaced as a
  // whole: a remaining part would invalidate the declaration, and the text would be set in Times.
  const named = (text) => text.replaceAll(/font-family:(?:&quot;|'[\w -]*'|[^;"'<}])*/g, `font-family:${FONTS.replaceAll('"', "&quot;")}`);

  function sizeOf(figure) {
    const svg = figure.querySelector("svg");
    const image = figure.querySelector("img");
    const text = drawingOf(figure);
    const [, width, height] = /viewBox=["'][-\d.]+ [-\d.]+ ([\d.]+) ([\d.]+)/.exec(text ?? "") ?? [];
    if (width) return [width, height].map((points) => Number(points) * MILLIMETRES_A_POINT);
    const broad = 180;
    return [broad, (broad * image.naturalHeight) / image.naturalWidth, svg];
  }

  // An image cannot use the fonts of the page, so they are embedded.
  function withFonts(text) {
    const style = document.querySelector("head style").textContent;
    const faces = style.match(/@font-face\s*{[^}]*}/g) ?? [];
    const rules = `<style>${faces.join("")}text{font-family:"Figure Sans",Arial,sans-serif!important}</style>`;
    return text.replace(/(<svg[^>]*>)/, `$1${rules}`);
  }

  async function pixelsOf(figure) {
    const [width, height] = sizeOf(figure);
    const fine = Math.min(DOTS_A_MILLIMETRE, Math.sqrt(MOST_PIXELS / (width * height)));
    const text = drawingOf(figure);
    const image = new Image();
    image.src = text === null
      ? figure.querySelector("img").src
      : `data:image/svg+xml,${encodeURIComponent(withFonts(text))}`;
    await image.decode();
    const [across, down] = text === null
      ? [image.naturalWidth, image.naturalHeight]
      : [width, height].map((length) => Math.round(length * fine));
    const canvas = element("canvas", { width: across, height: down });
    const context = canvas.getContext("2d");
    context.fillStyle = "#fff";
    context.fillRect(0, 0, across, down);
    context.drawImage(image, 0, 0, across, down);
    return { canvas, context, width, height };
  }

  const blobOf = (canvas, kind) => new Promise((done) => { canvas.toBlob(done, kind); });

  // Drawings stay vector graphics; only figures shown as pixels are saved as pixels.
  async function pdfOf(figure) {
    const drawing = drawingOf(figure);
    const title = titleOf(figure);
    return drawing === null ? Paper.ofPixels(await pixelsOf(figure), title) : Paper.ofDrawing(drawing, title);
  }

  // The numbers behind a figure: the table named by it, or the trials of its analysis.
  function numbersOf(figure, section) {
    const wanted = figure.dataset.table;
    const tables = [...section.querySelectorAll("table")].filter((table) => table.tHead);
    const table = wanted && tables.find((one) => words(one.caption).startsWith(wanted));
    if (table) return rowsOf(table);
    const place = section.querySelector(".pool");
    return place ? trialsOf(Pools.data.analyses[place.dataset.analysis]) : null;
  }

  function trialsOf(pools) {
    const heading = ["measure and patients", "trial", "year", "arms", "result", "estimate", "low", "high",
      "effect (analysis scale)", "variance", "pooled", "verification", "source"];
    const rows = pools.flatMap((pool) => pool.rows.map((row) => [
      pool.label, row.trial, row.year, row.arms, row.result, ...row.ends.map((end) => (Number.isNaN(end) ? "" : end)),
      row.y ?? "", row.v ?? "", row.pooled ? "yes" : "no", row.verification, row.place]));
    const models = pools.flatMap((pool) => Object.entries(pool.published).map(([model, found]) => [
      pool.label, Pools.data.models[model], "", "", "", found.estimate ?? "", found.ci_low ?? "", found.ci_high ?? "",
      "", "", "", "", ""]));
    return [heading, ...rows, ...models];
  }

  function dressFigure(figure, section) {
    const { caption, name } = figure.dataset;
    const title = titleOf(figure);
    const shown = figure.querySelector("svg, img");
    const alt = shown.getAttribute("alt") ?? shown.getAttribute("aria-label");
    const tools = element("p", { class: "tools", role: "group", "aria-label": `Save: ${title}` });
    const again = (act) => async (event) => {
      event.target.disabled = true;
      try {
        await act(event.target);
      } finally {
        event.target.disabled = false;
      }
    };
    if (drawingOf(figure) !== null) {
      tools.append(button("SVG", () => save(drawingOf(figure), "image/svg+xml", `${name}.svg`)));
    }
    tools.append(
      button("PDF", again(async () => save(await pdfOf(figure), "application/pdf", `${name}.pdf`))),
      button("PNG", again(async () => save(await blobOf((await pixelsOf(figure)).canvas, "image/png"), "image/png", `${name}.png`))),
    );
    if (numbersOf(figure, section) !== null) {
      tools.append(button("Data (CSV)", () => save(asCsv(numbersOf(figure, section)), "text/csv", `${name}.csv`)));
    }
    tools.append(
      button("Copy caption", (event) => copy(caption, event.target)),
      button("Copy alt text", (event) => copy(alt, event.target)),
    );
    figure.append(tools);
  }

  function dress(section) {
    for (const figure of section.querySelectorAll("figure")) dressFigure(figure, section);
    for (const table of section.querySelectorAll("table")) {
      if (table.tHead && table.caption && !table.closest(".pool")) dressTable(table, section);
    }
  }

  return { copy, dress, numbersOf, pdfOf, pixelsOf, rowsOf };
})();
