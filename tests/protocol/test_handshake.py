"""Which upgrade requests are let in."""

from __future__ import annotations

import pytest

from workbench.protocol.handshake import bearer_token, check_request, choose_subprotocol

HOST = ("Host", "127.0.0.1:8765")


def _status(path: str, *headers: tuple[str, str], **options: object) -> int | None:
    refusal = check_request(path, headers, port=8765, **options)  # type: ignore[arg-type]
    return refusal.status if refusal else None


@pytest.mark.parametrize("host", ["127.0.0.1:8765", "localhost:8765", "[::1]:8765", "LOCALHOST:8765"])
def test_loopback_hosts_are_let_in(host: str) -> None:
    """Every spelling of loopback with the right port passes."""
    assert _status("/v1", ("Host", host)) is None


@pytest.mark.parametrize(
    "headers",
    [
        [],
        [HOST, HOST],
        [("Host", "evil.example:8765")],
        [("Host", "127.0.0.1")],
        [("Host", "127.0.0.1:80")],
        [("Host", "user@127.0.0.1:8765")],
        [("Host", "127.0.0.1:8765.evil.example")],
        [("Host", "")],
    ],
)
def test_other_hosts_are_refused(headers: list[tuple[str, str]]) -> None:
    """A name that merely resolves to loopback, a missing or a doubled Host get 403."""
    assert _status("/v1", *headers) == 403


@pytest.mark.parametrize(
    "origin",
    [
        "http://evil.example", "https://localhost", "http://127.0.0.1:8765", "http://localhost:8888", "null", "",
        "http://localhost.evil.com", "http://127.0.0.1.evil", "HTTP://LOCALHOST:8888", "http://localhost:8888.", "file://",
        "http://good.example",
    ],
)  # fmt: skip
def test_any_origin_is_refused(origin: str) -> None:
    """Web pages are not let in, wherever they say they come from."""
    assert _status("/v1", HOST, ("Origin", origin)) == 403


def test_allowed_origin_is_compared_exactly() -> None:
    """An allow-list knows no prefixes, no case and no second header."""
    allowed = ["http://good.example"]
    assert _status("/v1", HOST, ("Origin", allowed[0]), allowed_origins=allowed) is None
    for origin in (
        "http://good.example.evil",
        "http://GOOD.example",
        "http://good.example/",
        "http://good.exampl",
    ):
        assert _status("/v1", HOST, ("Origin", origin), allowed_origins=allowed) == 403
    assert (
        _status("/v1", HOST, ("Origin", allowed[0]), ("Origin", allowed[0]), allowed_origins=allowed) == 403
    )


@pytest.mark.parametrize("path", ["/", "/v2", "/v1/", "/v1?token=x", ""])
def test_other_paths_are_not_found(path: str) -> None:
    """Only /v1 is a feed; a token in the address is not looked at."""
    assert _status(path, HOST) == 404


def test_binary_is_chosen_when_offered() -> None:
    """Other subprotocols are not chosen."""
    assert choose_subprotocol(["x", "orderflow.v1.binary"]) == "orderflow.v1.binary"
    assert choose_subprotocol(["orderflow.v2.binary"]) is None


@pytest.mark.parametrize(
    ("header", "token"), [("Bearer abc", "abc"), ("bearer  abc", "abc"), ("Basic abc", None), (None, None)]
)
def test_bearer_token_is_read(header: str | None, token: str | None) -> None:
    """The scheme is compared without case, other schemes are none of ours."""
    assert bearer_token(header) == token
