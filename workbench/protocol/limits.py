"""Every limit of the protocol in one place; the server tells its clients the ones they can meet (``WELCOME``)."""

from __future__ import annotations

from typing import Final

PROTOCOL_VERSION: Final = "1.0"
PROTOCOL_MAJOR: Final = 1
PATH: Final = "/v1"
BINARY_SUBPROTOCOL: Final = "orderflow.v1.binary"

SECOND_NS: Final = 1_000_000_000
MAX_MESSAGE_BYTES: Final = 1 << 20
MAX_DEPTH: Final = 16
MAX_ROWS_PER_FRAME: Final = 8_192  # 8192 rows are 352 kB in binary and at most 1 MiB in JSON messages

LOGIN_TIMEOUT_NS: Final = 2 * SECOND_NS
LOGIN_FAILURES: Final = 3  # so many wrong tokens …
LOGIN_FAILURE_WINDOW_NS: Final = 10 * SECOND_NS  # … within this time …
LOGIN_DELAY_NS: Final = SECOND_NS  # … and every further answer waits this long
CHALLENGE_NS: Final = SECOND_NS
NONCE_BYTES: Final = 32

HEARTBEAT_NS: Final = SECOND_NS // 2
STALE_NS: Final = 3 * HEARTBEAT_NS
DEAD_NS: Final = 4 * SECOND_NS
SNAPSHOT_TIMEOUT_NS: Final = 2 * SECOND_NS
RESYNC_RETRY_NS: Final = SECOND_NS // 2

BAD_MESSAGES: Final = 10  # more than so many malformed messages …
BAD_MESSAGES_WINDOW_NS: Final = SECOND_NS  # … within this time close the connection
CONTROL_PER_SECOND: Final = 200  # a dozen indicators drawn each 0.1 s, and orders beside them
CONTROL_BURST: Final = 400
MAX_SUBSCRIPTIONS: Final = 64

OUTBOX_BYTES: Final = 8 << 20
STALL_NS: Final = 5 * SECOND_NS
CHUNK_BYTES: Final = 256 << 10
RING_BYTES: Final = 64 << 20  # 1.5 million rows: half a minute at 50 000 events/s
MAX_LAG_BYTES: Final = OUTBOX_BYTES

DOM_LEVELS: Final = 10
DOM_MAX_LEVELS: Final = 1_000
DOM_INTERVAL_MS: Final = 100
DOM_MIN_INTERVAL_MS: Final = 10
MAX_CLIENTS: Final = 8

CLOSE_NORMAL: Final = 1000
CLOSE_GOING_AWAY: Final = 1001
CLOSE_PROTOCOL: Final = 1002
CLOSE_BAD_TEXT: Final = 1007
CLOSE_POLICY: Final = 1008
CLOSE_TOO_BIG: Final = 1009


def announced() -> dict[str, int]:
    """Limits as ``WELCOME`` tells them."""
    return {
        "message_bytes": MAX_MESSAGE_BYTES,
        "depth": MAX_DEPTH,
        "rows_per_frame": MAX_ROWS_PER_FRAME,
        "messages_per_second": CONTROL_PER_SECOND,
        "subscriptions": MAX_SUBSCRIPTIONS,
        "dom_levels": DOM_MAX_LEVELS,
        "dom_min_interval_ms": DOM_MIN_INTERVAL_MS,
    }
