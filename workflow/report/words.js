"use strict";

// Elements, and numbers formatted as in the figures. Texts are set as text, never as markup.
const Words = (() => {
  const SVG = "http://www.w3.org/2000/svg";

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

  function button(label, act, properties = {}) {
    const made = element("button", { type: "button", ...properties }, label);
    made.addEventListener("click", act);
    return made;
  }

  const number = (value) => {
    if (value === "Infinity") return Infinity;
    if (value === "-Infinity") return -Infinity;
    return value === null || value === undefined ? NaN : value;
  };

  // Rounds half up from 15 significant digits, with a typographic minus, as in the figures.
  function halfUp(value, digits) {
    const shortest = String(Number(Math.abs(value).toPrecision(15)));
    const shifted = shortest.includes("e")
      ? Math.abs(value) * 10 ** digits
      : Number(`${shortest}e${digits}`);
    const whole = Math.round(shifted);
    const text = (whole / 10 ** digits).toFixed(digits);
    return value < 0 && whole > 0 ? `−${text}` : text;
  }

  // As the figures print: no number of two decimals or more becomes zero that is none, nor is
  // longer than its reciprocal.
  function rounded(value, digits) {
    if (Number.isNaN(value)) return "";
    if (!Number.isFinite(value)) return value > 0 ? "∞" : "−∞";
    if (digits < 2 || Math.abs(value) <= 1e-12) return halfUp(value, digits);
    if (Math.abs(value) > 10000) return value > 0 ? "> 10000" : "< −10000";
    const finer = [0, 1, 2].map((more) => halfUp(value, digits + more));
    const least = (10 ** -(digits + 2)).toFixed(digits + 2);
    const beyond = value > 0 ? `< ${least}` : `> −${least}`;
    return finer.find((text) => /[1-9]/.test(text)) ?? beyond;
  }

  function interval(low, high, digits = 2) {
    if (Number.isNaN(low) || Number.isNaN(high)) return "";
    const ends = [rounded(low, digits), rounded(high, digits)];
    return ends.join(ends.some((end) => /^[−<>]/.test(end)) ? " to " : "–");
  }

  const withInterval = (value, low, high) => {
    const ends = interval(low, high);
    return rounded(value, 2) + (ends && ` (${ends})`);
  };

  // As in the figures: three decimals below 0.01 and around 0.05, or four, where fewer would hide
  // the side on which p lies.
  function probability(p) {
    if (Number.isNaN(p)) return "";
    if (p < 0.001) return "p < 0.001";
    if (p > 0.99) return "p > 0.99";
    const close = p !== 0.05 && p >= 0.0495 && p < 0.0505;
    const finer = p < 0.01 || (p >= 0.045 && p < 0.055);
    return `p = ${rounded(p, close ? 4 : finer ? 3 : 2)}`;
  }

  // Words of the sheet and the configuration for readers.
  const plain = (text) => text.replaceAll("_", " ");

  return { button, drawn, element, interval, number, plain, probability, rounded, withInterval };
})();
