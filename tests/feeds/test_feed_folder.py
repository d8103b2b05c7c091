"""The folder of discovery files, looked at again and again."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.support.endpoints import endpoint
from workbench.feeds import discovery
from workbench.feeds.feed_folder import FeedFolder


@pytest.fixture(autouse=True)
def runtime_dir(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv(discovery.RUNTIME_DIR_VARIABLE, str(tmp_path / "run"))


def test_a_folder_that_did_not_change_is_not_read_again():
    """A file that came, went or says something else is a change."""
    folder = FeedFolder()
    assert folder.changed() == []
    published = discovery.publish(endpoint())
    assert folder.changed() == [published]
    assert folder.changed() is None
    renewed = discovery.renew(replace(published, symbols=("A",)))
    assert folder.changed() == [renewed]
    discovery.withdraw(renewed)
    assert folder.changed() == []
    assert folder.changed() is None
