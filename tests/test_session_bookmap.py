"""``wb.connect("bookmap")``: every bridge inside Bookmap, through one engine."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

import workbench as wb
from tests.support.bridges import ServedBridge
from tests.support.eventually import eventually
from workbench.errors import DiscoveryError
from workbench.feeds import discovery
from workbench.feeds.engines import stop_all


@pytest.fixture(autouse=True)
def runtime(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A runtime folder of our own; whatever runs in the end is stopped."""
    folder = tmp_path / "run"
    monkeypatch.setenv(discovery.RUNTIME_DIR_VARIABLE, str(folder))
    yield folder
    engines = [e for e in discovery.running_feeds() if e.key != discovery.BRIDGE_KEY]
    assert engines == [], stop_all()


def test_without_a_bridge_it_says_what_to_do() -> None:
    """At once, and no engine is started."""
    with pytest.raises(DiscoveryError, match="workbench bridge install"):
        wb.connect("bookmap")


@pytest.mark.parametrize("uri", ["bookmap", None])
def test_all_bridges_are_one_session(uri: str | None) -> None:
    """By name, or because nothing else runs; instruments that appear join, and those that vanish are stale."""
    with ServedBridge("ES"), ServedBridge("NQ", mortal=True) as other, wb.connect(uri) as session:
        assert session.source == "bookmap"
        assert set(session.symbols) == {"ES", "NQ"}
        assert session.state == "live"
        with wb.connect(uri) as second:
            assert second.source == "bookmap"
        other.crash()
        eventually(lambda: "NQ" in session.health.note)
