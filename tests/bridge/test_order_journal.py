"""The journal of orders: what was written is there, what was damaged is not believed."""

from __future__ import annotations

import errno
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.bridge.order_journal import (
    SENT,
    OrderJournal,
    decode,
    encode,
    ids_sent,
    journal_path,
    state_directory,
)

ENTRY = {"ts": 1, "what": SENT, "client_order_id": "a-1", "hash": "0f"}
VALUES = st.none() | st.integers() | st.text(max_size=20) | st.lists(st.text(max_size=5), max_size=3)


@given(st.lists(st.dictionaries(st.text(max_size=5), VALUES, max_size=4), max_size=4))
def test_entries_come_back_whatever_they_hold(entries: list[dict[str, object]]) -> None:
    """One line an entry, newlines and separators in texts included."""
    data = b"".join(map(encode, entries))
    assert data.count(b"\n") == len(entries)
    assert list(decode(data)) == entries


def test_every_cut_and_every_flipped_bit_is_noticed() -> None:
    """Of two entries the whole one stands and the damaged one is left out, wherever the damage is."""
    whole = encode({"what": "armed"})
    line = encode(ENTRY)
    for length in range(1, len(line) - 1):
        assert list(decode(whole + line[:length])) == [{"what": "armed"}, None]
    for bit in range((len(line) - 1) * 8):
        flipped = bytearray(line)
        flipped[bit // 8] ^= 1 << bit % 8
        assert ENTRY not in list(decode(whole + bytes(flipped)))


def test_ids_are_those_that_were_sent() -> None:
    """Refused orders and damaged lines take no id."""
    entries = [ENTRY, None, {"what": "refused", "client_order_id": "b"}, {"what": SENT}]
    assert ids_sent(entries) == {"a-1": "0f"}


def test_an_id_outlives_its_process(tmp_path: Path) -> None:
    """What one process sent the next one knows, and the process itself at once."""
    path = tmp_path / "orders" / "es.jsonl"
    journal = OrderJournal(path)
    assert journal.used_ids == {}
    journal.write([{"what": "armed"}, ENTRY])
    assert journal.used_ids == {"a-1": "0f"}
    journal.sync()
    journal.close()
    again = OrderJournal(path)
    assert (again.used_ids, again.damaged) == ({"a-1": "0f"}, 0)
    again.close()


def test_what_follows_a_cut_line_is_not_lost(tmp_path: Path) -> None:
    """A process killed within a write leaves a cut line; the next one's first entry stands by itself."""
    path = tmp_path / "es.jsonl"
    path.write_bytes(encode({"what": "armed"}) + encode(ENTRY)[:-9])
    first = OrderJournal(path)
    assert (first.used_ids, first.damaged) == ({}, 1)
    first.write([ENTRY])
    first.close()
    second = OrderJournal(path)
    assert (second.used_ids, second.damaged) == ({"a-1": "0f"}, 1)
    second.close()


def test_what_follows_a_write_that_failed_is_not_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A disk that was full for a moment leaves half a line; the order that is sent afterwards is remembered."""
    path, real, room = tmp_path / "es.jsonl", os.write, [20, 0]
    journal = OrderJournal(path)

    def fill_up(descriptor: int, data: bytes) -> int:
        if not (left := room.pop(0)):
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(descriptor, data[:left])

    with monkeypatch.context() as disk:
        disk.setattr(os, "write", fill_up)
        with pytest.raises(OSError, match="No space"):
            journal.write([ENTRY])
    journal.write([ENTRY | {"client_order_id": "a-2"}])
    journal.close()
    again = OrderJournal(path)
    assert (again.used_ids, again.damaged) == ({"a-2": "0f"}, 1)
    again.close()


def test_ids_of_another_process_are_seen(tmp_path: Path) -> None:
    """Two add-ons for one instrument share the file: what one of them sent the other does not send again."""
    path = tmp_path / "es.jsonl"
    one, other = OrderJournal(path), OrderJournal(path)
    one.write([{"what": "armed"}, ENTRY])
    assert other.look() == {"a-1": "0f"} == other.used_ids
    assert other.look() == one.look() == {}
    other.write([ENTRY | {"client_order_id": "a-2"}])
    assert other.look() == {} and one.look() == {"a-2": "0f"}
    with path.open("ab") as half:
        half.write(encode(ENTRY | {"client_order_id": "a-3"})[:-5])
    assert one.look() == {}
    one.close()
    other.close()


def test_a_killed_process_loses_no_entry(tmp_path: Path) -> None:
    """An entry is with the system when ``write`` returns: SIGKILL right after takes nothing."""
    path = tmp_path / "es.jsonl"
    script = (
        "import os, sys; from pathlib import Path; from workbench.bridge.order_journal import OrderJournal\n"
        "journal = OrderJournal(Path(sys.argv[1]))\n"
        "journal.write([{'what': 'sent', 'client_order_id': str(n), 'hash': 'h'} for n in range(50)])\n"
        "os.kill(os.getpid(), 9) if hasattr(os, 'fork') else os._exit(1)\n"
    )
    subprocess.run([sys.executable, "-c", script, str(path)], check=False, timeout=60)
    journal = OrderJournal(path)
    assert set(journal.used_ids) == {str(n) for n in range(50)}
    journal.close()


@pytest.mark.skipif(os.name == "nt", reason="Windows keeps access lists instead")
def test_only_its_owner_may_read_it(tmp_path: Path) -> None:
    """Orders are nobody else's business, and a planted link is not followed."""
    path = tmp_path / "orders" / "es.jsonl"
    OrderJournal(path).close()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    link = tmp_path / "orders" / "nq.jsonl"
    link.symlink_to(path)
    with pytest.raises(OSError) as refused:
        OrderJournal(link)
    assert refused.value.errno == errno.ELOOP


@pytest.mark.skipif(os.name == "nt", reason="Windows has no limit of a file's size")
def test_no_room_is_an_error(tmp_path: Path) -> None:
    """An entry that does not fit is told to whoever writes it, and takes no id."""
    script = (
        "import resource, signal, sys; from pathlib import Path\n"
        "from workbench.bridge.order_journal import OrderJournal\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN); resource.setrlimit(resource.RLIMIT_FSIZE, (20, 20))\n"
        "journal = OrderJournal(Path(sys.argv[1]))\n"
        "try: journal.write([{'what': 'sent', 'client_order_id': 'a', 'hash': 'h'}])\n"
        "except OSError as problem: print(problem.errno, journal.used_ids)\n"
    )
    path = str(tmp_path / "es.jsonl")
    ran = subprocess.run([sys.executable, "-c", script, path], capture_output=True, check=True, timeout=60)
    assert ran.stdout.decode().split() == [str(errno.EFBIG), "{}"]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device")
def test_a_device_is_no_journal() -> None:
    """A path that leads to something else than a plain file is refused, not read for ever."""
    with pytest.raises(OSError, match="no plain file"):
        OrderJournal(Path("/dev/full"))


@given(st.text(min_size=1))
def test_the_name_of_an_instrument_leads_nowhere_else(symbol: str) -> None:
    """The path stays in its folder, is plain ASCII, and differs for every instrument."""
    folder = Path("/state")
    path = journal_path(symbol, folder)
    assert path.parent == folder / "orders"
    assert path.name.isascii()
    assert len(path.name) < 60
    assert path != journal_path(symbol + "x", folder)


def test_where_it_lives_can_be_chosen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """``WORKBENCH_STATE_DIR`` goes before the user's own folder."""
    monkeypatch.setenv("WORKBENCH_STATE_DIR", str(tmp_path))
    assert state_directory() == tmp_path
    monkeypatch.delenv("WORKBENCH_STATE_DIR")
    assert state_directory().name == "orderflow-workbench"
