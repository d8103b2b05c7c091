"""What can be asked of a paper desk; each of them is kept in its journal, so that a run can be made again."""

from __future__ import annotations

import msgspec

from workbench.trading.terms import Terms


class Place(msgspec.Struct, frozen=True, tag="place"):
    """Place an order; ``clicked`` (ns, stream time): when a person asked."""

    terms: Terms
    clicked: int | None = None


class Cancel(msgspec.Struct, frozen=True, tag="cancel"):
    """Take an order back."""

    client_order_id: str
    reason: str = ""


class Replace(msgspec.Struct, frozen=True, tag="replace"):
    """Change size (lots, the whole) or prices (ticks) of an order."""

    client_order_id: str
    lots: int | None = None
    limit: int | None = None
    stop: int | None = None


class CancelEvery(msgspec.Struct, frozen=True, tag="cancel_all"):
    """Take every order back."""

    reason: str = "CANCEL_ALL"


class Flatten(msgspec.Struct, frozen=True, tag="flatten"):
    """Take every order back and close the position."""


class Halt(msgspec.Struct, frozen=True, tag="halt"):
    """Take every order back and refuse new ones until :class:`Resume`."""

    reason: str = "panic"


class Reduce(msgspec.Struct, frozen=True, tag="reduce"):
    """Allow only what makes the position smaller."""

    reason: str = "asked for"


class Resume(msgspec.Struct, frozen=True, tag="resume"):
    """Allow orders again."""


PaperCommand = Place | Cancel | Replace | CancelEvery | Flatten | Halt | Reduce | Resume
_DECODER: msgspec.json.Decoder[PaperCommand] = msgspec.json.Decoder(PaperCommand)


def encode_command(command: PaperCommand) -> str:
    """One line of JSON."""
    return msgspec.json.encode(command, order="deterministic").decode()


def decode_command(text: str) -> PaperCommand:
    """Inverse of :func:`encode_command`."""
    return _DECODER.decode(text)
