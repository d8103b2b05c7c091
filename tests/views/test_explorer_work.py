"""Work aside: the newest wish wins, nothing that was begun is lost, and no thread stays."""

from __future__ import annotations

import threading

from workbench.views.explorer_work import NewestWork


def test_only_the_newest_of_what_waits_is_carried_out():
    """While the first wish is at work the others replace each other."""
    begun, go_on, done = threading.Event(), threading.Event(), []

    def work(wish: int) -> None:
        begun.set()
        assert go_on.wait(60)
        done.append(wish)

    work_aside = NewestWork(work)
    work_aside.wish(1)
    assert begun.wait(60)
    assert not work_aside.is_outdated
    for wish in (2, 3, 4):
        work_aside.wish(wish)
    assert work_aside.is_outdated
    assert not work_aside.wait(0)
    go_on.set()
    assert work_aside.wait(60)
    assert done == [1, 4]
    assert not work_aside.busy


def test_a_wish_that_fails_does_not_stop_the_next_one():
    """What it raises is logged."""
    done = []

    def work(wish: int) -> None:
        done.append(1 / wish)

    work_aside = NewestWork(work)
    for wish in (0, 1):
        work_aside.wish(wish)
        assert work_aside.wait(60)
    assert done == [1.0]


def test_what_was_not_begun_can_be_taken_back():
    """To forget leaves what is at work alone."""
    begun, go_on, done = threading.Event(), threading.Event(), []

    def work(wish: int) -> None:
        begun.set()
        assert go_on.wait(60)
        done.append(wish)

    work_aside = NewestWork(work)
    work_aside.wish(1)
    assert begun.wait(60)
    work_aside.wish(2)
    work_aside.forget()
    go_on.set()
    assert work_aside.wait(60)
    assert done == [1]


def test_what_must_be_is_carried_out_in_order():
    """Wishes that must be stay in the queue; the others between them are replaced."""
    begun, go_on, done = threading.Event(), threading.Event(), []

    def work(wish: int) -> None:
        begun.set()
        assert go_on.wait(60)
        done.append(wish)

    work_aside = NewestWork(work, must=lambda wish: wish >= 10)
    work_aside.wish(1)
    assert begun.wait(60)
    for wish in (2, 10, 3, 4, 11, 5, 6):
        work_aside.wish(wish)
    go_on.set()
    assert work_aside.wait(60)
    assert done == [1, 10, 11, 6]
