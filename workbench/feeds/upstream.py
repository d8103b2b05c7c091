"""Another feed as a source: the engine relays and records what somebody else serves."""

from __future__ import annotations

import time
from typing import Final

from workbench.errors import FeedError
from workbench.events import EventBatch, Instrument
from workbench.feeds.client import Delivery, FeedClient, Target
from workbench.feeds.inflow import Inflow
from workbench.protocol import messages
from workbench.protocol.notices import MarketData, Snapshot

EVERYTHING: Final = ("FULL_ORDER_BOOK", "TRADES", "MBO")


class UpstreamSource:
    """Live events of a foreign feed. Make one with :meth:`connect`.

    Notes
    -----
    Rows get sequence numbers of this source's own, because after a lost connection the other feed may begin its own
    anew. Its losses stay losses: they come as ``GAP`` rows.
    """

    live = True
    exhausted = False
    end_ns = None

    def __init__(self, uri: str, instruments: tuple[Instrument, ...]):
        self.instruments = instruments
        self.name = f"upstream {uri}"
        self.start_ns = time.time_ns()
        self._inflow = Inflow(self.start_ns, self._ask_anew)
        self._client: FeedClient | None = None

    @classmethod
    def connect(
        cls,
        uri: str,
        token: str | None = None,
        endpoint: str = "",
        symbols: list[str] | None = None,
        *,
        by_hand: bool = False,
    ) -> UpstreamSource:
        """Connect to a feed and subscribe to its instruments.

        Parameters
        ----------
        uri : str
        token : str, optional
            Proved, never sent unless ``by_hand``.
        endpoint : str
            As in the feed's discovery file, if there is one.
        symbols : list of str, optional
            All, if none is named.
        by_hand : bool
            The token was given by hand: it is sent to a feed that knows no challenge.

        Raises
        ------
        FeedError
            Nothing there, not a feed, refused, or an unknown instrument.
        """
        holder: list[UpstreamSource] = []
        client = FeedClient(
            Target(uri, token, endpoint, by_hand=by_hand),
            lambda d: holder[0].take(d) if holder else None,
            "relay",
        ).open()
        try:
            instruments = _instruments(client, symbols)
            source = cls(uri, instruments)
            source._client = client
            holder.append(source)
            for instrument in instruments:
                client.subscribe(instrument.symbol, EVERYTHING)
        except BaseException:
            client.close()
            raise
        return source

    def take(self, delivery: Delivery) -> None:
        """Take what the reader thread delivers."""
        if isinstance(delivery, MarketData | Snapshot):
            self._inflow.put(delivery.symbol, delivery.batch)

    @property
    def position_ns(self) -> int:
        """Time of the newest row that was handed on."""
        return self._inflow.position_ns

    def advance(self, until_ns: int, max_events: int | None = None) -> list[tuple[str, EventBatch]]:
        """Everything that arrived; ``until_ns`` is the wall clock's business here."""
        return self._inflow.take(max_events)

    def _ask_anew(self, symbol: str) -> None:
        """After a gap the book is not known: a new subscription begins with it."""
        if self._client is not None:
            self._client.unsubscribe(symbol)
            self._client.subscribe(symbol, EVERYTHING)

    def resync(self, symbol: str, reason: str) -> None:
        """Ask for the book of an instrument anew."""
        if self._client is not None:
            self._client.resync(symbol, reason)

    @property
    def facts(self) -> dict[str, object]:
        """What the connection has to say of itself, for ``HEALTH``."""
        if self._client is None:
            return {}
        health = self._client.health
        reason = "" if health.state == "ready" else health.reason
        return {"bad_messages": health.bad_messages, "examples": health.examples, "reason": reason}

    def seek(self, ts_ns: int) -> None:
        """Refused: what happens elsewhere has no other time than now."""
        raise FeedError("a live feed cannot be sought", code="not_replayable")

    def close(self) -> None:
        """Leave the other feed."""
        if self._client is not None:
            self._client.close()


def _instruments(client: FeedClient, symbols: list[str] | None) -> tuple[Instrument, ...]:
    answer = client.request(messages.ListInstruments())
    assert isinstance(answer, messages.Instruments)
    known = {plain["symbol"]: Instrument.from_dict(plain) for plain in answer.instruments}
    unknown = [s for s in symbols or () if s not in known]
    if unknown:
        raise FeedError(f"unknown instrument {unknown[0]!r}; have {list(known)}", code="unknown_instrument")
    return tuple(known[s] for s in symbols or known)
