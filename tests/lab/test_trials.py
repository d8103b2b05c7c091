"""The register of trials: nothing that was tried is lost, whatever crashes and whoever else writes."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from workbench.errors import RecordingError
from workbench.lab.trials import SUFFIX, Trials, summarised

WRITER = """
import sys
from pathlib import Path
import numpy as np
from workbench.lab.trials import Trials, summarised
trials = Trials(Path(sys.argv[1]))
print("ready", flush=True)
sys.stdin.readline()
for k in range(40):
    returns = np.random.default_rng(k).standard_normal(240)
    trials.count(summarised(f"{sys.argv[2]}-{k}", "1s", "x" * 3000, returns))
    trials.count(summarised(f"shared-{k}", "1s", "everybody", returns))
"""


def trial(key: str, seed: int = 1, setting: str = "1s", mean: float = 0.0):  # type: ignore[no-untyped-def]
    """A trial of noise."""
    return summarised(key, setting, f"Signal({key})", np.random.default_rng(seed).standard_normal(240) + mean)


def test_what_is_counted_is_there_for_the_next_one(tmp_path: Path) -> None:
    """Another process, another day."""
    first = Trials(tmp_path / "t")
    first.count(trial("a"))
    first.count(trial("b"))
    assert len(Trials(tmp_path / "t")) == 2
    assert repr(Trials(tmp_path / "t")) == "Trials(2 different)"


def test_a_repeat_counts_once(tmp_path: Path) -> None:
    """In one process and in another."""
    for _ in range(2):
        register = Trials(tmp_path / "t")
        register.count(trial("a"))
        register.count(trial("a"))
    assert len(Trials(tmp_path / "t")) == 1
    assert len((tmp_path / "t").read_bytes().splitlines()) == 1


def test_half_a_line_of_a_crash(tmp_path: Path) -> None:
    """It is no trial while nothing follows; the next line is whole, and the torn one still counts as a try."""
    register = Trials(tmp_path / "t")
    register.count(trial("a"))
    with (tmp_path / "t").open("ab") as file:
        file.write(b'{"key":"torn","setting":"1s","sig')
    assert len(Trials(tmp_path / "t")) == 1
    register.count(trial("b"))
    again = Trials(tmp_path / "t")
    assert (len(again), again.damaged) == (3, 1)
    assert again.judge(trial("b")).trials == 3


@pytest.mark.parametrize("line", [b"\xff\xfe", b"{}", b"[1, 2]", b'{"key": 3}'])
def test_lines_that_are_no_trials_count_as_tries(tmp_path: Path, line: bytes) -> None:
    """Whoever damaged them, something was tried."""
    (tmp_path / "t").write_bytes(line + b"\n")
    register = Trials(tmp_path / "t")
    register.count(trial("a"))
    assert len(register) == 2
    assert register.judge(trial("a")).trials == 2


def test_several_processes_lose_nothing(tmp_path: Path) -> None:
    """Three at once, 40 trials of their own and 40 that all of them do: 160 different ones, no line torn."""
    path = tmp_path / "t"
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", WRITER, str(path), name], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        for name in "abc"
    ]
    try:
        for writer in writers:
            assert writer.stdout is not None
            assert writer.stdout.readline().strip() == b"ready"
        for writer in writers:
            assert writer.stdin is not None
            writer.stdin.write(b"go\n")
            writer.stdin.flush()
        assert [writer.wait(timeout=120) for writer in writers] == [0, 0, 0]
    finally:
        for writer in writers:
            writer.kill()
            writer.communicate(timeout=30)
    register = Trials(path)
    assert (len(register), register.damaged) == (160, 0)


def test_what_another_process_counts_is_seen(tmp_path: Path) -> None:
    """A register that is open looks again."""
    one, other = Trials(tmp_path / "t"), Trials(tmp_path / "t")
    assert len(one) == 0
    other.count(trial("b"))
    assert len(one) == 1


def test_a_register_that_cannot_be_used(tmp_path: Path) -> None:
    """A directory in its place, or no directory at all: an error that says what to do."""
    (tmp_path / "t").mkdir()
    with pytest.raises(RecordingError, match="register of trials"):
        len(Trials(tmp_path / "t"))
    register = Trials(tmp_path / "absent" / "t")
    with pytest.raises(RecordingError, match="cannot write"):
        register.count(trial("a"))
    assert len(register) == 0


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    """Nobody is led to write elsewhere."""
    (tmp_path / "t").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(RecordingError):
        Trials(tmp_path / "t").count(trial("a"))
    assert not (tmp_path / "elsewhere").exists()


@dataclass(eq=False)
class Recorded:
    """Something with a path."""

    path: Path | None


def test_where_it_lies(tmp_path: Path) -> None:
    """Beside the recording; what has no path keeps its trials for as long as it lives."""
    assert Trials.of(Recorded(tmp_path / "r")).path == tmp_path / f"r{SUFFIX}"
    session, other = Recorded(None), Recorded(None)
    Trials.of(session).count(trial("a"))
    assert (len(Trials.of(session)), len(Trials.of(other)), len(Trials.of([]))) == (1, 0, 0)


def test_more_trials_deflate() -> None:
    """The same result is worth less after twenty other tries; overfitting is told of those alike."""
    register, best = Trials(), trial("best", mean=0.15)
    register.count(best)
    alone = register.judge(best)
    assert (alone.trials, alone.dsr) == (1, alone.psr)
    assert np.isnan(alone.pbo)
    for k in range(20):
        register.count(trial(f"{k}", seed=k + 2))
    worth = register.judge(best)
    assert (worth.trials, worth.psr) == (21, alone.psr)
    assert worth.dsr < alone.dsr
    assert 0 <= worth.pbo <= 1
    assert repr(worth).startswith("Deflation(21 trials, sharpe ")


def test_ratios_of_other_periods_are_no_spread() -> None:
    """Of twenty tries of another setting the number counts, and not how far their ratios lie apart."""
    near, far, best = Trials(), Trials(), trial("best", mean=0.15)
    for k in range(20):
        returns = np.random.default_rng(k).standard_normal(240)
        near.count(summarised(f"{k}", "20s", "x", returns))
        far.count(summarised(f"{k}", "20s", "x", returns.reshape(12, 20).sum(axis=1)))
    assert near.judge(best) == far.judge(best)
    assert near.judge(best).dsr < Trials().judge(best).dsr - 0.1


def test_summaries_by_hand() -> None:
    """12 periods 1, 2, 1, 2, …: mean 1.5, deviation 0.5, Sharpe 3, skewness 0, kurtosis 1."""
    found = summarised("k", "s", "x", np.tile([1.0, 2.0], 6))
    assert (found.sharpe, found.skew, found.kurtosis, found.periods) == (3.0, 0.0, 1.0, 12)
    assert found.sums == (1.0, 2.0) * 6
    assert found.squares == (1.0, 4.0) * 6
    assert summarised("k", "s", "x", np.zeros(12)).sharpe == 0.0
