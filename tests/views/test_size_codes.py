"""The quick way from sizes to codes gives the codes of the formula."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from workbench.views.size_codes import STEPS_PER_OCTAVE, dequantise, narrowed, quantise


@given(st.lists(st.floats(0, 2.0**62, width=32), min_size=1, max_size=50))
def test_codes_equal_the_logarithm(sizes):
    """1 + 1024·log2(lots), rounded; below one lot the smallest code, nothing stays nothing."""
    lots = np.array(sizes, np.float32)
    assert quantise(lots).tolist() == quantise(lots.astype(np.float64)).tolist()


def test_every_step_of_an_octave_begins_where_it_should():
    """The codes on both sides of all 1,024 borders, one float apart, are those of the formula."""
    borders = np.exp2((np.arange(STEPS_PER_OCTAVE) + 0.5) / STEPS_PER_OCTAVE).astype(np.float32)
    near = np.concatenate(
        [np.nextafter(borders, np.float32(0)), borders, np.nextafter(borders, np.float32(9))]
    )
    for factor in (1.0, 64.0, 2.0**40):
        lots = near * np.float32(factor)
        assert quantise(lots).tolist() == quantise(lots.astype(np.float64)).tolist()


def test_shape_is_kept():
    """Tiles go in and come out as tiles, also where they are slices."""
    heat = np.arange(24, dtype=np.float32).reshape(4, 6)[:, ::2]
    assert quantise(heat).shape == (4, 3)
    np.testing.assert_allclose(dequantise(quantise(heat)), heat, rtol=4e-4)


@given(st.lists(st.integers(0, 65535), min_size=1, max_size=60))
def test_a_byte_is_never_further_off_than_half_a_step(sizes):
    """Nothing stays nothing, and 254 steps span what is there."""
    codes = np.array(sizes, np.uint16)
    narrow, low, step = narrowed(codes)
    assert narrow.dtype == np.uint8 and step <= max(1, -(-65534 // 254))
    wide = np.where(narrow > 0, low + (narrow.astype(np.int64) - 1) * step, 0)
    assert ((narrow == 0) == (codes == 0)).all()
    assert (np.abs(wide - codes.astype(np.int64)) <= step // 2).all()
