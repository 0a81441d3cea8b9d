"""The text of an HTML page by section: headings, paragraphs, lists, tables, figures."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

from approval.table_text import rows_as_text, short_numbers, wrapped
from lxml import html

HEADINGS = {f"h{level}": "#" * level for level in range(1, 7)}
# Elements that contain other blocks; all others are read as running text.
BLOCKS = {
    "address", "article", "aside", "blockquote", "body", "details", "div", "dl", "fieldset",
    "figure", "footer", "form", "header", "main", "nav", "noscript", "ol", "p", "section",
    "table", "ul", *HEADINGS,
}  # fmt: skip
_SHORT_LIST = re.compile(r"\[\s+([^][{}]*?)\s+\]")
NOT_READ = {"style", "script", "template"}


def page_sections(path: Path) -> dict[str, str]:
    """Text of every section by its id; text outside all sections is under ``frame``."""
    body = html.parse(str(path), html.HTMLParser(encoding="utf-8")).getroot().find("body")
    sections: dict[str, list[str]] = {"frame": []}
    _read(body, sections, "frame")
    return {name: "\n".join(_tidy(lines)) for name, lines in sections.items()}


def embedded_data(path: Path) -> dict[str, str]:
    """JSON data of the page's scripts by id, with sorted keys and rounded numbers."""
    root = html.parse(str(path), html.HTMLParser(encoding="utf-8")).getroot()
    found = {}
    for number, script in enumerate(root.iter("script")):
        if "json" in script.get("type", ""):
            content = json.loads(script.text or "null")
            name = script.get("id") or f"data {number}"
            text = json.dumps(content, indent=1, ensure_ascii=False)
            # Numbers and words that belong together go on one line.
            flat = _SHORT_LIST.sub(lambda m: f"[{' '.join(m[1].split())}]", text)
            found[name] = short_numbers(flat)
    return found


def _tidy(lines: list[str]) -> Iterator[str]:
    before = ""
    for line in lines:
        if line or before:
            yield line
        before = line


def _read(element: html.HtmlElement, sections: dict[str, list[str]], current: str) -> None:
    lines = sections[current]
    running: list[str] = [element.text or ""]

    def flush() -> None:
        text = " ".join("".join(running).split())
        running.clear()
        if text:
            lines.extend([_mark(element) + text if _mark(element) else wrapped(text), ""])

    for child in element:
        if isinstance(child.tag, str) and child.tag not in NOT_READ and _is_block(child):
            flush()
            _block(child, sections, current)
        elif isinstance(child.tag, str) and child.tag not in NOT_READ:
            running.append(_inline(child))
        running.append(child.tail or "")
    flush()


def _is_block(element: html.HtmlElement) -> bool:
    return element.tag in BLOCKS | {"li", "dt", "dd", "summary", "caption", "figcaption", "svg"}


def _block(element: html.HtmlElement, sections: dict[str, list[str]], current: str) -> None:
    if element.tag in {"section", "footer"} and element.get("id"):
        sections[element.get("id")] = []
        _read(element, sections, element.get("id"))
    elif element.tag == "table":
        sections[current] += [*_table(element), ""]
    elif element.tag == "svg":
        sections[current] += [f"[figure: {_title(element)}]", ""]
    else:
        _read(element, sections, current)


def _title(svg: html.HtmlElement) -> str:
    return next(
        (child.text_content() for child in svg if child.tag == "title"),
        svg.get("aria-label", "without a title"),
    )


def _mark(element: html.HtmlElement) -> str:
    if element.tag in HEADINGS:
        return f"{HEADINGS[element.tag]} "
    return {"li": "- ", "summary": "> ", "dt": "", "dd": "    "}.get(element.tag, "")


def _inline(element: html.HtmlElement) -> str:
    """Running text, including text for screen readers and tooltips."""
    if element.tag == "br":
        return "\n"
    if element.tag == "svg":
        return f" [figure: {_title(element)}] "
    if element.tag == "input":
        name = element.get("aria-label", "")
        return f" [{element.get('type', 'text')}{': ' + name if name else ''}] "
    if element.tag == "option":
        return f" [{element.text_content().strip()}] "
    inner = (element.text or "") + "".join(
        (_inline(child) if isinstance(child.tag, str) and child.tag not in NOT_READ else "")
        + (child.tail or "")
        for child in element
    )
    if element.tag == "button":
        return f" [button: {inner.strip()}] "
    hint = element.get("title") or element.get("data-title")
    return f"{inner} {{{hint}}}" if hint else inner


def _table(element: html.HtmlElement) -> Iterator[str]:
    caption = element.find("caption")
    if caption is not None:
        yield f"Table: {_cell(caption)}"
    grid = [
        [(_cell(cell), int(cell.get("colspan", "1"))) for cell in row if cell.tag in {"td", "th"}]
        for row in element.iter("tr")
    ]
    width = max((sum(span for _, span in row) for row in grid), default=0)
    rows = []
    for row in grid:
        cells = [text for cell, span in row for text in (cell, *[""] * (span - 1))]
        rows.append(cells + [""] * (width - len(cells)))
    yield rows_as_text(rows)


def _cell(element: html.HtmlElement) -> str:
    return re.sub(r"\s+", " ", _inline(element)).strip()
