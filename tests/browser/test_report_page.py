"""The report's page as readers see it in Chromium: on a desktop, on a phone and on paper."""

import csv
import math
import re
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from opened import LONG, NASTY, OPEN_ALL, Watched
from printed_numbers import PRINTED_INTERVALS, PRINTED_P
from reference import load
from scipy import stats
from trial_evidence.config.configuration import read_configuration

ROOT = Path(__file__).resolve().parents[2]

PUBLISHED = ["estimate", "ci_low", "ci_high", "pi_low", "pi_high", "p_value", "tau2", "i2", "q",
             "q_p", "i2_from_q"]  # fmt: skip
ANALYSIS = "metastatic_first_line/progression_free_dual_v_single"
SECTION = ANALYSIS.replace("/", "-").replace("_", "-")
TOOL = f'.pool[data-analysis="{ANALYSIS}"]'


# One analysis in full; the same template makes the others.
LEAVE_ONE = f"""document.querySelectorAll("main > section:not(#{SECTION})").forEach(
    (section) => section.remove())"""
OPEN_ONE = OPEN_ALL.replace("details", f"#{SECTION} details")


# Words in tables that are set on two lines; links, such as of a DOI, may be.
BROKEN = r"""[...document.querySelectorAll("main td, main th")].flatMap((cell) => {
  const texts = document.createTreeWalker(cell, NodeFilter.SHOW_TEXT), broken = [];
  while (texts.nextNode()) {
    const text = texts.currentNode;
    if (text.parentElement.closest("a")) continue;
    for (const word of text.data.matchAll(/[\p{L}]{3,}/gu)) {
      const range = document.createRange();
      range.setStart(text, word.index);
      range.setEnd(text, word.index + word[0].length);
      const lines = new Set([...range.getClientRects()].map((rect) => Math.round(rect.top)));
      if (lines.size > 1) broken.push(word[0]);
    }
  }
  return broken;
})"""


@pytest.fixture
def desk(visit, real_page):
    watched = visit(real_page)
    watched.run("Page.buildAll()")
    watched.page.goto(f"{watched.address}#{SECTION}")
    return watched


@pytest.fixture(scope="module")
def arithmetic(browser, real_page):
    """The page for tests that only run calculations in it."""
    context = browser.new_context()
    yield Watched(context, real_page)
    context.close()


def relative(found, expected):
    return abs(found - expected) / max(abs(expected), 1e-4)


# -------------------------------------------------------------------------------------- as a page


@pytest.mark.parametrize("made", ["real_page", "nasty_page"])
def test_opens_without_a_complaint_or_a_request(made, visit, request):
    watched = visit(request.getfixturevalue(made))
    watched.run("Page.buildAll()")
    watched.run(OPEN_ONE if made == "real_page" else OPEN_ALL)
    watched.page.wait_for_timeout(200)
    assert watched.complaints == []
    assert [url for url in watched.requests if not url.startswith("data:")] == [watched.address]


@pytest.mark.long
@pytest.mark.parametrize("width", [390])
def test_axe_finds_no_fault(width, visit, real_page):
    watched = visit(real_page, width=width)
    watched.run("Page.buildAll()")
    if width == 390:
        watched.run(LEAVE_ONE)
    watched.run(OPEN_ALL)
    # Check the whole page by all rules except colour contrast, which takes most of the time; check
    # one analysis for contrast as well.
    options = {
        "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"], "resultTypes": ["violations"],
        "preload": False, "rules": {"color-contrast": {"enabled": width == 390}},
    }  # fmt: skip
    found = Axe().run(watched.page, options=options).response["violations"]
    assert [(f["id"], f["nodes"][0]["html"]) for f in found] == []


@pytest.mark.long
def test_what_is_said_to_a_screen_reader_is_what_is_seen(desk):
    desk.run(OPEN_ONE)
    rules = ["label-content-name-mismatch", "empty-table-header"]
    found = Axe().run(desk.page, options={"runOnly": {"type": "rule", "values": rules}}).response
    assert [(f["id"], f["nodes"][0]["html"]) for f in found["violations"]] == []


@pytest.mark.parametrize("made", ["real_page", "nasty_page"])
def test_a_phone_scrolls_down_and_not_sideways(made, visit, request):
    watched = visit(
        request.getfixturevalue(made), width=390, height=844, is_mobile=True, has_touch=True
    )
    watched.run("Page.buildAll()")
    watched.run(OPEN_ALL)
    assert watched.run("[innerWidth, document.documentElement.scrollWidth]") == [390, 390]


def test_no_table_of_an_analysis_is_cut_on_a_desk(desk):
    desk.run(OPEN_ALL)
    wide = """[...document.querySelectorAll(".scroll")]
        .filter((part) => part.querySelector("table") && part.scrollWidth > part.clientWidth + 1)
        .map((part) => part.getAttribute("aria-label"))"""
    assert desk.run(wide) == []


@pytest.mark.long
def test_paper_has_the_rows_of_every_analysis(desk):
    desk.run("document.documentElement.classList.add('whole')")
    printed = desk.page.pdf(prefer_css_page_size=True)
    # After printing, Chromium shows only the open view again.
    desk.run("document.documentElement.classList.add('whole')")
    assert printed.startswith(b"%PDF")
    # Chromium's events before and after printing; the width is that of A4 between the margins.
    desk.page.set_viewport_size({"width": 703, "height": 1000})
    desk.page.emulate_media(media="print")
    desk.run("window.dispatchEvent(new Event('beforeprint'))")
    assert desk.page.locator("nav").first.is_hidden()
    assert desk.page.locator(".controls").first.is_hidden()
    rows = desk.page.locator("table.rows tbody tr")
    assert rows.count() > 100
    assert desk.run(
        "[...document.querySelectorAll('table.rows tbody tr')].every((r) => r.offsetHeight > 0)"
    )
    assert desk.run("document.documentElement.scrollWidth") <= 703
    assert desk.run(BROKEN) == []
    desk.run("window.dispatchEvent(new Event('afterprint'))")
    assert desk.page.locator("details.paper:not([open])").count() > 0


@pytest.mark.long
def test_paper_says_what_it_leaves_out(desk):
    """Figures that the reader did not open are not printed; their headings alone look empty."""
    after = """[...document.querySelectorAll("details%s > summary")]
        .map((heading) => getComputedStyle(heading, "::after").content)"""
    desk.page.emulate_media(media="print")
    desk.run("window.dispatchEvent(new Event('beforeprint'))")
    left_out, printed = desk.run(after % ":not([open])"), desk.run(after % "[open]")
    desk.run("window.dispatchEvent(new Event('afterprint'))")
    assert left_out
    assert all("not printed" in text for text in left_out)
    assert set(printed) == {"none"}


def test_without_scripts_the_rows_are_there(visit, real_page):
    watched = visit(real_page, java_script_enabled=False)
    row = watched.page.locator(f"#{SECTION}-rows tbody tr").first
    assert row.is_visible()


def test_markup_in_the_sheet_is_text(visit, nasty_page):
    watched = visit(nasty_page)
    watched.run("Page.buildAll()")
    watched.run(OPEN_ALL)
    assert watched.run("window.broken") is None
    assert watched.page.locator("img[src='x']").count() == 0
    text = watched.run("document.body.innerText")
    # Markup in a table, its title, its note, the methods and the provenance; in a reference, a row
    # in use and the tool above it.
    assert text.count(NASTY) >= 8
    assert LONG in text
    tips = watched.run(
        "[...document.querySelectorAll('figure svg a')].map((a) => a.getAttribute('aria-label'))"
    )
    assert any(NASTY in tip for tip in tips)
    assert any(LONG in tip for tip in tips)


# ------------------------------------------------------------------------------------- arithmetic


def test_quantiles_and_tails_are_scipys(arithmetic):
    degrees = [1, 2, 3, 4, 5, 8, 13, 30, 120, 1000]
    for p in (0.75, 0.9, 0.95, 0.975, 0.995, 0.9995):
        found = arithmetic.run(
            "([p, df]) => df.map((n) => Statistics.tQuantile(p, n))", [p, degrees]
        )
        assert found == pytest.approx(stats.t.ppf(p, degrees), rel=1e-12, abs=0)
        normal = arithmetic.run("(p) => Statistics.normalQuantile(p)", p)
        assert normal == pytest.approx(stats.norm.ppf(p), rel=1e-13, abs=0)
    at = [1e-3, 0.5, 1.0, 3.0, 12.0, 60.0]
    for df in degrees:
        found = arithmetic.run(
            "([x, df]) => x.map((q) => Statistics.chiSquareTail(q, df))", [at, df]
        )
        assert found == pytest.approx(stats.chi2.sf(at, df), rel=1e-11, abs=0)
        found = arithmetic.run("([x, df]) => x.map((t) => Statistics.tTail(t, df))", [at, df])
        assert found == pytest.approx(stats.t.sf(at, df), rel=1e-11, abs=0)


def test_the_page_prints_numbers_as_the_figures_do(arithmetic):
    values = list(PRINTED_P)
    found = arithmetic.run("(values) => values.map(Page.probability)", values)
    assert dict(zip(values, found, strict=True)) == PRINTED_P
    limits = [list(pair) for pair in PRINTED_INTERVALS]
    found = arithmetic.run("(pairs) => pairs.map((pair) => Page.interval(...pair))", limits)
    assert found == list(PRINTED_INTERVALS.values())


INTERVALS = {"z": "wald", "t": "t", "knha": "hartung_knapp", "adhoc": "hartung_knapp_conservative"}
MODEL = """([y, v, method]) => Statistics.randomEffects(
    y, v, { level: 95, prediction: "conservative_k_minus_1", ...method })"""


def test_every_estimator_and_interval_is_metafors(arithmetic):
    script = f"(sets) => sets.map({MODEL})"
    wanted, calls = [], []
    for found in load("metafor_estimators").values():
        if len(found["yi"]) < 2:
            continue
        for estimator, fit in found["fits"].items():
            for test, interval in INTERVALS.items():
                if estimator == "EE" or test not in fit:
                    continue
                wanted.append((estimator, fit, fit[test]))
                method = {"estimator": estimator, "interval": interval}
                calls.append([found["yi"], found["vi"], method])
    assert len(wanted) > 200
    for own, (estimator, fit, (_, low, high, p)) in zip(
        arithmetic.run(script, calls), wanted, strict=True
    ):
        pairs = [(own["tau2"], fit["tau2"]), (own["i2"], fit["i2"]),
                 (own["estimate"], fit["estimate"]), (own["ci_low"], low), (own["ci_high"], high),
                 (own["p_value"], p)]  # fmt: skip
        assert all(relative(x, y) < 1e-7 for x, y in pairs), (estimator, pairs)


def test_prediction_interval_and_weights_are_metafors(arithmetic):
    method = {"estimator": "REML", "interval": "hartung_knapp_conservative"}
    compared = 0
    for found in load("metafor").values():
        fit = found["fits"]["REML"]["adhoc"]
        if "predict_t" not in fit:
            continue
        own = arithmetic.run(MODEL, [found["yi"], found["vi"], method])
        assert relative(own["pi_low"], fit["predict_t"]["pi_lb"]) < 1e-8
        assert relative(own["pi_high"], fit["predict_t"]["pi_ub"]) < 1e-8
        assert own["weights"] == pytest.approx(fit["weights_pct"], rel=1e-8)
        assert relative(own["q"], fit["QE"]) < 1e-9
        compared += 1
    assert compared > 10


# Name of a prediction interval -> interval with the same standard error, degrees of freedom lost.
PREDICTIONS = {
    "t_k_minus_1": ("t", 1), "t_k_minus_2": ("t", 2),
    "hartung_knapp_k_minus_1": ("hartung_knapp", 1),
    "hartung_knapp_k_minus_2": ("hartung_knapp", 2),
    "conservative_k_minus_1": ("hartung_knapp_conservative", 1),
    "conservative_k_minus_2": ("hartung_knapp_conservative", 2),
}  # fmt: skip


@pytest.mark.parametrize("name", PREDICTIONS)
def test_each_prediction_interval_has_its_own_error_and_degrees_of_freedom(name, arithmetic):
    """A project may configure any of them; the mean's own half width is t times its error."""
    interval, lost = PREDICTIONS[name]
    # Alike enough for the factor of Hartung and Knapp to be below 1.
    y, v = [0.1, 0.2, 0.3, 0.15, 0.5], [0.04, 0.05, 0.09, 0.03, 0.2]
    method = {"estimator": "REML", "interval": interval, "prediction": name}
    own = arithmetic.run(MODEL, [y, v, method])
    error = (own["ci_high"] - own["estimate"]) / stats.t.ppf(0.975, 4)
    half = stats.t.ppf(0.975, 5 - lost) * math.hypot(error, math.sqrt(own["tau2"]))
    assert own["pi_high"] - own["estimate"] == pytest.approx(half)
    assert own["estimate"] - own["pi_low"] == pytest.approx(half)


def test_the_posterior_is_the_exact_one(arithmetic):
    script = "([y, v, scale]) => Statistics.bayesian(y, v, ['half_normal', scale], 95)"
    compared = 0
    for found in load("bayes").values():
        if len(found["yi"]) < 2:
            continue
        for scale, exact in found["posteriors"].items():
            own = arithmetic.run(script, [found["yi"], found["vi"], float(scale)])
            assert relative(own["estimate"], exact["mu_median"]) < 1e-8
            assert abs(own["below_zero"] - exact["p_mu_lt0"]) < 1e-9
            compared += 1
    assert compared > 10


def test_trials_far_more_precise_than_the_prior_expects_have_a_posterior(arithmetic):
    """Standard errors of 0.001 where the prior of tau has its mode at 0.1.

    Base R, the sum over 400,001 values of log tau from log 1e-5 to log 1e8::

        y <- c(0.0012, 0.0005, 0.0043); v <- c(1.1e-6, 9e-7, 9e-6); tau <- exp(u)
        w <- sapply(v, function(x) 1 / (x + tau^2)); mu <- w %*% y / rowSums(w)
        density: (rowSums(log(w)) - log(rowSums(w)) - w %*% y^2 + rowSums(w) * mu^2) / 2
                 - 2.49 * u - 0.24 / tau + u
        # median, shortest interval: 0.0019974 -0.1334708 0.1374698; median of tau 0.0759565
    """
    script = "([y, v, prior]) => Statistics.bayesian(y, v, prior, 95)"
    y, v = [0.0012, 0.0005, 0.0043], [1.1e-6, 9e-7, 9e-6]
    own = arithmetic.run(script, [y, v, ["inverse_gamma", 1.49, 0.24]])
    found = [own["estimate"], own["ci_low"], own["ci_high"], own["tau2"] ** 0.5]
    expected = [0.001997389, -0.133470764, 0.137469777, 0.075956510]
    assert found == pytest.approx(expected, rel=1e-5, abs=1e-7)


def read_estimates(real_page):
    folder = real_page.parent / "results"
    for path in sorted(folder.glob("*/estimates.csv")):
        with path.open(encoding="utf-8", newline="") as file:
            yield from csv.DictReader(file)


def test_every_pool_agrees_with_the_pipelines_estimates(arithmetic, real_page):
    pools = arithmetic.run("""() => Object.fromEntries(Object.entries(Page.data.analyses).flatMap(
        ([key, pools]) => pools.filter((pool) => pool.pooled).map((pool) =>
            [[key, ...pool.set].join("|"),
             Page.pooled(pool, pool.rows.filter((row) => row.pooled))])))""")
    models = arithmetic.run("Page.data.models")
    compared = set()
    # Harms are in a table, trial by trial; the page does not pool them again.
    configuration = read_configuration(ROOT / "config")
    harms = {(a.setting, a.id) for a in configuration.analyses if a.harm}
    for row in read_estimates(real_page):
        if (row["setting"], row["analysis"]) in harms:
            continue
        # Single trials are not pooled; for differences between two arms the page shows the rows.
        if row["model"] not in models or int(row["k"]) < 2 or "_of_" in row["measure"]:
            continue
        regimen = row["experimental"] if row["measure"] == "proportion" else ""
        key = f"{row['setting']}/{row['analysis']}|{row['measure']}|{row['subgroup']}|{regimen}"
        own = pools[key]["models"][row["model"]]
        for name in PUBLISHED:
            if row[name] and name in own:
                assert relative(own[name], float(row[name])) < 1e-8, (key, row["model"], name)
        if row["model"].startswith("bayesian") and row["probability_of_benefit"]:
            benefit = (
                own["below_zero"] if row["measure"] == "hazard_ratio" else 1 - own["below_zero"]
            )
            assert abs(benefit - float(row["probability_of_benefit"])) < 1e-8
        if row["role"] == "lead":
            assert pools[key]["lead"] == row["model"]
        compared.add((key, row["model"]))
    assert len({key for key, _ in compared}) > 40
    # The analysis with its own pooling method.
    assert "random_dl_wald" in {model for _, model in compared}


def test_primary_results_alone_agree_with_the_pipelines_function(arithmetic, real_page):
    # Apply the pipeline's function to the remaining rows, whatever the sheet contains today.
    from trial_evidence.pool.bayes.priors import model_priors
    from trial_evidence.pool.models.pooling import pool_all

    configuration = read_configuration(real_page.parent / "config")
    pools = arithmetic.run("""() => Object.values(Page.data.analyses).flat().filter((p) => p.pooled)
        .map((pool) => {
          const rows = pool.rows.filter((row) => row.pooled && row.verification === "primary");
          const all = pool.rows.filter((row) => row.pooled).length;
          return { scale: pool.scale, measure: pool.set[0], all, y: rows.map((row) => row.y),
                   v: rows.map((row) => row.v), found: Page.pooled(pool, rows, Page.data.method) };
        }).filter((pool) => pool.y.length > 1 && pool.y.length < pool.all)""")
    natural = {"log_ratio": math.exp, "identity": lambda x: x,
               "logit": lambda x: 1 / (1 + math.exp(-x))}  # fmt: skip
    assert len(pools) > 5
    for pool in pools:
        priors = model_priors(configuration.tau_priors[pool["measure"]])
        expected = pool_all(
            pool["y"], pool["v"], pooling=configuration.pooling,
            level=configuration.confidence_level, priors=priors,
        )  # fmt: skip
        for model in expected:
            own = pool["found"]["models"].get(model.model)
            if own is None:
                continue
            for name in ("estimate", "ci_low", "ci_high", "pi_low", "pi_high"):
                value = getattr(model, name)
                if value is not None:
                    assert relative(own[name], natural[pool["scale"]](value)) < 1e-8


# --------------------------------------------------------------------------------------- the tool


def numbers(text):
    return [float(x) for x in re.findall(r"\d+\.\d+", text)]


def test_a_trial_left_out_changes_the_result_and_comes_back(desk):
    tool = desk.page.locator(TOOL)
    whole = tool.locator(".result").inner_text()
    count = tool.locator("tbody input:enabled").count()
    assert whole.startswith(f"{count} of {count} trials")
    assert "This is the result of the analysis." in whole
    tool.locator("tbody input:enabled").first.uncheck()
    fewer = tool.locator(".result").inner_text()
    assert fewer.startswith(f"{count - 1} of {count} trials")
    assert "Recomputed in this page" in fewer
    assert numbers(fewer)[:3] != numbers(whole)[:3]
    assert tool.locator("tbody tr").first.locator("td.number").inner_text() == "–"
    # The checkbox keeps the focus, so that the next key press does what the user expects.
    assert desk.run("document.activeElement.type") == "checkbox"
    tool.get_by_role("button", name="Back to the report").click()
    assert tool.locator(".result").inner_text() == whole


def test_trials_are_sorted_and_filtered(desk):
    tool = desk.page.locator(TOOL)
    heading = tool.get_by_role("button", name=re.compile("Hazard ratio"))
    heading.click()
    own = [numbers(text)[0] for text in tool.locator("tbody tr td:nth-child(5)").all_inner_texts()]
    assert own == sorted(own)
    assert len(set(own)) > 1
    tool.get_by_role("button", name=re.compile("Hazard ratio")).click()
    down = tool.locator("tbody tr td:nth-child(5)").all_inner_texts()
    assert [numbers(text)[0] for text in down] == sorted(own, reverse=True)
    assert tool.locator("th[aria-sort=descending]").count() == 1
    name = tool.locator("tbody th").first.inner_text().split("\n")[0]
    before = tool.locator(".result").inner_text()
    tool.get_by_label("Filter trials by text").fill(name.lower())
    assert tool.locator("tbody tr").count() == 1
    # Hidden trials are still pooled, and the page says so.
    assert tool.locator(".result").inner_text().startswith(before)
    assert "hidden" in tool.locator(".result").inner_text()
    tool.get_by_role("button", name="Pool only the trials shown").click()
    assert "1 of " in tool.locator(".result").inner_text()


def test_a_square_shows_its_source_on_focus_and_leads_to_its_row(desk):
    mark = desk.page.locator(f"{TOOL} tbody svg a").first
    mark.focus()
    tip = desk.page.locator("#tip")
    assert tip.is_visible()
    assert "Source:" in tip.inner_text()
    desk.page.keyboard.press("Escape")
    assert tip.is_hidden()
    desk.run("document.querySelectorAll('main details').forEach((part) => { part.open = false; })")
    mark.focus()
    desk.page.keyboard.press("Enter")
    desk.page.wait_for_function("document.activeElement.tagName === 'TR'")
    assert f"#{desk.run('document.activeElement.id')}" == mark.get_attribute("href")
    assert desk.page.locator("tr.asked").is_visible()


def test_every_trial_of_a_forest_plot_is_linked(desk):
    counts = desk.run("""() => Object.entries(Page.data.analyses)
        .filter(([key]) => key.startsWith("metastatic_first_line/"))
        .map(([key, pools]) => {
          const section = document.getElementById(key.replace(/[/_]/g, "-"));
          const links = section.querySelector("figure svg").querySelectorAll("a");
          const dead = [...links].filter(
            (a) => !document.getElementById(a.getAttribute("href").slice(1)));
          return [links.length, pools[0].rows.length, dead.length];
        })""")
    assert len(counts) == 4
    assert all(links == rows > 0 and dead == 0 for links, rows, dead in counts)
