"""The page in a real browser: every view, live, by keyboard, after a restart, on a phone, and with hostile texts."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect
from tests.browsing import Visit, context_of
from tests.serving import Served, served_at
from tests.support import FAKE

from tutelage.client import Client, connect
from tutelage.core.access import Scope
from tutelage.core.commands import Verb
from tutelage.core.operation import State
from tutelage.core.wire import CommandRequest
from tutelage.settings import Settings

AXE = Path(__file__).parent / "vendor" / "axe.min.js"
WIDTHS = (320, 390, 720, 1000, 1440, 1920)
HOSTILE = "<img src=x onerror=document.title=1><script>alert(1)</script>"
LONG = {"service": "fake", "config": {"steps": 100_000, "step_s": 0.02, "lr": 0.005}}


@pytest.fixture(scope="module")
def ended(client: Client) -> str:
    """An operation that has ended, with a model."""
    made = client.submit({"service": "fake", "name": "ended well", "config": {"steps": 120, "noise": 0.5}})
    assert client.wait(made.id, until="terminal", timeout_s=60).reached
    return made.id


@pytest.fixture(scope="module")
def running(client: Client) -> str:
    """An operation that runs as long as the module's tests."""
    made = client.submit({**LONG, "name": "runs on"})
    assert client.wait(made.id, until="step>=15", timeout_s=60).reached
    return made.id


def views(ended: str, running: str) -> list[str]:
    of_runs = [f"op/{running}", f"op/{ended}", f"compare/{ended},{running}", f"models/{ended}"]
    return ["", *of_runs, "new", "services", "hosts", "decisions"]


def serious(page: Page) -> list[str]:
    """Return what axe finds that keeps somebody out."""
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")["violations"]
    grave = [item for item in found if item["impact"] in ("serious", "critical")]
    return [f"{item['id']}: {item['nodes'][0]['html'][:120]}" for item in grave]


def width_of(page: Page) -> int:
    return int(page.evaluate("document.documentElement.scrollWidth"))


def test_the_login_link_lands_on_the_page(browser: Browser, served: Served) -> None:
    context = browser.new_context()
    page = context.new_page()
    page.goto(served.login)
    expect(page.locator("#main h1")).to_be_visible(timeout=15_000)
    assert page.url == f"{served.url}/"
    expect(page.locator("#live")).to_contain_text("Live", timeout=15_000)
    context.close()


def test_without_a_login_it_says_how_to_get_in(browser: Browser, served: Served) -> None:
    context = browser.new_context()
    page = context.new_page()
    page.goto(served.url)
    expect(page.locator("#main")).to_contain_text("You are not signed in", timeout=15_000)
    context.close()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_view_keeps_nobody_out_and_fits_every_width(visit: Visit, ended: str, running: str, theme: str) -> None:
    page = visit(color_scheme=theme, bypass_csp=True)
    page.add_script_tag(path=AXE)
    for view in views(ended, running):
        page.goto(f"{page.url.partition('#')[0]}#/{view}")
        page.wait_for_selector("#main h1")
        assert (view, serious(page)) == (view, [])
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 900})
            assert (view, width, width_of(page) <= width) == (view, width, True)
        page.set_viewport_size({"width": 1440, "height": 900})


def test_the_page_is_given_the_assessment_that_everybody_gets(visit: Visit, client: Client) -> None:
    overfits = {"rows": 12, "features": 40, "noise": 1.0, "steps": 400}
    made = client.submit({"service": "fake", "seed": 1, "config": overfits})
    said = client.wait(made.id, timeout_s=60).operation.assessment
    assert said is not None
    assert said.verdict == "overfitting"
    page = visit("")
    with page.expect_response(lambda answer: f"/operations/{made.id}?" in f"{answer.url}?") as caught:
        page.goto(page.url.partition("#")[0] + f"#/op/{made.id}")
    assert caught.value.json()["assessment"] == said.model_dump(mode="json")
    expect(page.get_by_text(said.sentence).first).to_be_visible()


def test_a_running_operation_moves_by_itself(visit: Visit, running: str) -> None:
    page = visit(f"op/{running}")
    expect(page.locator("canvas")).to_be_visible()
    first = page.locator(".meta").inner_text()
    page.wait_for_function("(first) => document.querySelector('.meta').innerText !== first", arg=first)
    assert "val_loss" in str(page.locator(".plot").get_attribute("aria-label"))


def test_a_stop_asks_for_a_reason_and_stands_in_the_ledger(visit: Visit, client: Client) -> None:
    made = client.submit({**LONG, "name": "to be stopped"})
    client.wait(made.id, until="step>=15", timeout_s=60)
    page = visit(f"op/{made.id}")
    page.keyboard.press("s")
    dialog = page.locator("dialog[open]")
    expect(dialog).to_contain_text("Stop to be stopped?")
    dialog.locator("textarea").fill("seen enough")
    page.keyboard.press("Control+Enter")
    expect(page.locator(".led")).to_contain_text("“seen enough”")
    expect(page.locator(".meta")).to_contain_text("Completed, stopped early")
    [decision] = client.decisions(made.id)
    assert (decision.verb, decision.reason, decision.principal.name) == (Verb.STOP, "seen enough", "admin-bot")


def test_a_refusal_is_told_in_the_dialog(visit: Visit, client: Client, running: str) -> None:
    page = visit(f"op/{running}")
    page.keyboard.press("t")
    page.locator("#tune-lr").fill("-5")
    page.locator("dialog textarea").fill("too much")
    page.locator("dialog [type=submit]").click()
    expect(page.locator("dialog .wrong")).to_contain_text("lr")


def test_who_may_only_read_is_offered_no_command(visit: Visit, running: str) -> None:
    page = visit(f"op/{running}", scope=Scope.READ)
    expect(page.locator("#who")).to_contain_text("read only")
    assert page.get_by_role("button", name="Stop…").count() == 0


def test_a_hostile_name_and_log_line_are_shown_as_text(visit: Visit, client: Client, tmp_path: Path) -> None:
    command = [sys.executable, "-c", f"print({HOSTILE!r})"]
    made = client.submit(
        {"service": "script", "name": HOSTILE[:60], "config": {"command": command, "working_dir": str(tmp_path)}}
    )
    client.wait(made.id, until="terminal", timeout_s=60)
    page = visit(f"op/{made.id}")
    expect(page.locator("#main h1")).to_have_text(HOSTILE[:60])
    expect(page.get_by_role("log")).to_contain_text(HOSTILE)
    page.goto(f"{page.url.partition('#')[0]}#/")
    expect(page.get_by_role("link", name=HOSTILE[:60])).to_be_visible()
    assert page.locator("img[src=x]").count() == 0
    assert page.title() != "1"


def test_a_run_that_its_policy_stopped_says_first_what_happened_and_why(visit: Visit, client: Client) -> None:
    made = client.submit({**LONG, "name": "stopped by rule", "policy": {"on": {"H004": "stop"}}})
    client.wait(made.id, until="step>=15", timeout_s=60)
    client.command(made.id, CommandRequest(verb=Verb.TUNE, args={"lr": 900.0}, reason="to see it break"))
    assert client.wait(made.id, until="terminal", timeout_s=60).reached
    page = visit(f"op/{made.id}")
    deed = page.locator(".banner .deed")
    expect(deed).to_contain_text("Stopped early by its policy at step")
    expect(deed).to_contain_text("policy H004 -> stop")
    page.wait_for_function("document.querySelector('.banner .deed').getBoundingClientRect().bottom < 300")


def test_a_slow_press_is_heard_though_the_run_goes_on(visit: Visit, running: str) -> None:
    page = visit(f"op/{running}")
    box = page.get_by_role("button", name="Stop…").first.bounding_box()
    assert box is not None
    before = page.locator(".meta").inner_text()
    page.mouse.move(box["x"] + 10, box["y"] + 10)
    page.wait_for_function("(first) => document.querySelector('.meta').innerText !== first", arg=before)
    page.mouse.down()
    page.wait_for_timeout(600)
    page.mouse.up()
    expect(page.locator("dialog[open]")).to_contain_text("Stop runs on?")


def test_the_first_view_asks_nothing_twice(browser: Browser, served: Served, ended: str) -> None:
    for view in ("", f"op/{ended}"):
        context = context_of(browser, served)
        page = context.new_page()
        asked: list[str] = []
        page.on("request", lambda request, asked=asked: asked.append(request.url))
        page.goto(f"{served.url}/#/{view}")
        page.wait_for_selector(".row, .plot canvas")
        first = [url for url in asked if "/api/" in url]
        assert (view, sorted(first)) == (view, sorted(set(first)))
        assert (view, page.evaluate("window.early.size")) == (view, 0)
        context.close()


def test_letters_act_no_more_once_they_are_switched_off(visit: Visit, running: str) -> None:
    page = visit(f"op/{running}")
    page.keyboard.press("?")
    page.get_by_label("keys of one letter act").uncheck()
    page.keyboard.press("Escape")
    page.keyboard.press("s")
    expect(page.locator("dialog[open]")).to_have_count(0)
    page.keyboard.press("?")
    page.get_by_label("keys of one letter act").check()
    page.keyboard.press("Escape")
    page.keyboard.press("s")
    expect(page.locator("dialog[open]")).to_contain_text("Reason")


def test_runs_are_compared_by_how_far_they_lie_apart(visit: Visit, ended: str, running: str) -> None:
    page = visit(f"compare/{ended},{running}")
    strip = page.locator(".plot.strip")
    expect(strip.locator("canvas")).to_be_visible()
    expect(strip).to_have_attribute("aria-label", re.compile("runs on ends .* from ended well"))
    page.get_by_label("Difference from").select_option(label="runs on")
    expect(strip).to_have_attribute("aria-label", re.compile("ended well ends .* from runs on"))
    page.get_by_role("button", name="Training").click()
    expect(page.get_by_role("button", name="Training")).to_have_attribute("aria-pressed", "true")


def test_data_is_looked_at_before_a_training(visit: Visit) -> None:
    page = visit("new")
    page.get_by_role("button", name="tabular").click()
    page.locator("#field-trainDataPath").fill("sklearn:wine")
    page.get_by_role("button", name="Look at the data").click()
    expect(page.get_by_role("heading", name="The data")).to_be_visible(timeout=60_000)
    expect(page.locator("main")).to_contain_text("178 rows, 13 columns to learn from.")
    page.get_by_role("button", name="Use its suggestion").click()
    expect(page.locator("#field-targetColumn")).to_have_value("target")


def test_rows_are_filtered_sorted_and_compared(visit: Visit, ended: str, running: str) -> None:
    page = visit()
    page.locator("#find").fill("ended well")
    expect(page.locator("tr.row")).to_have_count(1)
    assert "text=ended" in page.url
    page.locator("#find").fill("")
    for operation_id in (ended, running):
        page.locator(f"tr[data-id={operation_id}] input").check()
    page.get_by_role("link", name="Compare 2").click()
    expect(page.locator(".say2")).not_to_be_empty()
    assert ended in page.url


def test_the_keyboard_moves_opens_and_goes_up(visit: Visit, ended: str, running: str) -> None:
    page = visit()
    page.keyboard.press("j")
    expect(page.locator("tr.row.cur")).to_have_count(1)
    page.keyboard.press("Enter")
    expect(page.locator(".banner")).to_be_visible()
    page.keyboard.press("v")
    expect(page.get_by_role("region", name="The chart as a table")).to_be_visible()
    page.keyboard.press("u")
    expect(page.locator("table.ops")).to_be_visible()


def test_a_changed_verdict_is_told_to_a_screen_reader(visit: Visit, client: Client) -> None:
    made = client.submit({**LONG, "name": "breaks"})
    client.wait(made.id, until="step>=15", timeout_s=60)
    page = visit(f"op/{made.id}")
    client.command(made.id, CommandRequest(verb=Verb.TUNE, args={"lr": 900.0}, reason="to see it break"))
    expect(page.locator("#assertive")).to_contain_text("Non-finite", timeout=30_000)
    expect(page.locator(".banner.v-red")).to_be_visible()
    client.command(made.id, CommandRequest(verb=Verb.CANCEL, reason="seen"))


def test_a_new_operation_is_checked_before_it_starts(visit: Visit, client: Client) -> None:
    page = visit("new")
    page.get_by_role("button", name="fake").click()
    page.get_by_role("button", name=re.compile("^All [0-9]+ settings")).click()
    page.locator("#field-steps").fill("-1")
    expect(page.get_by_role("region", name="Check", exact=True)).to_contain_text("config.steps")
    page.locator("#field-steps").fill("40")
    expect(page.get_by_role("region", name="Check", exact=True)).to_contain_text("This would train fake")
    page.get_by_role("button", name="Start training").click()
    expect(page.locator(".banner")).to_be_visible()
    operation_id = page.url.rpartition("/")[2]
    assert client.spec(operation_id)["config"]["steps"] == 40


def test_it_comes_back_after_a_restart_with_nothing_missing(browser: Browser, tmp_path: Path) -> None:
    home = tmp_path / "home"
    with served_at(home) as first, connect(Settings(home=home, services=FAKE), start=False) as client:
        made = client.submit({**LONG, "name": "outlives the server"})
        client.wait(made.id, until="step>=15", timeout_s=60)
        context = context_of(browser, first)
        page = context.new_page()
        page.goto(f"{first.url}/#/op/{made.id}")
        expect(page.locator("canvas")).to_be_visible()
        first.process.kill()
        expect(page.locator("#recon")).to_contain_text("Reconnecting")
        with served_at(home, "--port", first.url.rpartition(":")[2]):
            expect(page.locator("#recon")).to_contain_text("nothing missing", timeout=30_000)
            with connect(Settings(home=home, services=FAKE), start=False) as now:
                assert now.operation(made.id).state is State.RUNNING
                now.command(made.id, CommandRequest(verb=Verb.STOP, reason="done"))
                now.wait(made.id, until="terminal", timeout_s=60)
                last = now.metrics(made.id).steps[-1]
            expect(page.locator(".meta")).to_contain_text("Completed")
            page.keyboard.press("v")
            expect(page.locator(".figures tbody th").first).to_have_text(f"{last:,}")
            shown = [int(text.replace(",", "")) for text in page.locator(".figures tbody th").all_inner_texts()]
            assert shown == list(range(last, last - len(shown), -1))
        context.close()
