"""The feed protocol, version 1, without input or output: bytes in, notices and bytes out.

``messages`` is the vocabulary of the wire, ``codec`` and ``rows`` its binary and its JSON face, ``server`` and
``client`` the two state machines. Nothing here reads a clock, opens a socket or starts a thread: ``now`` (monotonic
ns) and random bytes are arguments. The whole text for writers of other clients is ``docs/protocol.md``.
"""
