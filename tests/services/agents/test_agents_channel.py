"""The channel: who may say what to whom, and what arrives a step later."""

from __future__ import annotations

import numpy as np
import pytest

from tutelage.core.errors import InvalidSpec
from tutelage.services.agents.communication.channel import WordChannel
from tutelage.services.agents.communication.interventions import cut, shuffled
from tutelage.services.agents.communication.plan import NOTHING, ChannelPlan
from tutelage.services.agents.config.channel import ChannelOptions
from tutelage.services.agents.environments.base import Link, Observation

ALL_THREE = Link(words=4, speakers=(0, 1, 2), hearers=(0, 1, 2))
ONE_WAY = Link(words=3, speakers=(0,), hearers=(1,))
SILENT = Observation(seen=())


def plan(link: Link = ALL_THREE, *protocols: str, num_agents: int = 3, **options: object) -> ChannelPlan:
    return ChannelPlan(
        link=link,
        num_agents=num_agents,
        protocols=protocols or ("broadcast",),
        options=ChannelOptions(**options),
    )


def said(channel: WordChannel, **choices: list[int]) -> tuple[np.ndarray, ...]:
    words = [np.array(choices[name]) if (name := f"a{agent}") in choices else None for agent in range(3)]
    return channel.deliver(words, SILENT)


@pytest.mark.parametrize(
    ("link", "protocols", "options", "choices", "hearing"),
    [
        (ONE_WAY, ("broadcast",), {}, [3, 0, 0], [0, 3, 0]),
        (ONE_WAY, ("direct", "broadcast"), {}, [3, 0, 0], [0, 3, 0]),
        (ALL_THREE, ("broadcast",), {}, [4, 4, 4], [8, 8, 8]),
        (ALL_THREE, ("broadcast",), {"reading": "mean"}, [4, 4, 4], [4, 4, 4]),
        (ALL_THREE, ("direct",), {}, [8, 8, 8], [8, 8, 8]),
        (ALL_THREE, ("direct", "broadcast"), {}, [12, 12, 12], [8, 8, 8]),
        (ALL_THREE, ("direct",), {"budget": 2}, [9, 9, 9], [8, 8, 8]),
        (Link(words=4, speakers=(1,), hearers=(1,)), ("broadcast",), {}, [0, 0, 0], [0, 0, 0]),
    ],
)
def test_an_agent_chooses_among_words_and_addresses_and_hears_the_other_speakers(
    link: Link, protocols: tuple[str, ...], options: dict[str, object], choices: list[int], hearing: list[int]
) -> None:
    made = plan(link, *protocols, **options)
    assert [made.choices(agent) for agent in range(3)] == choices
    assert [made.hearing(agent) for agent in range(3)] == hearing


def test_a_broadcast_word_reaches_every_other_agent_in_the_place_of_its_speaker() -> None:
    heard = said(WordChannel(plan(), 1, seed=0), a0=[3], a2=[1])
    assert heard[0].tolist() == [[0, 0, 0, 0, 0, 1, 0, 0]]
    assert heard[1].tolist() == [[0, 0, 0, 1, 0, 1, 0, 0]]
    assert heard[2].tolist() == [[0, 0, 0, 1, 0, 0, 0, 0]]


def test_read_as_a_mean_the_words_of_all_speakers_share_one_place() -> None:
    heard = said(WordChannel(plan(reading="mean"), 1, seed=0), a0=[3], a2=[1])
    assert heard[1].tolist() == [[0, 0.5, 0, 0.5]]
    assert heard[2].tolist() == [[0, 0, 0, 1]]


def test_with_an_echo_agents_hear_their_own_word_too() -> None:
    made = plan(ALL_THREE, echo=True)
    assert [made.sources(agent) for agent in range(3)] == [(0, 1, 2)] * 3
    assert [address.hearer for address in made.addresses(0)] == [None]
    heard = said(WordChannel(made, 1, seed=0), a1=[2])
    assert all(words.tolist() == [[0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0]] for words in heard)
    assert plan(ONE_WAY, echo=True).sources(0) == ()


def test_a_direct_word_reaches_the_chosen_agent_alone() -> None:
    made = plan(ALL_THREE, "direct")
    assert [address.hearer for address in made.addresses(0)] == [1, 2]
    heard = said(WordChannel(made, 2, seed=0), a0=[2, 4 + 2])  # word 2 to agent 1, and to agent 2
    assert [row.any() for row in heard[1]] == [True, False]
    assert [row.any() for row in heard[2]] == [False, True]


def test_with_both_protocols_an_agent_may_also_speak_to_all() -> None:
    made = plan(ALL_THREE, "direct", "broadcast")
    assert [address.hearer for address in made.addresses(1)] == [None, 0, 2]


def test_words_are_heard_for_one_step_and_not_by_a_copy_that_began_anew() -> None:
    channel = WordChannel(plan(ONE_WAY), 2, seed=0)
    assert not channel.hear()[1].any()
    said(channel, a0=[2, 2])
    channel.forget(np.array([False, True]))
    assert channel.hear()[1].tolist() == [[0, 0, 1], [0, 0, 0]]
    assert not said(channel)[1].any()


def test_nobody_is_heard_who_cannot_speak_nor_where_nobody_can_hear() -> None:
    deaf, hears = (Observation(seen=(), hears=np.full((1, 3), can)) for can in (False, True))
    for word, observation, arrives in [(NOTHING, SILENT, False), (1, deaf, False), (1, hears, True)]:
        channel = WordChannel(plan(), 1, seed=0)
        assert channel.deliver((np.array([word]), None, None), observation)[1].any() == arrives


def test_noise_changes_words_and_drops_lose_them_as_often_as_asked() -> None:
    channel = WordChannel(plan(ONE_WAY, noise=0.3), 20_000, seed=1)
    heard = said(channel, a0=[1] * 20_000)[1]
    assert heard.mean(0) == pytest.approx([0.15, 0.7, 0.15], abs=0.01)
    channel = WordChannel(plan(ONE_WAY, drop=0.4), 20_000, seed=1)
    assert said(channel, a0=[1] * 20_000)[1].sum() == 20_000 - channel.traffic.lost
    assert channel.traffic.lost / 20_000 == pytest.approx(0.4, abs=0.01)


def test_a_budget_ends_in_silence_and_begins_anew_with_the_episode() -> None:
    channel = WordChannel(plan(ONE_WAY, budget=2), 1, seed=0)
    said(channel, a0=[3])  # silent of its own will: costs nothing
    assert [said(channel, a0=[1])[1].any() for _ in range(3)] == [True, True, False]
    channel.forget(np.array([True]))
    assert said(channel, a0=[1])[1].any()


def test_messages_and_their_bits_are_counted() -> None:
    channel = WordChannel(plan(ALL_THREE, "direct"), 5, seed=0)
    said(channel, a0=[0] * 5, a1=[1] * 5)
    assert channel.traffic.as_dict() == {"steps": 5, "messages": 10, "bits": 30.0, "lost": 0}


def test_a_restored_channel_goes_on_as_the_first_would_have() -> None:
    first = WordChannel(plan(noise=0.5, drop=0.2, budget=9), 6, seed=3)
    said(first, a0=[1] * 6, a1=[2] * 6)
    second = WordChannel(plan(noise=0.5, drop=0.2, budget=9), 6, seed=99)
    second.load_state_dict(first.state_dict())
    for channel in (first, second):
        said(channel, a0=[3] * 6, a2=[0] * 6)
    assert all((one == other).all() for one, other in zip(first.hear(), second.hear(), strict=True))
    assert first.traffic == second.traffic


def test_cut_nobody_hears_and_shuffled_every_copy_hears_another_one() -> None:
    inboxes = [np.arange(7)[:, None], np.full((7, 0), NOTHING)]
    assert (cut(inboxes, np.random.default_rng(0))[0] == NOTHING).all()
    for seed in range(20):
        moved = shuffled(inboxes, np.random.default_rng(seed))[0][:, 0]
        assert sorted(moved) == list(range(7))
        assert (moved != np.arange(7)).all()


def test_a_channel_without_a_protocol_is_refused() -> None:
    with pytest.raises(InvalidSpec, match="needs a protocol, got none"):
        ChannelPlan(link=ONE_WAY, num_agents=2, protocols=())
