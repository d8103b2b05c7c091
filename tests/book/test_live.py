"""The plain book for single events; its equality with the compiled one is in test_levels."""

from __future__ import annotations

from workbench.book.live import PyBook


def test_the_next_best_price_may_be_far_away() -> None:
    """Removing the best bid above two billion empty ticks finds the next one at once."""
    book = PyBook()
    book.set_level(1, 2**31 - 1, 1)
    book.set_level(1, -(2**31), 2)
    book.set_level(1, 2**31 - 1, 0)
    assert (book.best_bid, book.best_bid_size) == (-(2**31), 2)


def test_a_copy_lives_its_own_life() -> None:
    """Levels set in a copy do not show in the original."""
    book = PyBook()
    book.set_level(1, 100, 1)
    twin = book.copy()
    twin.set_level(1, 100, 0)
    assert (book.best_bid, twin.best_bid) == (100, None)


def test_clear_forgets_everything() -> None:
    """After clear both sides are empty and the book is not valid."""
    book = PyBook()
    book.set_level(1, 100, 1)
    book.clear()
    assert repr(book) == "PyBook(no bid, no ask, 0 + 0 levels, not valid)"
