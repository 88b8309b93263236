"""docker-compose.yaml as Docker Compose would read it: variables filled in, anchors merged. No engine is needed."""

import re
from collections.abc import Mapping
from typing import Any

import yaml

from modules.setup.places import PROJECT

LOGIN = {
    "LIVEKIT_API_KEY": "testing",
    "LIVEKIT_API_SECRET": "only-for-tests-0123456789-0123456789-abcdef",
    "API_KEY": "vf_only-for-tests",
}
_VARIABLE = re.compile(r"\$(?:\$|\{(?P<name>\w+)(?:(?P<how>:[-?])(?P<word>[^}]*))?\})")


class VariableMissing(Exception):
    """Compose would stop here, with this message."""


def read(env: Mapping[str, str] = LOGIN) -> dict[str, Any]:
    """The whole file, with `env` as the operator's environment."""

    def fill(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: fill(inner) for key, inner in value.items()}
        if isinstance(value, list):
            return [fill(inner) for inner in value]
        return _VARIABLE.sub(lambda found: _value(found, env), value) if isinstance(value, str) else value

    text = (PROJECT / "docker-compose.yaml").read_text(encoding="utf-8")
    filled = fill(yaml.safe_load(text))
    assert isinstance(filled, dict)
    return filled


def services(env: Mapping[str, str] = LOGIN) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = read(env)["services"]
    return found


def _value(found: re.Match[str], env: Mapping[str, str]) -> str:
    name, how, word = found["name"], found["how"], found["word"]
    if name is None:
        return "$"
    if value := env.get(name):
        return value
    if how == ":-":
        return str(word)
    raise VariableMissing(f"{name}: {word}")
