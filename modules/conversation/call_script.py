"""What one call says and knows: personality, prompts and the call's own words, put together before anything is dialled.

The API asks for it when a call is accepted and the worker when it takes the call, so a missing variable is never met mid-call.
"""

from dataclasses import dataclass

from modules.calls import Call, Direction
from modules.calls.errors import InvalidField
from modules.conversation.assembly import CALLER_NAME, EVERY_CALL, HOUSE_RULES, TOOLS, Loaded
from modules.conversation.opening import opening
from modules.conversation.personalities import Personalities
from modules.conversation.variables import values_of


@dataclass(frozen=True, slots=True)
class CallScript:
    """Everything the agent of one call is given. `arm` is the personality that speaks for a split, "" where there is none."""

    personality: Loaded
    instructions: str
    greeting: str
    variables: dict[str, str]
    arm: str = ""
    message: str = ""
    """What a mailbox is told."""
    message_task: str = ""
    """By what the model words that, where the personality names a prompt for it."""


class Composer:
    """Puts calls' scripts together from personalities and their prompts."""

    def __init__(self, personalities: Personalities) -> None:
        self._personalities = personalities

    def compose(self, call: Call) -> CallScript:
        """Return the call's script. Raises UnknownPersonality, InvalidField naming what is wrong with the call, YamlError."""
        return self._composed(call, self._personalities.arm(call.personality, call.call_id, call.arm))

    def every(self, call: Call) -> list[CallScript]:
        """Return the script of each personality that may speak: one, or one for each arm of a split. Raises as `compose` does."""
        return [self._composed(call, arm) for arm in self._personalities.arms(call.personality) or [""]]

    def speakers(self, call: Call) -> list[Loaded]:
        """Return each personality that may speak. Raises UnknownPersonality, YamlError."""
        return [self._personalities.load(arm) for arm in self._personalities.arms(call.personality) or [call.personality]]

    def _composed(self, call: Call, arm: str) -> CallScript:
        loaded = self._personalities.load(arm or call.personality)
        content, prompts = loaded.content, loaded.prompts
        for name in ("llm_prompt", "greeting"):
            if getattr(call, name) and name not in content.overrides:
                raise InvalidField(f"The personality '{loaded.id}' lets no call bring its own {name}.", field=name)
        named = {CALLER_NAME: call.caller_name} if call.caller_name and call.direction is Direction.OUTBOUND else {}
        given = named | self._known(loaded, call)
        empty = dict.fromkeys(EVERY_CALL, "")
        values = empty | values_of(content.variables, given, loaded.free_variables() | EVERY_CALL)
        key = content.prompts.inbound if call.direction is Direction.INBOUND else content.prompts.outbound
        task = call.llm_prompt or prompts.render(key, values)
        greeting = call.greeting or prompts.fill(content.greeting, values, where="greeting")
        defaults = {name: item.default for name, item in content.variables.items() if item.default is not None}
        rules, voicemail = prompts.render(HOUSE_RULES, values | {TOOLS: content.tools}), content.voicemail
        return CallScript(
            personality=loaded,
            instructions=f"{rules}\n\n{task}",
            greeting=opening(greeting, content.language, content.disclosure),
            variables=empty | defaults | given,
            arm=arm,
            message=prompts.fill(voicemail.message, values, where="voicemail.message") if voicemail else "",
            message_task=f"{rules}\n\n{prompts.render(voicemail.prompt, values)}" if voicemail and voicemail.prompt else "",
        )

    def _known(self, speaks: Loaded, call: Call) -> dict[str, str]:
        """Return the call's variables without those that only another arm of the same split knows."""
        others = {name for loaded in self.speakers(call) for name in (*loaded.content.variables, *loaded.free_variables())}
        foreign = others - {*speaks.content.variables, *speaks.free_variables()}
        return {name: value for name, value in call.variables.items() if name not in foreign}
