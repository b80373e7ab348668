"""A trajectory on the page: an episode that plays, with what was said."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect
from tests.browsing import Visit, context_of
from tests.serving import Served

from tutelage.client import Client
from tutelage.core.layout import HomeFiles
from tutelage.services.agents.environments.scenes import box, circle, line, scene, text
from tutelage.services.agents.pictures.trajectory import Message, Trajectory

NUM_FRAMES = 12


def film() -> Trajectory:
    made = Trajectory(environment="speaker_listener", agents=("speaker", "listener"))
    for step in range(NUM_FRAMES):
        shapes = (
            line(-0.9, -0.9, 0.9, -0.9),
            box(-0.9, 0.6, 0.4, 0.2, color="amber", label="door"),
            text(0.6, -0.7, "<b>goal</b>", color="green"),
            circle(0.6, -0.5, 0.08, color="green"),
            circle(-0.8 + 0.12 * step, 0.4 - 0.08 * step, 0.1, color="blue", label="listener"),
            circle(-0.6, 0.3, 0.05, color="violet", label="speaker"),
        )
        said = [Message(speaker="speaker", hearers=("listener",), word=2)] if step else []
        made.add(episode=0, step=step, scene=scene(*shapes, bounds=(-1, -1, 1, 1)), messages=said)
    return made


@pytest.fixture(scope="module")
def filmed(client: Client, served: Served) -> str:
    """An operation that left a trajectory."""
    made = client.submit({"service": "fake", "name": "filmed", "config": {"steps": 60}})
    assert client.wait(made.id, until="terminal", timeout_s=60).reached
    film().save(HomeFiles(served.home).operation(made.id).artifacts / "trajectory.json")
    return made.id


def shown(page: Page) -> Page:
    page.get_by_role("tab", name="Artifacts").click()
    page.get_by_role("row", name="trajectory.json").get_by_role("button", name="Show").click()
    expect(page.locator(".preview svg")).to_be_visible()
    return page


def test_who_asks_for_less_motion_steps_through_an_episode_by_keyboard(visit: Visit, filmed: str) -> None:
    page = shown(visit(f"op/{filmed}"))
    picture, step = page.locator(".preview svg"), page.get_by_role("slider", name="Step")
    expect(page.get_by_role("button", name="Play")).to_be_visible()
    assert picture.get_attribute("aria-label") == "step 0: nothing is said"
    step.focus()
    page.keyboard.press("ArrowRight")
    expect(picture).to_have_attribute("aria-label", "step 1: speaker says 2 to listener")
    expect(picture).to_contain_text("“2”")
    expect(picture).to_contain_text("<b>goal</b>")
    page.keyboard.press("End")
    expect(picture).to_have_attribute("aria-label", f"step {NUM_FRAMES - 1}: speaker says 2 to listener")


def test_an_episode_plays_to_its_end_pauses_and_begins_anew(visit: Visit, filmed: str) -> None:
    page = shown(visit(f"op/{filmed}", reduced_motion="no-preference"))
    page.get_by_role("button", name="Pause").click()
    held = page.get_by_role("slider", name="Step").input_value()
    page.get_by_role("button", name="Play").click()
    expect(page.get_by_role("slider", name="Step")).to_have_value(str(NUM_FRAMES - 1))
    assert int(held) < NUM_FRAMES
    page.get_by_role("button", name="Play").click()
    expect(page.get_by_role("button", name="Pause")).to_be_visible()
    expect(page.get_by_role("slider", name="Step")).not_to_have_value(str(NUM_FRAMES - 1))


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_an_episode_has_its_picture(browser: Browser, served: Served, filmed: str, tmp_path: Path, theme: str) -> None:
    context = context_of(browser, served, color_scheme=theme, viewport={"width": 1200, "height": 1000})
    page = context.new_page()
    page.goto(f"{served.url}/#/op/{filmed}")
    shown(page)
    page.get_by_role("slider", name="Step").press("End")
    page.locator(".preview").scroll_into_view_if_needed()
    folder = Path(os.environ.get("TUTELAGE_PICTURES") or tmp_path)
    assert page.screenshot(path=folder / f"trajectory-{theme}.png")
    context.close()
