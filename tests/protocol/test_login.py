"""The mutual challenge and the brake on guessing."""

from __future__ import annotations

from workbench.protocol.login import LoginGuard, client_proof, matches, server_proof

SECOND = 1_000_000_000


def test_proofs_differ_by_role_nonces_endpoint_and_secret() -> None:
    """No proof can be used in another place than the one it was made for."""
    proofs = {
        function(secret, client, server, endpoint)
        for function in (client_proof, server_proof)
        for secret in "ab"
        for client in "cd"
        for server in "ef"
        for endpoint in ("", "ws://127.0.0.1:1/v1")
    }
    assert len(proofs) == 32


def test_known_vector() -> None:
    """The vector of docs/protocol.md, so that other clients can check theirs."""
    assert client_proof("secret", "00" * 32, "11" * 32, "ws://127.0.0.1:8765/v1") == (
        "0e00b39a5e635554325f89040716c3ebdcd37b470ef4503cd77cfcc840979f3b"
    )
    assert server_proof("secret", "00" * 32, "11" * 32, "ws://127.0.0.1:8765/v1") == (
        "26f6b276f459fedb9a721cd9d8428a212550ab2657f4fccbc36784067c5899d1"
    )


def test_comparison_takes_any_text() -> None:
    """Text outside ASCII, and lone surrogates, simply do not match."""
    assert matches("abc", "abc")
    assert not any(matches(text, "abc") for text in ("", "ab", "abcd", "äbc", "\ud800"))


def test_third_failure_within_ten_seconds_waits() -> None:
    """Three failures within 10 s delay the answer by 1 s; spread out they do not."""
    guard = LoginGuard()
    assert [guard.failed(n * SECOND) for n in (0, 1, 2, 3)] == [0, 0, SECOND, SECOND]
    assert [guard.failed(n * SECOND) for n in (20, 31, 42)] == [0, 0, 0]
