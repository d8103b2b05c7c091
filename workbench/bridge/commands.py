"""What clients of the feed may ask of a bridge: orders, drawings, messages, other add-ons' broadcasts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workbench.errors import ProtocolError, WorkbenchError
from workbench.protocol import messages

if TYPE_CHECKING:
    from workbench.bridge.addon import Addon
    from workbench.bridge.attachment import Attachment
    from workbench.bridge.result import Moment

ToDesk = messages.OrderCommand | messages.Arm | messages.Disarm
_FOR_DESK = (
    *(messages.PlaceOrder, messages.CancelOrder, messages.ReplaceOrder, messages.CancelAll),
    *(messages.Arm, messages.Disarm),
)
_FOR_SEVERAL = (messages.CancelAll, messages.Arm, messages.Disarm)


class Commands:
    """Carries out commands; every one gets exactly one answer."""

    def __init__(self, addon: Addon):
        self._addon = addon

    def take(self, owner: str, command: messages.Command, now: Moment) -> messages.Message:
        """Carry out a command and return its answer; never raises."""
        try:
            return self._carry_out(owner, command, now)
        except WorkbenchError as problem:
            code, text = problem.code, problem.message
        except Exception as problem:  # noqa: BLE001  (one command must not end the add-on; the client is told)
            self._addon.failures.take(problem, type(command).__name__, now.mono)
            code, text = "internal", f"{type(problem).__name__}: {problem}"
        return messages.Error(code=code, message=text, request_id=command.request_id)

    def _carry_out(self, owner: str, command: messages.Command, now: Moment) -> messages.Message:
        addon = self._addon
        if isinstance(command, _FOR_DESK):
            return self._to_desks(owner, command, now)
        match command:
            case messages.Publish():
                attachment = self._one(command.symbol)
                addon.outgoing.put(attachment.indicators.publish(command, attachment.instrument))
            case messages.Notify():
                alias = self._one(command.symbol).instrument.symbol
                addon.outgoing.put([addon.lines.user_message(alias, command.text)])
            case messages.Listen():
                addon.outgoing.put(addon.broadcasts.listen(command))
            case _:
                raise ProtocolError(
                    f"{type(command).__name__} is nothing for a bridge, which belongs to Bookmap",
                    action="Ask the engine: wb.connect('bookmap')",
                    code="not_supported",
                )
        return messages.Done(request_id=command.request_id)

    def _to_desks(self, owner: str, command: ToDesk, now: Moment) -> messages.Message:
        """One instrument answers for itself; of several the first refusal counts."""
        self._addon.judge(now)
        chosen = self._named(command)
        answers = [self._ask(attachment, owner, command, now) for attachment in chosen]
        if len(answers) == 1:
            return answers[0]
        refusals = (answer for answer in answers if isinstance(answer, messages.Error))
        return next(refusals, messages.Done(request_id=command.request_id))

    def _ask(self, attachment: Attachment, owner: str, command: ToDesk, now: Moment) -> messages.Message:
        desk = attachment.desk
        result = self._addon.decide(desk, lambda: desk.command(command, owner, now), now)
        if result.error is not None:
            return result.error
        return result.answers[0] if result.answers else messages.Done(request_id=command.request_id)

    def _named(self, command: ToDesk) -> list[Attachment]:
        if not command.symbol and isinstance(command, _FOR_SEVERAL) and self._addon.attached:
            return list(self._addon.attached.values())
        return [self._one(command.symbol)]

    def _one(self, symbol: str) -> Attachment:
        """Find the instrument of a command; none needs to be named where there is only one."""
        attached = self._addon.attached
        found = attached.get(symbol) if symbol or len(attached) != 1 else next(iter(attached.values()))
        if found is None:
            have = ", ".join(attached) or "none"
            raise ProtocolError(f"unknown instrument {symbol[:80]!r}; have {have}", code="unknown_instrument")
        return found
