"""The Jupyter server's extension: the page's socket sends at once, however often it is loaded."""

from __future__ import annotations

import asyncio
import logging
from types import SimpleNamespace

from jupyter_server.services.kernels.websocket import KernelWebsocketHandler

from workbench.lab_extension import _jupyter_server_extension_points, _load_jupyter_server_extension


def test_a_page_s_socket_is_told_to_send_at_once(monkeypatch):
    """Nagle's algorithm is switched off before the kernel speaks; loading twice switches once."""
    steps = []

    async def opened(self, kernel_id):
        steps.append(kernel_id)

    monkeypatch.setattr(KernelWebsocketHandler, "open", opened)
    server = SimpleNamespace(log=logging.getLogger("tests"))
    for _ in range(2):
        _load_jupyter_server_extension(server)
    asyncio.run(KernelWebsocketHandler.open(SimpleNamespace(set_nodelay=steps.append), "k"))
    assert steps == [True, "k"]


def test_servers_find_it_by_its_module():
    """The module names itself."""
    assert _jupyter_server_extension_points() == [{"module": "workbench.lab_extension"}]
