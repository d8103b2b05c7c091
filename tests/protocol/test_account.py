"""What a late subscriber is told of an account."""

from __future__ import annotations

import msgspec

from workbench.protocol import decoding, messages
from workbench.protocol.account import MAX_EXECUTIONS, MAX_KEPT, AccountState
from workbench.protocol.outbox import Outbox

ORDER = messages.Order(
    symbol="ESZ6",
    client_order_id="a-1",
    status="NEW",
    side="BUY",
    order_type="LIMIT",
    quantity=2.0,
    filled=0.0,
    leaves=2.0,
    ts=1,
)
FILL = messages.Fill(
    symbol="ESZ6", client_order_id="a-1", execution_id="e", side="BUY", price=1.0, size=1.0, ts=2
)
BALANCE = messages.Balance(currency="USD", cash=1.0, equity=1.0, ts=3)


def test_a_state_replaces_the_earlier_one_and_is_news_once() -> None:
    """The same state again is no news; another one is all that is told of the order."""
    account = AccountState()
    later = messages.Order(**{f: getattr(ORDER, f) for f in ORDER.__struct_fields__} | {"status": "FILLED"})
    assert [account.take(m) for m in (ORDER, ORDER, later)] == [True, False, True]
    assert list(account.known()) == [later] == account.orders()


def test_the_number_of_a_request_is_nobody_elses_business() -> None:
    """Who asked is not kept, so that a late subscriber is not told an answer that is not his."""
    account = AccountState()
    account.take(messages.Trading(symbol="ESZ6", ts=1, request_id=7))
    (known,) = account.known()
    assert isinstance(known, messages.Trading) and known.request_id is None


def test_nothing_known_takes_nothing_back() -> None:
    """A bridge that was started anew knows of an order only that it was sent: what was filled stays filled."""
    account, change = AccountState(), msgspec.structs.replace
    filled = change(ORDER, order_id="7", status="FILLED", filled=2.0, leaves=0.0)
    assert account.take(filled)
    assert not account.take(change(ORDER, status="PENDING_NEW", unknown=True, request_id=1))
    assert account.orders() == [filled]
    assert account.take(change(filled, reason="as reported"))


def test_an_execution_counts_once() -> None:
    """A repeated execution id is the same execution (F21)."""
    account = AccountState()
    assert [account.take(FILL), account.take(FILL)] == [True, False]
    assert list(account.known()) == [FILL]


def test_messages_without_an_instrument_come_with_every_one() -> None:
    """Balances belong to the account; orders to their instrument only."""
    account = AccountState()
    for message in (ORDER, BALANCE):
        account.take(message)
    assert list(account.known("NQZ6")) == [BALANCE]
    assert list(account.known("ESZ6")) == [ORDER, BALANCE]


def test_orders_placed_elsewhere_are_told_apart() -> None:
    """Without a client order id the platform's own id is the key."""
    account = AccountState()
    for order_id in ("1", "2"):
        plain = {f: getattr(ORDER, f) for f in ORDER.__struct_fields__}
        account.take(messages.Order(**plain | {"client_order_id": "", "order_id": order_id}))
    assert [o.order_id for o in account.orders()] == ["1", "2"]


def test_what_others_said_never_fills_the_outbox_of_a_newcomer() -> None:
    """The newest is kept, in order, and all of it at once fits into what may wait for one client."""
    account = AccountState()
    said = [
        messages.Broadcast(symbol="ESZ6", ts=ts, provider="p", generator="g", data={"text": "x" * 60_000})
        for ts in range(300)
    ]
    assert all(account.take(message) for message in said)
    known = list(account.known("ESZ6"))
    assert known and known == said[-len(known) :]
    outbox = Outbox()
    for message in known:
        outbox.put(decoding.encode(message))
    assert not outbox.overflowed


def test_of_a_days_executions_the_newest_are_remembered() -> None:
    """Whatever happens, the memory it takes is bounded."""
    account = AccountState()
    for number in range(MAX_EXECUTIONS + 10):
        account.take(msgspec.structs.replace(FILL, execution_id=str(number)))
    assert len(account._executions) == MAX_EXECUTIONS
    assert len(list(account.known())) <= MAX_KEPT
    assert not account.take(msgspec.structs.replace(FILL, execution_id=str(number)))
