"""What both directions of Bookmap's wire share: the separator and the types of lines."""

from __future__ import annotations

from enum import IntEnum
from typing import Final

SEPARATOR: Final = "\ue000"
SEPARATOR_BYTES: Final = SEPARATOR.encode()


class Type(IntEnum):
    """Field 0 of a line, both directions."""

    ERROR = -1
    CLIENT_INIT = 0
    SERVER_INIT = 1
    INSTRUMENT_INFO = 2
    REQ_DATA = 3
    RESP_DATA = 4
    TRADE = 5
    BAR = 6
    INSTRUMENT_DETACHED = 7
    DEPTH = 8
    REGISTER_INDICATOR = 9
    INDICATOR_RESPONSE = 10
    ADD_POINT = 11
    ON_INTERVAL = 12
    INIT_FINISHED = 13
    ADD_SETTING = 14
    SETTING_CHANGED = 15
    SERVER_OFF = 16
    MBO = 18
    SEND_ORDER = 19
    EXECUTE_ORDER = 20
    UPDATE_ORDER = 21
    ORDER_INFO = 22
    CANCEL_ORDER = 23
    MOVE_ORDER = 24
    MOVE_TO_MARKET = 25
    RESIZE_ORDER = 26
    BALANCE = 27
    POSITION = 28
    BROADCASTING = 29
    SUBSCRIBE_GENERATOR = 30
    PROVIDERS_STATUS = 31
    BROADCASTING_SETTINGS = 32
    USER_MESSAGE = 33


TRADING_TYPES: Final = frozenset(
    {Type.SEND_ORDER, Type.CANCEL_ORDER, Type.MOVE_ORDER, Type.MOVE_TO_MARKET, Type.RESIZE_ORDER}
)
"""Lines that trade. Without both locks open, not one of them is written."""
DATA_TYPES: Final = (
    Type.DEPTH,
    Type.TRADE,
    Type.MBO,
    Type.ORDER_INFO,
    Type.POSITION,
    Type.BALANCE,
)
"""What is asked for, each once: asking twice brings every event twice."""
