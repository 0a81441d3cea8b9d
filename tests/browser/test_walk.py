"""Someone who has never seen the report answers five questions with it on a phone.

Every step is a tap on what is on the screen; the answers are held against results/*.csv.
"""

import csv
from decimal import ROUND_HALF_UP, Decimal

import pytest

PHONE = {"width": 390, "height": 844, "is_mobile": True, "has_touch": True}
PCR = ("neoadjuvant", "pcr_dual_v_almab")


def rounded(text):
    return str(Decimal(text).quantize(Decimal("0.01"), ROUND_HALF_UP))


def read(path):
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture
def phone(visit, made_up):
    return visit(made_up.folder / "results/report.html", **PHONE)


@pytest.fixture(scope="module")
def lead(made_up):
    """The leading result from the table of main results."""
    rows = read(made_up.folder / "results/tables/front.csv")
    return next(row for row in rows if (row["setting"], row["analysis"]) == PCR)


def on_screen(locator):
    """Whether it is visible without horizontal scrolling."""
    box = locator.bounding_box()
    return box is not None and box["x"] >= 0 and box["x"] + box["width"] <= 390.5


def test_which_effect_in_how_many_trials_and_how_certain(phone, lead):
    card = phone.page.locator("a.card").first
    said = " ".join(card.inner_text().split())
    assert on_screen(card)
    # One: the effect with its interval, and the direction it favours.
    low, high = rounded(lead["ci_low"]), rounded(lead["ci_high"])
    assert f"{rounded(lead['estimate'])} (" in said
    assert f"{low}–{high}" in said
    # Two: in how many trials. Three: how certain.
    assert f"{float(lead['k']):.0f} trials" in said
    assert f"Certainty: {lead['certainty'].lower()}" in said.lower().replace(
        "certainty", "Certainty"
    )
    assert card.locator(".verdict").inner_text().split()[0] in "✓≈✕?"


def test_what_harms(phone, made_up):
    phone.page.get_by_role("link", name="Harms", exact=True).last.tap()
    view = phone.page.locator("#harms")
    # Wait until visible: the page changes its view after the tap.
    view.wait_for()
    rows = read(made_up.folder / "results/tables/balance.csv")
    harms = [row for row in rows if row["side"] == "Harm"]
    told = view.locator("table.short tbody tr")
    assert told.count() == len(harms) > 0
    for row, harm in zip(told.all(), harms, strict=True):
        change = Decimal(harm["difference"]) * 1000
        said = row.inner_text().replace("−", "-")
        assert harm["about"] in said
        assert f"{change.quantize(Decimal(1), ROUND_HALF_UP)} (" in said
        assert on_screen(row)


def test_without_one_trial(phone, made_up):
    phone.page.locator("a.card").first.tap()
    tool = phone.page.locator(".view.open .pool")
    row = tool.locator("tbody tr:has(input:enabled)").first
    tick, trial = row.locator("input"), row.locator("th a").inner_text()
    tick.tap()
    said = tool.locator(".result").first
    left_out = [
        row
        for row in read(made_up.folder / "results/neoadjuvant/sensitivity/leave_one_out.csv")
        if row["analysis"] == PCR[1] and row["trial"] == trial and row["measure"] == "risk_ratio"
    ]
    wanted = next(row for row in left_out if row["leads"] == "yes")
    assert f"risk ratio {rounded(wanted['estimate'])} " in said.inner_text()
    assert f"{rounded(wanted['ci_low'])}–{rounded(wanted['ci_high'])}" in said.inner_text()
    assert on_screen(said)
    assert f"Without {trial}" in tool.locator(".differs").inner_text()
