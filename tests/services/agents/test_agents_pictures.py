"""Trajectories as JSON and as GIF."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from PIL import Image

from tutelage.services.agents.environments.scenes import box, circle, line, scene, text
from tutelage.services.agents.pictures.gif import draw, save_gif
from tutelage.services.agents.pictures.trajectory import FORMAT, MAX_FRAMES, Message, Trajectory


def film(num: int = 3) -> Trajectory:
    made = Trajectory(environment="speaker_listener", agents=("speaker", "listener"))
    for step in range(num):
        shapes = (
            circle(0.1 * step, 0.0, 0.1, color="blue", label="listener"),
            circle(-0.5, 0.5, 0.05, label="speaker"),
            box(-0.9, -0.9, 0.3, 0.2, color="red", label="door"),
            line(-1, 0, 1, 0, color="amber"),
            text(0.5, -0.5, "goal", color="green"),
        )
        messages = [Message(speaker="speaker", hearers=("listener",), word=step % 3)]
        made.add(episode=0, step=step, scene=scene(*shapes, bounds=(-1, -1, 1, 1)), messages=messages, rewards=(-0.5,))
    return made


def test_a_trajectory_is_saved_as_json_with_scene_and_messages_of_each_step(tmp_path: Path) -> None:
    film().save(tmp_path / "trajectory.json")
    read = json.loads((tmp_path / "trajectory.json").read_text())
    assert read["format"] == FORMAT
    assert read["agents"] == ["speaker", "listener"]
    assert [frame["step"] for frame in read["frames"]] == [0, 1, 2]
    assert read["frames"][2]["messages"] == [{"from": "speaker", "to": ["listener"], "word": 2}]
    assert [shape["kind"] for shape in read["frames"][0]["scene"]["shapes"]] == [
        "circle",
        "circle",
        "box",
        "line",
        "text",
    ]


def test_a_long_episode_is_cut() -> None:
    made = film(MAX_FRAMES + 5)
    assert made.is_full
    assert len(made.frames) == MAX_FRAMES


def test_a_gif_moves_and_ends_where_the_trajectory_does(tmp_path: Path) -> None:
    save_gif(film(), tmp_path / "episode.gif")
    with Image.open(tmp_path / "episode.gif") as picture:
        assert (picture.n_frames, picture.size) == (3, (320, 320))
        assert picture.info["loop"] == 0


def test_a_picture_shows_each_shape_at_its_place_and_the_word_over_its_speaker() -> None:
    frame = film(1).frames[0]
    spoken, silent = draw(frame).convert("RGB"), draw({**frame, "messages": []}).convert("RGB")
    x = y = 24 + 136  # the origin of a square of half-width 1, in 272 of 320 pixels; a line goes through it
    assert spoken.getpixel((x, y - 8)) == (0x28, 0x58, 0x8A)
    over = (70, 62, 110, 82)  # around the place above the speaker's disc
    said, nothing = (np.asarray(picture.crop(over)) for picture in (spoken, silent))
    assert said.min() < 64 < nothing.min()  # ink on paper
