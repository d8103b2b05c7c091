"""What can be planted: records, their JSON, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from workbench.errors import ReplayError
from workbench.feeds.simulator import Simulator
from workbench.feeds.simulator.planting import KINDS, Plant, plain_plants, plants, plants_from, read_plants


def test_a_round_holds_every_kind_once_evenly_spread() -> None:
    """Eight kinds every 16 s: two seconds apart, from the time asked for."""
    planted = plants(every="16s", at="1s", life="2s")
    assert [plant.kind for plant in planted] == list(KINDS)
    assert [plant.at for plant in planted] == [(1 + 2 * i) * 1_000_000_000 for i in range(8)]
    assert {(plant.every, plant.life) for plant in planted} == {(16_000_000_000, 2_000_000_000)}


def test_plants_survive_json_and_say_lengths_as_text(tmp_path: Path) -> None:
    """Plain mappings of plants give the same plants; a file may speak of seconds."""
    planted = plants("wall", "sweep", side=-1, distance=5)
    assert plants_from(json.loads(json.dumps(plain_plants(planted)))) == planted
    path = tmp_path / "plants.json"
    path.write_text('[{"kind": "wall", "at": "5s", "every": "20s", "fate": "pulled"}]')
    wanted = Plant(kind="wall", at=5_000_000_000, every=20_000_000_000, fate="pulled")
    assert read_plants(path) == (wanted,)


@pytest.mark.parametrize(
    "fields",
    [
        {"kind": "mirage"},
        {"kind": "wall", "side": 2},
        {"kind": "wall", "fate": "vanished"},
        {"kind": "wall", "size": -1},
        {"kind": "wall", "sizes": 1},
        {"kind": "wall", "size": "large"},
        {"kind": "wall", "at": "soon"},
        {},
    ],
)
def test_plants_that_mean_nothing_are_refused(fields: dict[str, Any]) -> None:
    """Unknown kinds, sides, fates and fields, negative numbers, words for numbers."""
    with pytest.raises(ReplayError):
        plants_from([fields])


@pytest.mark.parametrize("text", ["no json", '{"kind": "wall"}'])
def test_a_file_without_a_list_of_plants_is_refused(tmp_path: Path, text: str) -> None:
    """Nor one that is not there."""
    path = tmp_path / "plants.json"
    with pytest.raises(ReplayError):
        read_plants(path)
    path.write_text(text)
    with pytest.raises(ReplayError):
        read_plants(path)


def test_the_name_of_a_source_says_what_is_planted() -> None:
    """Two plantings have two names; without plants the name is what it was."""
    names = [Simulator(7, plants=p).name for p in ((), plants("wall"), plants("wall", size=500))]
    assert names[0] == "simulate seed=7 profile=es-like"
    assert len(set(names)) == 3
    assert "plants=wall#" in names[1]
