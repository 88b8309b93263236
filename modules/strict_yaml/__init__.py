"""A YAML file becomes one pydantic model, or an error that names file, line, column, field and what was expected.

Personalities, the prompt book, scripts, scenarios, trunks and carriers are read through here. No template, no default file,
no search path. folder reads one small file, nodes holds the language and its limits, mistakes the words of the errors.
"""

from pathlib import Path
from typing import TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from modules.strict_yaml.folder import LARGEST_BYTES, Unreadable, text_of
from modules.strict_yaml.mistakes import mistakes, near
from modules.strict_yaml.nodes import YamlError, parse, plain

__all__ = ["YamlError", "model_of", "near", "read_strict"]

M = TypeVar("M", bound=BaseModel)


def read_strict(path: Path, model: type[M]) -> M:
    """Return the file as `model`; raise YamlError for the first thing in it that is wrong, with the others in it."""
    try:
        with path.open("rb") as file:
            text = text_of(file.read(LARGEST_BYTES + 1))
    except OSError as error:
        raise YamlError(path, 1, "", f"cannot be read: {error.strerror}") from error
    except Unreadable as error:
        raise YamlError(path, 1, "", str(error)) from None
    return model_of(parse(text, path), path, model)


def model_of(root: yaml.Node, path: Path, model: type[M]) -> M:
    """Return a tree as `model`. Raises YamlError; its file is the one that the wrong part came from."""
    try:
        return model.model_validate(plain(root), strict=True)
    except ValidationError as error:
        raise mistakes(path, root, model, error.errors(include_url=False)) from None
