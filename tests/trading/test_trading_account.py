"""The account against arithmetic by hand, and against plain fractions."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.errors import InstrumentError
from workbench.trading.account import Account, Position
from workbench.trading.contracts import Contract

ES = Contract(symbol="ES", tick_size=Decimal("0.25"), multiplier=Decimal(50), per_lot=Decimal("2.25"))
COIN = Contract(
    symbol="BTCUSD", tick_size=Decimal("0.5"), multiplier=Decimal(100), inverse=True, taker=Decimal("0.0005")
)
fills = st.lists(
    st.tuples(st.integers(-9, 9).filter(bool), st.integers(80_000, 80_400)), min_size=1, max_size=40
)


def test_bought_twice_and_sold_in_part() -> None:
    """2 @ 100 and 1 @ 106: cost 306, average 102. Sell 2 @ 110: 2 · (110 − 102) = 16 ticks · lots; 1 @ 102 is left."""
    account = Account({"ES": ES}, cash="1000")
    for signed, ticks in ((2, 100), (1, 106), (-2, 110)):
        account.fill("ES", signed, ticks)
    assert account.realized() == Fraction("200")  # 16 · 0.25 · 50
    assert account.position("ES").average(ES) == 102
    assert account.unrealized({"ES": 2 * 103}) == Fraction("12.5")
    assert account.equity({"ES": 2 * 103}) == Fraction("1212.5")


def test_a_sale_beyond_flat_opens_the_other_side() -> None:
    """Long 2 @ 100, sell 5 @ 104: gained 8, short 3 @ 104; a mid of 103.5 gains 1.5 more."""
    account = Account({"ES": ES})
    account.fill("ES", 2, 100)
    account.fill("ES", -5, 104)
    assert (account.position("ES").lots, account.position("ES").average(ES)) == (-3, 104)
    assert account.realized() == 100
    assert account.unrealized({"ES": 207}) == Fraction("18.75")


def test_an_inverse_contract_pays_in_the_coin() -> None:
    """10 · 100 USD long from 40 000 to 50 000: 1 000 / 40 000 − 1 000 / 50 000 = 0.005 coins, fee 0.05 % of 0.025."""
    account = Account({"BTCUSD": COIN})
    account.fill("BTCUSD", 10, 80_000, COIN.fee(80_000, 10, maker=False))
    assert account.position("BTCUSD").average(COIN) == 80_000
    assert account.equity({"BTCUSD": 2 * 100_000}) == Fraction("0.005") - Fraction("0.0000125")
    account.fill("BTCUSD", -10, 100_000)
    assert account.position("BTCUSD").average(COIN) is None
    assert account.equity({}) == Fraction("0.005") - Fraction("0.0000125")


def test_fees_are_by_lot_and_by_value() -> None:
    """Three lots of 2.25 are 6.75; 2 basis points of 100 ticks · 3 lots · 12.5 are 0.75."""
    assert ES.currency(ES.fee(100, 3, maker=True)) == Fraction("6.75")
    linear = Contract(symbol="X", tick_size=Decimal("0.25"), multiplier=Decimal(50), maker=Decimal("-0.0002"))
    assert linear.currency(linear.fee(100, 3, maker=True)) == Fraction("-0.75")
    assert linear.fee(100, 3, maker=False) == 0


def test_several_contracts_add_up() -> None:
    """Gains of two contracts with grids of their own are one sum; one without a price counts at its cost."""
    other = Contract(symbol="X", tick_size=Decimal("0.01"))
    account = Account({"ES": ES, "X": other}, cash="5")
    account.fill("ES", 1, 100)
    account.fill("X", 3, 700)
    assert account.equity({"ES": 202, "X": 1390}) == 5 + Fraction("12.5") - Fraction("0.15")
    assert account.equity({"ES": 202}) == 5 + Fraction("12.5")
    assert account.position("nowhere") == Position()


@given(fills=fills, mark=st.integers(160_000, 160_800), inverse=st.booleans())
def test_realised_and_unrealised_are_all_that_was_gained(
    fills: list[tuple[int, int]], mark: int, inverse: bool
) -> None:
    """Linear: to the last part of a unit, whatever is closed in whatever pieces. Inverse: within its rounding."""
    contract = COIN if inverse else ES
    position, gained = Position(), Fraction(0)
    for signed, ticks in fills:
        position.fill(contract, signed, ticks, fee=3)
        gained += signed * (contract.exact_worth(mark) - contract.exact_worth(2 * ticks)) - 3
    split = position.realized + position.unrealized(contract, mark) - position.fees
    assert position.gain(contract, mark) == gained
    assert position.lots == sum(signed for signed, _ in fills)
    assert abs(split - gained) <= (sum(abs(signed) for signed, _ in fills) * 2 if inverse else 0)
    if not position.lots:
        assert position.cost == 0 and position.average(contract) is None


@given(fills=fills)
def test_mirrored_fills_gain_the_opposite(fills: list[tuple[int, int]]) -> None:
    """Every purchase a sale: the same cost, positions and gains with the other sign."""
    one, two = Position(), Position()
    for signed, ticks in fills:
        one.fill(ES, signed, ticks)
        two.fill(ES, -signed, ticks)
    assert (one.lots, one.cost, one.realized, one.flow) == (-two.lots, -two.cost, -two.realized, -two.flow)


def test_the_average_stays_between_the_prices() -> None:
    """A long run that is never flat: the average lies where the prices lie, and the integers stay small."""
    position = Position()
    position.fill(ES, 5, 100)
    for step in range(10_000):
        position.fill(ES, 3 if step % 2 else -3, 100 + step % 7)
    average = position.average(ES)
    assert average is not None and 100 <= average <= 106
    assert position.cost.bit_length() < 64


@pytest.mark.parametrize("fee", [Decimal("NaN"), Decimal(2)])
def test_fees_that_make_no_sense_are_refused(fee: Decimal) -> None:
    """A fee is a part of the value: 2 would be twice the value."""
    with pytest.raises(InstrumentError, match="expected a part of the value"):
        Contract(symbol="X", tick_size=Decimal(1), maker=fee)


@given(
    executed=st.lists(st.tuples(st.integers(1, 10**6), st.integers(1, 10**6), st.booleans()), max_size=8),
    rates=st.tuples(*[st.decimals("-0.9", "0.9", places=7)] * 2, st.decimals("-9", "9", places=3)),
    inverse=st.booleans(),
)
def test_fees_of_many_are_those_of_each_and_rounded_once(
    executed: list[tuple[int, int, bool]], rates: tuple[Decimal, Decimal, Decimal], inverse: bool
) -> None:
    """Both faces of one formula: value times rate, and so much a lot, rounded half to even."""
    maker, taker, per_lot = rates
    contract = Contract(
        symbol="X", tick_size=Decimal("0.5"), multiplier=Decimal(10), inverse=inverse,
        maker=maker, taker=taker, per_lot=per_lot,
    )  # fmt: skip
    many = contract.fees(*zip(*executed)) if executed else contract.fees([], [], [])
    for (ticks, lots, made), fee in zip(executed, many, strict=True):
        rate = Fraction(maker if made else taker)
        value = abs(contract.exact_worth(2 * ticks)) * lots
        exact = rate * value + Fraction(per_lot) * lots * contract.scale / contract.unit
        assert fee == round(exact) == contract.fee(ticks, lots, maker=made)
