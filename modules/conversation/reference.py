"""docs/personalities.md and docs/personality.schema.json, written from the models of personality.py, split.py and prompt_book.py.

`python -m docs.generate` writes them; a test compares.
"""

import json
from copy import deepcopy
from typing import Any

from pydantic import BaseModel

from modules.conversation.deadlines import KEYS_PAUSE_S
from modules.conversation.duties import Overflow, Target, Voicemail
from modules.conversation.opening import DISCLOSURE
from modules.conversation.personality import Hearing, Personality, Prompts, Sentences, Speaking, Thinking, Turns
from modules.conversation.prompt_book import Entry
from modules.conversation.service_hours import Opening, ServiceHours
from modules.conversation.split import Split
from modules.conversation.variables import Variable
from modules.conversation.wanted import Wanted

_Schema = dict[str, Any]
_LISTS = ("stt", "llm", "tts")
_TABLES: tuple[tuple[str, str, type[BaseModel]], ...] = (
    ("The file", "", Personality),
    ("`components.stt`", "components.stt.", Hearing),
    ("`components.llm`", "components.llm.", Thinking),
    ("`components.tts`", "components.tts.", Speaking),
    ("`prompts`", "prompts.", Prompts),
    ("`turns`", "turns.", Turns),
    ("`sentences`", "sentences.", Sentences),
    ("A target of `transfer`", "transfer.NAME.", Target),
    ("`overflow`", "overflow.", Overflow),
    ("`voicemail`", "voicemail.", Voicemail),
    ("An answer in `extract`", "extract.NAME.", Wanted),
    ("A variable", "variables.NAME.", Variable),
    ("`hours`", "hours.", ServiceHours),
    ("An entry of `hours.open`", "hours.open.", Opening),
    ("An entry of `prompts.yaml`", "KEY.", Entry),
    ("A split", "", Split),
)

_HEAD = """# Personalities and prompts

Written from the program by `python -m docs.generate`; a test compares.

A personality is one YAML in `agents/`; its file name without `.yaml` is what a call names. What it wants is written in
Markdown in `prompts/`. Edit, save, call again: the next call uses the edit, without a restart.

```yaml
# yaml-language-server: $schema=../docs/personality.schema.json
name: Front desk
components:
  stt: {provider: azure, language: en-US}
  llm: [{provider: azure_openai, model: gpt-4o}, {provider: openai, model: gpt-4o-mini}]   # a list is a fallback chain
  tts: {provider: azure, language: en-US, voice: en-US-JennyNeural}
prompts: {outbound: default_outbound}
greeting: "Hello, this is the AI assistant of {{ organization }}."
variables:
  organization: City Clinic                 # short for {type: string, default: City Clinic}
  visits: {type: number, default: 1}
  matter: {type: choice, choices: [appointment, invoice], description: why we call}      # no default: the call must say
```

The first line lets an editor that knows YAML schemas complete and check fields while you type.

## What happens to a mistake

`./voicefleet personalities lint` looks through all files and names file, line, column, field, what was expected, and the
nearest valid word. The same check runs whenever a file has changed:

- **A broken edit is not used.** The last version that was good goes on being used, prompts included, also by processes that
  start later: it is kept in `DATA_DIR/personalities`. `GET /health` names the file and the line, the log says
  `personality.broken`, and `./voicefleet personalities diff ID` shows what changed since. A personality that never was good
  refuses calls by name.
- **A value that is missing or of the wrong kind** refuses the call when it is placed, by field, before anything is dialled.
- **A mistake in what is saved through the API** is refused there and never reaches the disk: [api.md](api.md), or
  `./voicefleet personalities edit ID`.
- Every call records `personality_hash`, the SHA-256 of the files it ran with: the YAML, those it extends, and its prompts.

Files are UTF-8, 64 KiB at most and nested 16 deep at most. Tags, anchors, aliases, repeated fields and symbolic links are
refused. Only `true` and `false` are truth values; dates and `yes` are text. Scripts of provider `local` (`prompts/scripts/`)
are read when the call begins and are neither kept nor part of the hash.

## One personality from another

`extends: base` takes from `agents/base.yaml` what the file does not say itself, field by field. A list, a variable, and a
component that names its `provider` replace the other's as a whole; `inbound_numbers` are not passed on. There is one parent; a
parent may have one too, circles are refused. A file whose name starts with `_` is only there to be extended.

## Two against each other

A file with `split` does not speak itself; it shares its calls out between personalities, its arms:

```yaml
name: Gym, short or long
split: {gym_short: 70, gym_long: 30}
```

A call names the split as it names a personality. Its arm is drawn from a hash of the call's id, which is random and says
nothing about who is called: the same in every process, and evenly by weight. It is drawn when the call is accepted and kept
in its record (`arm`), so every attempt is spoken by the same arm, and new weights move no call that has its arm already. An
arm that was taken out of the split speaks no more; one whose files are gone leaves its share to the others until they are
back. `personality_hash` is the arm's.

Every arm must be there, be good, and not be a split itself. A call is accepted only if every arm could speak it: their keys
must be set, and the call gives what any of them needs. A variable that only one arm knows reaches that one only.
`./voicefleet stats` compares the arms, with the sample size of each figure.

## The words nobody can edit away

A greeting that does not say that an AI is speaking gets a sentence in front that does, and so does a message for a mailbox.
`disclosure` words it; where it is empty, `language` decides. One that is not in this list gets the English sentence.

"""
_KEYS = f"""
## Keys of the telephone

Every agent hears the keys that the other side presses; its prompt only has to ask for them ("your customer number, then the
hash key"). A `#`, or {KEYS_PAUSE_S:g} s without a key, ends an entry. It is a turn of theirs, `pressed 1 2 3`, with
`keys: "123"` in the transcript. Like speech it stops the agent where `turns.interruptions` lets it. `tools: [dtmf]` lets the
agent press keys itself; these are a turn of the agent.

Keys are kept as words are, and reach no log. Of 13 to 19 digits that pass the check of card numbers (Luhn) a record holds the
last four, and with `turns.keys: hidden` it holds no key at all. The personality's model is told the keys, so its vendor is, too.
"""
_EXTRACT = """## What a call brings home

When the call is over and its line is free, the personality's own model reads the transcript and reports the answers that
`extract` names. Each has a value of its kind, the words that prove it and the turn they were said in. An answer whose words
nobody said does not count, nor does a value of another kind: `note` then says why there is none. They stand in `extraction` of
`GET /v1/calls/{id}`; the page and `./voicefleet show` tell them. A call whose model fails keeps its end and loses its answers.

An object of JSON Schema is understood as well, with properties of type `string`, `number`, `integer`, `boolean` or an `enum`.
"""
_VARIABLES = """## Variables

The greeting and the prompts may use the personality's variables, the variables their prompts declare, and `caller_name`,
which every call has (empty where nobody gave it). Where somebody calls us, `caller_number` is their number and `contact_name`
their name if `CONTACTS_FILE` knows it (docs/inbound.md); both are empty on a call we place.

A number can be compared (`{% if visits > 1 %}`), a boolean asked (`{% if
urgent %}`). A call to a personality that declares variables may bring these only; one that declares none takes whatever it is
given.

## The prompt book

`prompts/prompts.yaml` names each prompt: its file, the variables its text may use, and notes. `house_rules` comes before
every prompt; in it, `tools` is the list of what the personality may do, so that no agent is told of a tool it does not have
(`{% if "end_call" in tools %}`). Prompts are Jinja2, sandboxed; `{% include "key" %}` brings in another prompt of the book,
four deep at most, without circles. A variable that is used and not declared, an unknown filter or an unknown prompt is a mistake
of the file, found before any call.

"""


def schema_page() -> str:
    """Return docs/personality.schema.json: the whole file or, with `extends`, any part of it; or a split."""
    whole = Personality.model_json_schema()
    definitions = whole.pop("$defs")
    for kind in _LISTS:
        one = definitions["Components"]["properties"][kind]
        one["anyOf"] = [one["items"], {"type": "array", "items": one.pop("items"), "minItems": one.pop("minItems")}]
        one.pop("type")
    definitions["Variable"]["properties"]["default"]["anyOf"] += [{"type": "number"}, {"type": "boolean"}]
    definitions |= {"Personality": whole}
    parts = {f"Part{name}": _optional(definition) for name, definition in definitions.items()}
    page = {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "A personality of Voicefleet",
        "if": {"required": ["split"]},
        "then": {"$ref": "#/definitions/Split"},
        "else": {
            "if": {"required": ["extends"]},
            "then": {"$ref": "#/definitions/PartPersonality"},
            "else": {"$ref": "#/definitions/Personality"},
        },
        "definitions": definitions | parts | {"Split": Split.model_json_schema()},
    }
    return json.dumps(page, indent=1, ensure_ascii=False).replace("#/$defs/", "#/definitions/") + "\n"


def page() -> str:
    """Return docs/personalities.md."""
    disclosures = [f"| {code} | {text} |" for code, text in DISCLOSURE.items()]
    lines = [_HEAD + "\n".join(["| language | sentence |", "| --- | --- |", *disclosures, _KEYS, "## Every field"])]
    for title, prefix, model in _TABLES:
        lines += [{Variable: _VARIABLES, Wanted: _EXTRACT}[model].rstrip()] if model in (Variable, Wanted) else []
        lines.append(f"### {title}\n\n{_sentence(model)}\n\n" + "\n".join(_rows(prefix, model)))
    return "\n\n".join(lines) + "\n"


def _sentence(model: type[BaseModel]) -> str:
    return (model.__doc__ or "").strip()


def _rows(prefix: str, model: type[BaseModel]) -> list[str]:
    found = model.model_json_schema()
    rows = ["| field | what may stand there | default | what it is |", "| --- | --- | --- | --- |"]
    for name, field in found["properties"].items():
        info = model.model_fields[name]
        default = "required" if info.is_required() else _shown(info.get_default(call_default_factory=True))
        text = (info.description or "").replace("<", "&lt;").replace("|", "\\|")
        rows.append(f"| `{prefix}{name}` | {_kind(field, found.get('$defs', {}))} | {default} | {text} |")
    return rows


def _kind(field: _Schema, definitions: _Schema) -> str:
    """What may stand in a field, in words."""
    if "$ref" in field:
        return "fields, see below"
    if "enum" in field:
        return ", ".join(f"`{word}`" for word in field["enum"])
    if "anyOf" in field:
        return " or ".join(_kind(one, definitions) for one in field["anyOf"] if one.get("type") != "null")
    match field.get("type"):
        case "array" if "$ref" in field["items"]:
            return "fields, see below, or a list of them"
        case "array":
            return f"a list of {_kind(field['items'], definitions)}"
        case "object":
            return "`name: value`"
        case "boolean":
            return "`true`, `false`"
        case "string":
            return f"text{_length(field)}"
        case "integer" | "number":
            return ("whole number" if field["type"] == "integer" else "number") + _bounds(field)
    return "text"


def _length(field: _Schema) -> str:
    if "pattern" in field:
        return f": {field['title']}" if " " in field.get("title", "") else f" like `{field['pattern']}`".replace("|", "\\|")
    return f", {field['maxLength']} characters at most" if "maxLength" in field else ""


def _bounds(field: _Schema) -> str:
    low = f"from {field['minimum']:g}" if "minimum" in field else f"above {field['exclusiveMinimum']:g}"
    return f", {low} to {field['maximum']:g}"


def _shown(value: object) -> str:
    if isinstance(value, BaseModel):
        return "as below"
    if isinstance(value, list | dict):
        return f"`[{', '.join(value)}]`" if value else "none"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    return "none" if value in ("", None) else f"`{value}`"


def _optional(definition: _Schema) -> _Schema:
    """A definition with nothing required in it, nor in what it refers to."""
    found: _Schema = json.loads(json.dumps(deepcopy(definition)).replace("#/$defs/", "#/$defs/Part"))
    found.pop("required", None)
    return found
