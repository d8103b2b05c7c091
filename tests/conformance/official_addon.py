"""An add-on on the official package ``bookmap``: tells every handler's arguments as lines of JSON, and acts when told.

Run by the stand-in as Bookmap runs an add-on. The text setting ``act`` names a function of this file.
"""

from __future__ import annotations

import json
from typing import Any

import bookmap as bm

Addon = dict[str, Any]
ALIAS = ""
INDICATOR = 0


def tell(event: str, *arguments: object) -> None:
    print(json.dumps([event, *arguments]), flush=True)


def on_instrument(addon: Addon, alias: str, *facts: object) -> None:
    global ALIAS
    ALIAS = alias
    tell("instrument", alias, *facts)
    bm.subscribe_to_depth(addon, alias, 8)
    bm.subscribe_to_trades(addon, alias, 5)
    bm.subscribe_to_mbo(addon, alias, 18)
    bm.subscribe_to_order_info(addon, alias, 22)
    bm.subscribe_to_position_updates(addon, alias, 28)
    bm.subscribe_to_balance_updates(addon, alias, 27)
    bm.add_string_settings_parameter(addon, alias, "act", "", reload_if_change=False)
    bm.add_boolean_settings_parameter(addon, alias, "go", True, reload_if_change=False)
    bm.add_number_settings_parameter(addon, alias, "many", 2, 0, 10, 0.5, reload_if_change=False)
    bm.add_color_settings_parameter(addon, alias, "paint", (1, 2, 3), reload_if_change=False)
    bm.add_label_to_settings(addon, alias, "a label")


def on_detach(addon: Addon, alias: str) -> None:
    tell("detached", alias)


def on_setting(addon: Addon, alias: str, name: str, kind: str, value: object) -> None:
    tell("setting", alias, name, kind, value)
    if name == "act":
        ACTIONS.get(str(value), lambda addon: None)(addon)


def on_indicator(addon: Addon, request_id: int, indicator_id: int) -> None:
    global INDICATOR
    INDICATOR = indicator_id
    tell("indicator", request_id, indicator_id)


def draw(addon: Addon) -> None:
    bm.register_indicator(
        addon, ALIAS, 77, "Fair value", "PRIMARY", (255, 0, 128), "SHORT_DASH", 20010.5, True, True, False
    )


def point(addon: Addon) -> None:
    bm.add_point(addon, ALIAS, INDICATOR, 20012.25)


def bad_point(addon: Addon) -> None:
    bm.add_point(addon, ALIAS, INDICATOR, float("nan"))


def message(addon: Addon) -> None:
    bm.send_user_message(addon, ALIAS, "Grüße, 100 €")


def message_elsewhere(addon: Addon) -> None:
    bm.send_user_message(addon, "NOWHERE", "hello")


def buy(addon: Addon) -> None:
    order = bm.OrderSendParameters(ALIAS, True, 3)
    order.client_id = "mine"
    order.duration = "GTC"
    bm.send_order(addon, order)


def buy_low(addon: Addon) -> None:
    order = bm.OrderSendParameters(ALIAS, True, 3)
    order.limit_price, order.duration, order.client_id = 99.0, "GTC", "low"
    order.take_profit_offset, order.stop_loss_offset = 8, 4
    bm.send_order(addon, order)


def buy_with_a_number(addon: Addon) -> None:
    order = bm.OrderSendParameters(ALIAS, 1, 2.5)
    bm.send_order(addon, order)


def manage(addon: Addon) -> None:
    order_id = ORDERS["low"]
    bm.resize_order(addon, ALIAS, order_id, 5)
    bm.move_order(addon, ALIAS, order_id, 98.75)
    bm.cancel_order(addon, ALIAS, order_id)


def listen(addon: Addon) -> None:
    bm.subscribe_to_provider(addon, "Market Pulse")
    bm.subscribe_to_generator(addon, "Market Pulse", "pulse", False)


def fail(addon: Addon) -> None:
    raise ValueError("a handler that fails")


ACTIONS = {f.__name__: f for f in (draw, point, bad_point, message, message_elsewhere, buy, buy_low,
                                   buy_with_a_number, manage, listen, fail)}  # fmt: skip
ORDERS: dict[str, str] = {}


def on_update(addon: Addon, update: dict[str, Any]) -> None:
    ORDERS[update.get("clientId", "")] = update["orderId"]
    tell("update", update)


def teller(event: str) -> Any:
    return lambda addon, *arguments: tell(event, *arguments)


def main() -> None:
    addon = bm.create_addon()
    bm.add_depth_handler(addon, teller("depth"))
    bm.add_trades_handler(addon, teller("trade"))
    bm.add_mbo_handler(addon, teller("mbo"))
    bm.add_response_data_handler(addon, teller("response"))
    bm.add_on_interval_handler(addon, teller("interval"))
    bm.add_indicator_response_handler(addon, on_indicator)
    bm.add_on_setting_change_handler(addon, on_setting)
    bm.add_on_order_updated_handler(addon, on_update)
    bm.add_on_order_executed_handler(addon, teller("execution"))
    bm.add_on_position_update_handler(addon, teller("position"))
    bm.add_on_balance_update_handler(addon, teller("balance"))
    bm.add_broadcasting_handler(addon, teller("broadcast"))
    bm.add_broadcasting_settings_handler(addon, teller("broadcast settings"))
    bm.add_broadcasting_provider_status_handler(addon, teller("providers"))
    bm.start_addon(addon, on_instrument, on_detach)
    bm.wait_until_addon_is_turned_off(addon)


if __name__ == "__main__":
    main()
