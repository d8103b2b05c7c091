"""Which versions understand each other: those with the same major number."""

from __future__ import annotations

from workbench.protocol.limits import PROTOCOL_MAJOR


def mismatch(*, peer: str, peer_name: str, own_name: str) -> str | None:
    """Say what is wrong with the version of the peer; None if it fits.

    >>> mismatch(peer="2.1", peer_name="bridge", own_name="workbench")
    'bridge speaks 2, workbench 1: pip install -U orderflow-workbench'
    """
    major = peer.partition(".")[0]
    if major == str(PROTOCOL_MAJOR):
        return None
    spoken = {peer_name: major[:12] or "nothing", own_name: str(PROTOCOL_MAJOR)}
    text = f"bridge speaks {spoken['bridge']}, workbench {spoken['workbench']}"
    return f"{text}: pip install -U orderflow-workbench"
