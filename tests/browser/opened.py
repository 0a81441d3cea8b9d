"""A page open in the browser, and the actions that tests perform on it."""

from pathlib import Path
from typing import Any

from playwright.sync_api import BrowserContext, Page

# Markup that somebody might type into a sheet.
NASTY = "<script>window.broken = 1</script> \"quoted\" 'single' & </script><img src=x> \U0001f9ec"
LONG = "A" * 300
# Lay out every view and open every collapsible part.
OPEN_ALL = """{
  document.documentElement.classList.add("whole");
  document.querySelectorAll("details").forEach((part) => { part.open = true; });
}"""


class Watched:
    """A page, its network requests and its console errors."""

    def __init__(self, context: BrowserContext, path: Path) -> None:
        self.requests: list[str] = []
        self.complaints: list[str] = []
        self.page: Page = context.new_page()
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.on("console", lambda message: self.complaints.append(message.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.goto(path.as_uri())
        self.address = path.as_uri()

    def run(self, script: str, argument: Any = None) -> Any:
        return self.page.evaluate(script, argument)
