"""What Bookmap says an instrument can do."""

from __future__ import annotations

from workbench.testing.encoder import Provider


def usual_features(provider: Provider, trading: bool) -> dict[str, object]:
    """Supported features as Bookmap names them (the example in the README of the package ``bookmap``)."""
    return {
        "trading": trading,
        "oco": True,
        "oso": True,
        "depth": provider != "mbo",
        "mbo": provider != "depth",
        "trailingStopsAsIndependentOrders": True,
        "trailingStopsAsBracketChildren": True,
        "brackets": True,
        "bracketTiers": False,
        "convertOrderToMkt": False,
        "supportedLimitDurations": ["GTC", "FOK", "IOC", "GTC_PO"],
        "supportedStopDurations": ["GTC", "FOK", "IOC"],
        "supportedStopOrders": ["LMT", "MKT"],
        "negativeStopLimitOffset": True,
        "marketMode": False,
        "isBalanceSupported": True,
        "tradingStartKnown": False,
        "exchangeUsedForSubscription": False,
        "typeUsedForSubscription": False,
        "isDelayed": False,
        "clientSideFeatures": [],
        "isTradingSubscriptionSupported": False,
    }
