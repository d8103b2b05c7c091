"""Extension of the Jupyter server, opt-in: what kernels say reaches the page at once.

The server writes to the page's socket with Nagle's algorithm on: an answer that follows another small message waits for
the page's delayed acknowledgement. Load it into any server with
``jupyter lab --ServerApp.jpserver_extensions="{'workbench.lab_extension': True}"``; ``workbench lab`` does.
"""

from __future__ import annotations

from typing import Any


def _jupyter_server_extension_points() -> list[dict[str, str]]:
    return [{"module": "workbench.lab_extension"}]


def _load_jupyter_server_extension(server: Any) -> None:
    from jupyter_server.services.kernels import websocket

    handler: Any = websocket.KernelWebsocketHandler
    opened = handler.open

    async def open_at_once(self: Any, *args: Any, **kwargs: Any) -> Any:
        self.set_nodelay(True)
        return await opened(self, *args, **kwargs)

    if not getattr(opened, "sends_at_once", False):
        open_at_once.sends_at_once = True  # type: ignore[attr-defined]  # loaded twice, it must not wrap itself
        handler.open = open_at_once
    server.log.info("workbench: kernels' messages are sent at once (TCP_NODELAY)")
