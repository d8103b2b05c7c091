"""Kraken's checksums, Bybit's archive and Tardis' samples against the figures of a plain program."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.support.truth import Case
from workbench.errors import ImportFailedError
from workbench.events import EventKind, Flag
from workbench.frames.importers import import_recording

Loader = Callable[[str], dict[str, Any]]
PAIRS = (
    "ADA/XBT",
    "ETH/CHF",
    "GRT/ETH",
    "KSM/XBT",
    "OCEAN/XBT",
    "OMG/USD",
    "SC/EUR",
    "WAVES/EUR",
    "XBT/CHF",
    "XMR/USD",
)


def shown(levels: list[tuple[float, float]]) -> list[tuple[Decimal, Decimal]]:
    """Exact decimals of a book's floats."""
    return [(Decimal(repr(price)), Decimal(repr(size))) for price, size in levels]


def exact(levels: list[list[str]]) -> list[tuple[Decimal, Decimal]]:
    """Exact decimals of a truth's texts."""
    return [(Decimal(price), Decimal(size)) for price, size in levels]


@pytest.mark.parametrize("pair", PAIRS)
def test_kraken_pair(pair: str, shared_data: Path, truth: Loader, tmp_path: Path) -> None:
    """Each pair's updates, checksums, levels and best five are the truth's; none of the checksums is wrong."""
    expected = truth("KRAKEN.ws.50.0")["pairs"][pair]
    recording = import_recording(
        shared_data / "multi/KRAKEN.ws.50.0", "kraken", tmp_path, symbol=pair, progress=False
    )
    counts = recording.manifest.source["counts"]
    for name in ("snapshot", "level_updates", "republished", "checksum_ok"):
        assert counts[name] == expected[name]
    assert "checksum_wrong" not in counts
    assert len(recording.gaps) == 0
    book, _ = recording.books_at(recording.end_ns)
    # Joke orders thousands of times off the market do not fit the price column: counted, not kept.
    levels = book.level_count(1), book.level_count(-1) + counts["levels_out_of_range"]
    assert levels == (expected["bid_levels"], expected["ask_levels"])
    view = recording.book_at(recording.end_ns, levels=5)
    assert shown(view.bids) == exact(expected["top5_bids"])
    assert shown(view.asks) == exact(expected["top5_asks"])


def test_kraken_checksums_in_all(truth: Loader) -> None:
    """The pairs above are all pairs of the file."""
    pairs = truth("KRAKEN.ws.50.0")["pairs"]
    assert set(pairs) == set(PAIRS)
    assert sum(p["checksum_ok"] for p in pairs.values()) == truth("KRAKEN.ws.50.0")["checksums"]["equal"]


def test_kraken_asks_which_pair(shared_data: Path, tmp_path: Path) -> None:
    """Several pairs and none chosen is refused with their names."""
    with pytest.raises(ImportFailedError, match=r"OMG/USD.*symbol="):
        import_recording(shared_data / "multi/KRAKEN.ws.50.0", out=tmp_path, progress=False)
    assert list(tmp_path.iterdir()) == []


def test_bybit_archive(shared_data: Path, truth: Loader, tmp_path: Path) -> None:
    """Messages, levels, chain, times and the last book are the truth's."""
    expected = truth("xrpusdt-ob500")
    recording = import_recording(shared_data / "bybit/xrpusdt-ob500.data.zip", out=tmp_path, progress=False)
    counts = recording.manifest.source["counts"]
    assert {k: counts[k] for k in expected["counts"]} == expected["counts"]
    assert counts["u_gaps"] == expected["u_gaps"]
    times = recording.start_ns // 10**6, recording.end_ns // 10**6
    assert times == (expected["t_first_ms"], expected["t_last_ms"])
    book, _ = recording.books_at(recording.end_ns)
    levels = book.level_count(1), book.level_count(-1)
    assert levels == (expected["final_bid_levels"], expected["final_ask_levels"])
    view = recording.book_at(recording.end_ns, levels=10)
    assert shown(view.bids) == exact(expected["final_top10_bids"])
    assert shown(view.asks) == exact(expected["final_top10_asks"])


def test_tardis_trades(shared_data: Path, truth: Loader, tmp_path: Path) -> None:
    """Rows, both clocks and volumes by aggressor are the truth's."""
    expected = truth("bitmex_trades_XBTUSD")
    recording = import_recording(
        shared_data / "tardis/bitmex_trades_XBTUSD.csv", out=tmp_path, progress=False
    )
    events = Case(recording, expected).events
    assert len(events) == expected["rows"]
    assert (int(events.ts_source[0]), int(events.ts_source[-1])) == (
        expected["timestamp_first_us"] * 1000,
        expected["timestamp_last_us"] * 1000,
    )
    assert sorted(((events.ts - events.ts_source) // 1000).tolist()) == expected["local_minus_exchange_us"]
    lot = recording.instrument.lot_size
    for side, name in ((1, "buy_volume"), (-1, "sell_volume")):
        assert int(events.size[events.side == side].sum()) * lot == Decimal(expected[name])


def test_tardis_book(shared_data: Path, truth: Loader, tmp_path: Path) -> None:
    """Snapshot rows, both clocks and every level are the truth's."""
    expected = truth("deribit_incremental_book_L2_BTC-PERPETUAL")
    path = shared_data / "tardis/deribit_incremental_book_L2_BTC-PERPETUAL.csv"
    recording = import_recording(path, out=tmp_path, progress=False)
    events = Case(recording, expected).events
    rows = events.kind == EventKind.DEPTH
    assert int(rows.sum()) == expected["rows"]
    assert int(((events.flags & Flag.SNAPSHOT) > 0).sum()) == expected["snapshot_rows"]
    assert ((events.ts - events.ts_source)[rows] // 1000).tolist() == expected["local_minus_exchange_us"]
    assert int(events.ts_source[rows][0]) == expected["timestamp_first_us"] * 1000
    view = recording.book_at(recording.end_ns, levels=None)
    assert shown(view.bids) == exact(expected["bids"])
    assert shown(view.asks) == exact(expected["asks"])


@pytest.mark.parametrize("name", ["book_snapshot_5", "book_snapshot_25"])
def test_tardis_windows(name: str, shared_data: Path, tmp_path: Path) -> None:
    """After each row of a file of books the book is that row."""
    path = shared_data / f"tardis/binance-futures_{name}_BTCUSDT.csv"
    recording = import_recording(path, out=tmp_path, progress=False)
    header, *lines = path.read_text().splitlines()
    for line in lines:
        row = dict(zip(header.split(","), line.split(",")))
        view = recording.book_at(int(row["local_timestamp"]) * 1000, levels=None)
        for side, levels in (("bids", view.bids), ("asks", view.asks)):
            wanted = [
                [row[f"{side}[{i}].price"], row[f"{side}[{i}].amount"]]
                for i in range(int(name.rsplit("_")[-1]))
            ]
            assert shown(levels) == exact(wanted)


def test_tardis_quotes(shared_data: Path, tmp_path: Path) -> None:
    """After each quote the best prices are that quote."""
    path = shared_data / "tardis/huobi-dm-swap_quotes_BTC-USD.csv"
    recording = import_recording(path, out=tmp_path, progress=False)
    header, *lines = path.read_text().splitlines()
    for line in lines:
        row = dict(zip(header.split(","), line.split(",")))
        view = recording.book_at(int(row["local_timestamp"]) * 1000, levels=None)
        assert shown(view.bids) == exact([[row["bid_price"], row["bid_amount"]]])
        assert shown(view.asks) == exact([[row["ask_price"], row["ask_amount"]]])
