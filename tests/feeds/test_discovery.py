"""Discovery files: private, never overwritten, never followed, and stale ones recognised."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from dataclasses import replace
from itertools import repeat
from pathlib import Path

import pytest

from tests.support.endpoints import endpoint
from workbench.errors import DiscoveryError
from workbench.feeds import discovery
from workbench.feeds.processes import process_start

posix_only = pytest.mark.skipif(os.name != "posix", reason="file modes and symbolic links are POSIX's")


@pytest.fixture(autouse=True)
def runtime_dir(tmp_path, monkeypatch) -> Path:
    folder = tmp_path / "run"
    monkeypatch.setenv(discovery.RUNTIME_DIR_VARIABLE, str(folder))
    return folder


def test_what_was_published_is_found():
    """A published feed is found by its key and its address, with everything it said of itself."""
    published = discovery.publish(endpoint())
    assert discovery.running_feeds() == [published]
    assert discovery.find("simulate-1") == published
    assert discovery.at_address("ws://localhost:8765/v1") == published
    assert discovery.at_address("ws://127.0.0.1:1/v1") is None
    assert discovery.find("other") is None
    discovery.withdraw(published)
    assert discovery.running_feeds() == []


def test_the_secret_is_long_and_not_shown():
    """256 bits, and never part of a repr."""
    secret = discovery.new_secret()
    assert len(secret) >= 43
    assert discovery.new_secret() != secret
    assert secret not in repr(endpoint(secret=secret))


@posix_only
def test_file_and_folder_are_for_their_owner_alone(runtime_dir):
    """0600 in 0700 from the first moment on."""
    published = discovery.publish(endpoint())
    assert published.path is not None
    assert stat.S_IMODE(published.path.stat().st_mode) == 0o600
    assert stat.S_IMODE(runtime_dir.stat().st_mode) == 0o700


@posix_only
def test_a_link_planted_at_the_path_is_refused(runtime_dir, tmp_path):
    """Neither written through nor removed: somebody put it there."""
    victim = tmp_path / "victim"
    victim.write_text("precious")
    runtime_dir.mkdir(mode=0o700)
    feed = endpoint()
    discovery.file_of(feed.identity).symlink_to(victim)
    with pytest.raises(DiscoveryError, match="exists already"):
        discovery.publish(feed)
    assert victim.read_text() == "precious"
    with pytest.raises(DiscoveryError, match="symbolic link"):
        discovery.read(discovery.file_of(feed.identity))
    assert discovery.running_feeds() == []


@posix_only
def test_a_file_that_others_can_read_is_not_used():
    """Its secret may be known: the message says what to do."""
    published = discovery.publish(endpoint())
    assert published.path is not None
    published.path.chmod(0o644)
    with pytest.raises(DiscoveryError, match=r"readable by others: chmod 600"):
        discovery.read(published.path)
    assert discovery.running_feeds() == []


@posix_only
def test_a_folder_that_others_can_write_to_is_not_used(runtime_dir):
    """Anybody could plant a feed there."""
    runtime_dir.mkdir()
    runtime_dir.chmod(0o777)
    with pytest.raises(DiscoveryError, match="others may write"):
        discovery.runtime_dir()


def test_a_file_where_the_folder_should_be_is_refused(runtime_dir):
    """The message names the variable to set."""
    runtime_dir.write_text("")
    with pytest.raises(DiscoveryError, match=discovery.RUNTIME_DIR_VARIABLE):
        discovery.runtime_dir()


def test_the_file_of_an_ended_process_is_removed():
    """After a crash the file stays behind; the next look clears it away."""
    child = subprocess.Popen([sys.executable, "-c", ""])
    start = process_start(child.pid)
    child.wait()
    left = discovery.publish(endpoint(pid=child.pid, process_start=start or "gone"))
    assert left.path is not None
    assert left.path.exists()
    assert discovery.running_feeds() == []
    assert not left.path.exists()


def test_a_reused_process_id_does_not_revive_a_stale_file():
    """The id runs, but it is another process: its start time differs."""
    left = discovery.publish(endpoint(process_start="another time"))
    assert discovery.running_feeds() == []
    assert left.path is not None
    assert not left.path.exists()


@pytest.mark.parametrize("text", ["{", "[]", "{}", '{"identity": 1}', "null", "\x00"])
def test_a_damaged_file_is_told_and_left_alone(text, runtime_dir):
    """Not ours to remove, and no reason to fail: other feeds are still found."""
    good = discovery.publish(endpoint())
    bad = discovery.file_of("bad")
    descriptor = os.open(bad, os.O_WRONLY | os.O_CREAT, 0o600)
    os.write(descriptor, text.encode())
    os.close(descriptor)
    with pytest.raises(DiscoveryError, match="damaged"):
        discovery.read(bad)
    assert discovery.running_feeds() == [good]
    assert bad.exists()


def test_an_empty_file_left_by_a_kill_is_removed_once_it_is_old():
    """A feed that is just starting has an empty file for a moment; one that is ten seconds old never fills."""
    fresh, old = discovery.file_of("fresh"), discovery.file_of("old")
    for path in (fresh, old):
        path.touch(mode=0o600)
    os.utime(old, (0, 0))
    assert discovery.running_feeds() == []
    assert fresh.exists()
    assert not old.exists()


def test_withdrawing_leaves_another_runs_file_alone():
    """Only the run that wrote a file removes it."""
    mine = discovery.publish(endpoint())
    assert mine.path is not None
    plain = json.loads(mine.path.read_text()) | {"identity": "somebody"}
    mine.path.write_text(json.dumps(plain))
    discovery.withdraw(mine)
    assert mine.path.exists()
    discovery.withdraw(endpoint())  # never published: nothing to do


def test_one_feed_is_taken_and_several_are_a_question():
    """None: what to start; two: which one."""
    with pytest.raises(DiscoveryError, match="Start the Bookmap add-on, the simulator"):
        discovery.the_only([])
    one, two = endpoint(), endpoint(uri="ws://127.0.0.1:9/v1")
    assert discovery.the_only([one]) is one
    with pytest.raises(DiscoveryError, match=r"2 feeds are running.*127.0.0.1:9/v1.*Say which"):
        discovery.the_only([one, two])


def test_what_a_feed_says_of_itself_can_change():
    """The file is replaced in one step, stays private, and keeps its name."""
    published = discovery.publish(endpoint())
    renewed = discovery.renew(replace(published, symbols=("ESZ6", "NQZ6")))
    assert discovery.running_feeds() == [renewed]
    assert renewed.path == published.path
    assert [path.name for path in discovery.runtime_dir().iterdir()] == [published.path.name]
    assert stat.S_IMODE(renewed.path.stat().st_mode) & 0o077 == 0 or os.name != "posix"


def test_a_file_that_is_being_read_is_replaced_a_moment_later(monkeypatch):
    """Windows refuses it as long as somebody has it open; for ever is told."""
    published = discovery.publish(endpoint())
    refusals = iter([PermissionError("in use")] * 3)
    replace_file = Path.replace

    def busy(path: Path, target: Path) -> Path:
        for refusal in refusals:
            raise refusal
        return replace_file(path, target)

    monkeypatch.setattr(Path, "replace", busy)
    assert discovery.renew(replace(published, symbols=("NQ",))) == discovery.running_feeds()[0]
    refusals = repeat(PermissionError("in use"))
    with pytest.raises(DiscoveryError, match="in use by another program"):
        discovery.renew(replace(published, symbols=("ES",)))
    assert discovery.running_feeds()[0].symbols == ("NQ",)


def test_a_leftover_that_cannot_be_removed_is_left_alone(monkeypatch):
    """Somebody holds it open: it is no feed all the same, and whoever looks next tries again."""
    left = discovery.publish(endpoint(process_start="long ago"))

    def refused(path: Path, missing_ok: bool = False) -> None:
        raise PermissionError("in use")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "unlink", refused)
        assert discovery.running_feeds() == []
        discovery.withdraw(left)
    assert left.path.exists() and discovery.running_feeds() == [] and not left.path.exists()


def test_the_file_of_another_process_is_not_renewed():
    """It would send its clients to somebody else."""
    published = discovery.publish(endpoint())
    with pytest.raises(DiscoveryError, match="belongs to another process"):
        discovery.renew(replace(published, pid=1))
    assert discovery.running_feeds() == [published]
