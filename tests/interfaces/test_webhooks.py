"""Sending: to the address that was checked, not where a cloud hands out credentials, not after a redirect."""

from __future__ import annotations

import httpx
import pytest

from tutelage.interfaces.webhooks import may_be_told, post, resolve


@pytest.mark.parametrize(
    ("address", "allowed"),
    [
        ("93.184.216.34", True),
        ("10.0.0.7", True),
        ("127.0.0.1", True),
        ("::1", True),
        ("2606:2800:220:1::1", True),
        ("169.254.169.254", False),
        ("::ffff:169.254.169.254", False),
        ("fe80::1%eth0", False),
        ("fd00:ec2::254", False),
        ("0.0.0.0", False),
        ("::", False),
        ("224.0.0.1", False),
        ("255.255.255.255", False),
    ],
)
def test_where_messages_may_go(address: str, allowed: bool) -> None:
    assert may_be_told(address) is allowed


def receiver(seen: list[httpx.Request], status: int, **headers: str) -> httpx.MockTransport:
    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(status, headers=headers)

    return httpx.MockTransport(answer)


def test_the_connection_goes_to_the_address_that_was_checked() -> None:
    seen: list[httpx.Request] = []
    taken = post(
        "https://ci.example:8443/hook?x=1",
        b"{}",
        {"Tutelage-Delivery": "msg_1"},
        resolve=lambda host, port: ["10.0.0.1"],
        transport=receiver(seen, 204),
    )
    assert taken is None
    assert str(seen[0].url) == "https://10.0.0.1:8443/hook?x=1"
    assert seen[0].headers["host"] == "ci.example:8443"
    assert seen[0].extensions["sni_hostname"] == "ci.example"


def test_a_name_that_leads_to_credentials_is_refused_before_anything_is_sent() -> None:
    seen: list[httpx.Request] = []
    why = post(
        "http://metadata.example/", b"{}", {}, resolve=lambda *_: ["169.254.169.254"], transport=receiver(seen, 200)
    )
    assert why is not None
    assert "169.254.169.254" in why
    assert seen == []


@pytest.mark.parametrize(
    ("status", "why"), [(200, None), (302, "the receiver answered 302"), (500, "the receiver answered 500")]
)
def test_only_an_answer_of_success_counts_and_no_redirect_is_followed(status: int, why: str | None) -> None:
    seen: list[httpx.Request] = []
    transport = receiver(seen, status, location="http://169.254.169.254/")
    assert post("http://x.example/", b"{}", {}, resolve=lambda *_: ["10.0.0.1"], transport=transport) == why
    assert len(seen) == 1


@pytest.mark.parametrize(
    "url", ["http://", "http://x:99999999/", "http://[::1", "http://\u2100.example/", "http://x:a/"]
)
def test_an_odd_address_is_a_failure_and_not_a_crash(url: str) -> None:
    assert "has no address" in (post(url, b"{}", {}) or "")


def test_an_unknown_name_is_a_failure_to_try_again() -> None:
    def nobody(host: str, port: int) -> list[str]:
        raise OSError("unknown")

    assert "has no address" in (post("http://x.example/", b"{}", {}, resolve=nobody) or "")
    assert resolve("127.0.0.1", 80) == ["127.0.0.1"]
