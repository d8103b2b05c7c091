"""Other add-ons of the same Bookmap: what they offer, and who listens to it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from workbench.testing.spelling import gson


class Broadcasting:
    """Providers, their generators, and what the add-on subscribed to."""

    def __init__(self) -> None:
        self.providers: dict[str, list[str]] = {}
        self.connected: set[str] = set()
        self.subscribed: set[tuple[str, str]] = set()

    def forget_subscriptions(self) -> None:
        """Another add-on takes the place of the one that asked."""
        self.connected.clear()
        self.subscribed.clear()

    def offer(self, provider: str, generators: Sequence[str]) -> None:
        """An add-on that broadcasts appears, or changes what it has."""
        self.providers[provider] = list(generators)

    def subscribe(self, provider: str, generator: str) -> bool:
        """Answer ``SUB_GENERATOR``; False where there is no such provider or generator."""
        if provider not in self.providers:
            return False
        self.connected.add(provider)
        if generator == "None":
            return True
        if generator not in self.providers[provider]:
            return False
        self.subscribed.add((provider, generator))
        return True

    def hears(self, provider: str, generator: str) -> bool:
        """Whether what this generator says reaches the add-on."""
        return (provider, generator) in self.subscribed

    def status(self) -> str:
        """JSON of all providers; of those connected to with what they have, as texts of JSON inside."""
        return gson({name: self._items(name, generators) for name, generators in self.providers.items()})

    def _items(self, provider: str, generators: Sequence[str]) -> list[str]:
        if provider not in self.connected:
            return [provider]
        described: list[Mapping[str, str]] = [{"generator_name": name} for name in generators]
        return [gson(one) for one in described]
