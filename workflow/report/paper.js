"use strict";

// Converts a drawing to a one-page PDF with text in the fonts of the page. Drawings consist of paths
// (M, L, C, z), rectangles, lines, uses, clip paths and texts, as written by the figure stages.
const Paper = (() => {
  const FONTS = { 400: "F1", 700: "F2" };
  const FAMILY = "Figure Sans";
  const PER_EM = 1000;
  const CAPS = { butt: 0, round: 1, square: 2 };
  const JOINS = { miter: 0, round: 1, bevel: 2 };

  async function through(bytes, stream) {
    return new Uint8Array(await new Response(new Blob([bytes]).stream().pipeThrough(stream)).arrayBuffer());
  }

  const deflated = (bytes) => through(bytes, new CompressionStream("deflate"));

  const printed = (value) => String(Number(value.toFixed(3)));

  // --------------------------------------------------------------------------------------- fonts

  function filesOf() {
    const rules = [...document.styleSheets].flatMap((sheet) => [...sheet.cssRules]);
    const faces = rules.filter((rule) => rule instanceof CSSFontFaceRule);
    return faces.map((rule) => [
      rule.style.getPropertyValue("font-weight"),
      Uint8Array.from(atob(/base64,([^"')]*)/.exec(rule.style.getPropertyValue("src"))[1]), (sign) => sign.charCodeAt(0)),
    ]);
  }

  // The tables of a WOFF file.
  async function tablesOf(file) {
    const view = new DataView(file.buffer);
    const tables = new Map();
    for (let i = 0; i < view.getUint16(12); i += 1) {
      const at = 44 + 20 * i;
      const [start, packed, length] = [4, 8, 12].map((offset) => view.getUint32(at + offset));
      const content = file.slice(start, start + packed);
      tables.set(
        String.fromCharCode(...file.slice(at, at + 4)),
        packed < length ? await through(content, new DecompressionStream("deflate")) : content,
      );
    }
    return tables;
  }

  const read = (table) => new DataView(table.buffer, table.byteOffset, table.byteLength);

  // The same tables as a TrueType file, without checksums, which PDF readers do not need.
  function trueType(tables) {
    const names = [...tables.keys()].sort();
    const padded = (length) => Math.ceil(length / 4) * 4;
    const head = 12 + 16 * names.length;
    const file = new Uint8Array(names.reduce((total, name) => total + padded(tables.get(name).length), head));
    const view = read(file);
    const power = Math.floor(Math.log2(names.length));
    view.setUint32(0, 0x00010000);
    [names.length, 16 * 2 ** power, power, 16 * (names.length - 2 ** power)].forEach((value, i) => view.setUint16(4 + 2 * i, value));
    let at = head;
    names.forEach((name, i) => {
      const table = tables.get(name);
      const entry = 12 + 16 * i;
      [...name].forEach((sign, j) => view.setUint8(entry + j, sign.charCodeAt(0)));
      view.setUint32(entry + 8, at);
      view.setUint32(entry + 12, table.length);
      file.set(table, at);
      at += padded(table.length);
    });
    return file;
  }

  // Code point -> glyph, from the segment mapping (cmap format 4) that every font has.
  function glyphsOf(cmap) {
    const view = read(cmap);
    const starts = Array.from({ length: view.getUint16(2) }, (_, i) => view.getUint32(8 + 8 * i));
    const at = starts.find((start) => view.getUint16(start) === 4);
    const doubled = view.getUint16(at + 6);
    const glyphs = new Map();
    for (let i = 0; i < doubled; i += 2) {
      const [end, start, delta, offset] = [14, 16 + doubled, 16 + 2 * doubled, 16 + 3 * doubled].map((part) => view.getUint16(at + part + i));
      for (let code = start; code <= end && code < 0xffff; code += 1) {
        const place = at + 16 + 3 * doubled + i + offset + 2 * (code - start);
        const found = offset === 0 ? code : view.getUint16(place);
        if (found) glyphs.set(code, (found + delta) & 0xffff);
      }
    }
    return glyphs;
  }

  async function fontOf(file) {
    const tables = await tablesOf(file);
    const [head, hhea, hmtx] = ["head", "hhea", "hmtx"].map((name) => read(tables.get(name)));
    const scale = PER_EM / head.getUint16(18);
    const wide = hhea.getUint16(34);
    return {
      file: trueType(tables),
      glyphs: glyphsOf(tables.get("cmap")),
      // Bounding box of the font, in thousandths of an em.
      box: [36, 38, 40, 42].map((offset) => Math.round(head.getInt16(offset) * scale)),
      ascent: Math.round(hhea.getInt16(4) * scale),
      descent: Math.round(hhea.getInt16(6) * scale),
      width: (glyph) => hmtx.getUint16(4 * Math.min(glyph, wide - 1)) * scale,
      used: new Map(),
    };
  }

  async function fonts() {
    const made = {};
    for (const [weight, file] of filesOf()) made[weight] = await fontOf(file);
    return made;
  }

  const hex = (code) => code.toString(16).padStart(4, "0");

  // A font takes five objects: font, descendant font, descriptor, font file, ToUnicode map.
  async function fontObjects(font, first) {
    const packed = await deflated(font.file);
    const used = [...font.used].sort(([one], [other]) => one - other);
    const letters = ["/CIDInit /ProcSet findresource begin 12 dict begin begincmap",
      "/CMapName /Letters def /CMapType 2 def 1 begincodespacerange <0000> <ffff> endcodespacerange"];
    for (let i = 0; i < used.length; i += 100) {
      const some = used.slice(i, i + 100).map(([glyph, code]) => `<${hex(glyph)}> <${hex(code)}>`);
      letters.push(`${some.length} beginbfchar`, ...some, "endbfchar");
    }
    letters.push("endcmap CMapName currentdict /CMap defineresource pop end end");
    const map = letters.join("\n");
    const name = FAMILY.replace(" ", "");
    const widths = used.map(([glyph]) => `${glyph}[${Math.round(font.width(glyph))}]`).join("");
    return [
      [`<</Type/Font/Subtype/Type0/BaseFont/${name}/Encoding/Identity-H/DescendantFonts[${first + 1} 0 R]/ToUnicode ${first + 4} 0 R>>`],
      [`<</Type/Font/Subtype/CIDFontType2/BaseFont/${name}/CIDSystemInfo<</Registry(Adobe)/Ordering(Identity)/Supplement 0>>` +
        `/FontDescriptor ${first + 2} 0 R/CIDToGIDMap/Identity/W[${widths}]>>`],
      [`<</Type/FontDescriptor/FontName/${name}/Flags 4/FontBBox[${font.box.join(" ")}]/ItalicAngle 0/Ascent ${font.ascent}` +
        `/Descent ${font.descent}/CapHeight ${font.ascent}/StemV 80/FontFile2 ${first + 3} 0 R>>`],
      [`<</Filter/FlateDecode/Length1 ${font.file.length}/Length ${packed.length}>>stream\n`, packed, "\nendstream"],
      [`<</Length ${map.length}>>stream\n${map}\nendstream`],
    ];
  }

  // ------------------------------------------------------------------------------------- drawing

  // Replace each use by a copy of its path in place; the path inherits the look of the use.
  function unfold(svg) {
    for (const use of svg.querySelectorAll("use")) {
      const shape = svg.querySelector(`[id="${use.getAttribute("href").slice(1)}"]`).cloneNode(true);
      shape.removeAttribute("id");
      const group = Words.drawn("g");
      for (const name of ["class", "style", "clip-path"]) {
        if (use.hasAttribute(name)) group.setAttribute(name, use.getAttribute(name));
      }
      const place = `translate(${use.getAttribute("x") ?? 0} ${use.getAttribute("y") ?? 0})`;
      group.append(Words.drawn("g", { transform: `${use.getAttribute("transform") ?? ""} ${place}` }, shape));
      use.replaceWith(group);
    }
  }

  function pathOf(shape) {
    const [x, y, width, height] = ["x", "y", "width", "height"].map((name) => Number(shape.getAttribute(name)));
    if (shape.tagName === "rect") return [`${[x, y, width, height].map(printed).join(" ")} re`];
    if (shape.tagName === "line") {
      const [x1, y1, x2, y2] = ["x1", "y1", "x2", "y2"].map((name) => printed(Number(shape.getAttribute(name))));
      return [`${x1} ${y1} m ${x2} ${y2} l`];
    }
    const said = [];
    for (const [, letter, rest] of shape.getAttribute("d").matchAll(/([MLCz])([^MLCz]*)/gi)) {
      const numbers = (rest.match(/-?[\d.]+(?:e-?\d+)?/g) ?? []).map((text) => printed(Number(text)));
      const each = { M: 2, L: 2, C: 6, z: 0 }[letter];
      if (each === undefined) throw new Error(`A path with ${letter}`);
      if (each === 0) said.push("h");
      for (let i = 0; i < numbers.length; i += each) {
        const sign = letter === "M" && i > 0 ? "l" : letter.toLowerCase();
        said.push(`${numbers.slice(i, i + each).join(" ")} ${sign}`);
      }
    }
    return said;
  }

  const colour = (text) => text.match(/[\d.]+/g).slice(0, 3).map((part) => printed(part / 255)).join(" ");

  function drawnShape(shape, look) {
    const filled = look.fill !== "none" && Number(look.fillOpacity) > 0;
    const stroked = look.stroke !== "none";
    if (!filled && !stroked) return [];
    const said = filled ? [`${colour(look.fill)} rg`] : [];
    if (stroked) {
      const dashes = look.strokeDasharray === "none" ? "" : look.strokeDasharray.replaceAll(/px|,/g, "");
      said.push(`${colour(look.stroke)} RG ${printed(parseFloat(look.strokeWidth))} w`,
        `${CAPS[look.strokeLinecap]} J ${JOINS[look.strokeLinejoin]} j [${dashes}] 0 d`);
    }
    const paint = filled && stroked ? "B" : filled ? "f" : "S";
    return [...said, ...pathOf(shape), paint];
  }

  // Each letter at the position where the browser has put it.
  function drawnText(text, look, made) {
    const font = made[look.fontWeight];
    const size = parseFloat(look.fontSize);
    // White space collapsed, as in a browser.
    text.textContent = text.textContent.replace(/\s+/g, " ").trim();
    const letters = [...text.textContent];
    const said = [];
    let unit = 0;
    for (const letter of letters) {
      const code = letter.codePointAt(0);
      const glyph = font.glyphs.get(code);
      if (glyph === undefined) throw new Error(`No ${letter} in the font`);
      font.used.set(glyph, code);
      const { x, y } = text.getStartPositionOfChar(unit);
      said.push(`1 0 0 -1 ${printed(x)} ${printed(y)} Tm <${hex(glyph)}> Tj`);
      unit += letter.length;
    }
    return said.length ? [`BT ${colour(look.fill)} rg /${FONTS[look.fontWeight]} ${printed(size)} Tf`, ...said, "ET"] : [];
  }

  function clipOf(element, svg) {
    const name = /#([^)"']*)/.exec(element.getAttribute("clip-path") ?? "")?.[1];
    if (name === undefined) return [];
    return [...pathOf(svg.querySelector(`[id="${name}"]`).firstElementChild), "W n"];
  }

  function drawn(element, svg, made) {
    if (["defs", "style", "clipPath", "title", "desc"].includes(element.tagName)) return [];
    const look = getComputedStyle(element);
    const moved = element.transform?.baseVal.consolidate()?.matrix;
    const within = element.tagName === "text"
      ? drawnText(element, look, made)
      : ["path", "rect", "line"].includes(element.tagName)
        ? drawnShape(element, look)
        : [...element.children].flatMap((child) => drawn(child, svg, made));
    if (within.length === 0) return [];
    const around = [
      ...(moved ? [`${["a", "b", "c", "d", "e", "f"].map((part) => printed(moved[part])).join(" ")} cm`] : []),
      ...clipOf(element, svg),
    ];
    return around.length ? ["q", ...around, ...within, "Q"] : within;
  }

  // In a shadow root, so that the styles of the page and of the drawing do not affect each other.
  async function shown(text, act) {
    const host = Words.element("div", { "aria-hidden": "true", style: "position:absolute;left:-9999px;top:0" });
    const root = host.attachShadow({ mode: "open" });
    const svg = document.importNode(new DOMParser().parseFromString(text, "image/svg+xml").documentElement, true);
    unfold(svg);
    root.append(Words.element("style", {}, `text{font-family:"${FAMILY}"!important}`), svg);
    document.body.append(host);
    try {
      await Promise.all(Object.keys(FONTS).map((weight) => document.fonts.load(`${weight} 8px "${FAMILY}"`)));
      return act(svg);
    } finally {
      host.remove();
    }
  }

  // ---------------------------------------------------------------------------------------- file

  const titled = (title) => `<</Title <feff${[...title].flatMap((sign) => sign.split("")).map((unit) => hex(unit.charCodeAt(0))).join("")}>>>`;

  // Objects 1 to 3 are the document's own; `objects` begins with 4, the content, then its resources.
  function file(width, height, title, resources, objects) {
    const whole = [
      ["<</Type/Catalog/Pages 2 0 R>>"], ["<</Type/Pages/Kids[3 0 R]/Count 1>>"],
      [`<</Type/Page/Parent 2 0 R/MediaBox[0 0 ${width} ${height}]/Resources<<${resources}>>/Contents 4 0 R>>`],
      ...objects, [titled(title)],
    ];
    const parts = ["%PDF-1.4\n"];
    let at = parts[0].length;
    const starts = whole.map((object, i) => {
      const start = at;
      const pieces = [`${i + 1} 0 obj\n`, ...object, "\nendobj\n"];
      parts.push(...pieces);
      at += pieces.reduce((total, piece) => total + piece.length, 0);
      return start;
    });
    const rows = starts.map((start) => `${String(start).padStart(10, "0")} 00000 n \n`).join("");
    const count = whole.length + 1;
    parts.push(`xref\n0 ${count}\n0000000000 65535 f \n${rows}` +
      `trailer<</Size ${count}/Root 1 0 R/Info ${whole.length} 0 R>>\nstartxref\n${at}\n%%EOF\n`);
    return new Blob(parts, { type: "application/pdf" });
  }

  async function packed(text) {
    const bytes = await deflated(new TextEncoder().encode(text));
    return [`<</Filter/FlateDecode/Length ${bytes.length}>>stream\n`, bytes, "\nendstream"];
  }

  // A drawing; the page has the size of its view box, in points.
  async function ofDrawing(text, title) {
    const made = await fonts();
    const [box, said] = await shown(text, (svg) => [svg.viewBox.baseVal, drawn(svg, svg, made).join("\n")]);
    const [width, height] = [box.width, box.height].map((length) => length.toFixed(2));
    const content = await packed(`1 0 0 -1 0 ${height} cm\n${said}`);
    const used = Object.keys(FONTS).filter((weight) => made[weight].used.size);
    const objects = [content];
    let resources = "";
    for (const weight of used) {
      const first = 4 + objects.length;
      resources += `/${FONTS[weight]} ${first} 0 R`;
      objects.push(...await fontObjects(made[weight], first));
    }
    return file(width, height, title, `/Font<<${resources}>>`, objects);
  }

  // Pixels, without loss.
  async function ofPixels({ canvas, context, width, height }, title) {
    const { data } = context.getImageData(0, 0, canvas.width, canvas.height);
    const colours = new Uint8Array((data.length / 4) * 3);
    for (let from = 0, to = 0; from < data.length; from += 4, to += 3) {
      colours[to] = data[from];
      colours[to + 1] = data[from + 1];
      colours[to + 2] = data[from + 2];
    }
    const pixels = await deflated(colours);
    const [w, h] = [width, height].map((length) => ((length * 72) / 25.4).toFixed(2));
    const image = [`<</Type/XObject/Subtype/Image/Width ${canvas.width}/Height ${canvas.height}/ColorSpace/DeviceRGB` +
      `/BitsPerComponent 8/Filter/FlateDecode/Length ${pixels.length}>>stream\n`, pixels, "\nendstream"];
    return file(w, h, title, "/XObject<</I 5 0 R>>", [await packed(`q ${w} 0 0 ${h} 0 0 cm /I Do Q`), image]);
  }

  return { ofDrawing, ofPixels };
})();
