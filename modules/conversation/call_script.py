"""What one call says and knows: personality, prompts and the call's own words, put together before anything is dialled.

The API asks for it when a call is accepted and the worker when it takes the call, so a missing variable is never met mid-call.
"""

from dataclasses import dataclass

from modules.calls import Call, Direction
from modules.calls.errors import InvalidField
from modules.conversation.opening import opening
from modules.conversation.personalities import CALLER_NAME, HOUSE_RULES, Loaded, Personalities
from modules.conversation.variables import values_of


@dataclass(frozen=True, slots=True)
class CallScript:
    """Everything the agent of one call is given."""

    personality: Loaded
    instructions: str
    greeting: str
    variables: dict[str, str]


class Composer:
    """Puts calls' scripts together from personalities and their prompts."""

    def __init__(self, personalities: Personalities) -> None:
        self._personalities = personalities

    def compose(self, call: Call) -> CallScript:
        """Return the call's script. Raises UnknownPersonality, InvalidField naming what is wrong with the call, YamlError."""
        loaded = self._personalities.load(call.personality)
        content, prompts = loaded.content, loaded.prompts
        for name in ("llm_prompt", "greeting"):
            if getattr(call, name) and name not in content.overrides:
                raise InvalidField(f"The personality '{loaded.id}' lets no call bring its own {name}.", field=name)
        named = {CALLER_NAME: call.caller_name} if call.caller_name else {}
        values = {CALLER_NAME: ""} | values_of(content.variables, named | call.variables, loaded.free_variables() | {CALLER_NAME})
        key = content.prompts.inbound if call.direction is Direction.INBOUND else content.prompts.outbound
        task = call.llm_prompt or prompts.render(key, values)
        greeting = call.greeting or prompts.fill(content.greeting, values, where="greeting")
        defaults = {name: item.default for name, item in content.variables.items() if item.default is not None}
        return CallScript(
            personality=loaded,
            instructions=f"{prompts.render(HOUSE_RULES, values)}\n\n{task}",
            greeting=opening(greeting, content.language),
            variables={CALLER_NAME: ""} | defaults | named | call.variables,
        )
