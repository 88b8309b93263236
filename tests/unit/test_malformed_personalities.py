"""Forty and more ways to get a personality wrong, each with the exact sentence its writer is told."""

from pathlib import Path

import pytest

from modules.conversation import vendors
from modules.conversation.personalities import Personalities
from modules.strict_yaml import YamlError

# ruff: noqa: E501 - one row per mistake
pytestmark = pytest.mark.unit

GOOD = """name: Front desk
language: en
components:
  stt: {provider: local}
  llm: {provider: local, script: gym_researcher}
  tts: {provider: local, voice: rms}
prompts: {outbound: task}
greeting: "Hello, here is the AI assistant of {{ organization }}."
turns:
  nudges: 2
variables:
  organization: City Clinic
  visits: {type: number, default: 1}
"""
BOOK = """house_rules: {file: house_rules.md}
default_inbound: {file: default_inbound.md}
default_outbound: {file: default_inbound.md}
task: {file: task.md, variables: [organization]}
"""
VENDORS = ", ".join(repr(name) for name in vendors.names("stt"))
#: (what stands in the file, what is put there instead, the message after the folder's name)
MISTAKES = [
    ("name: Front desk", "nam: Front desk", "desk.yaml:1:1: nam: no such field; did you mean `name`?"),
    ("name: Front desk\n", "", "desk.yaml:1: name: is required"),
    ("name: Front desk", "name:", "desk.yaml:1:1: name: expected text, found nothing"),
    ("name: Front desk", "name: ''", "desk.yaml:1:1: name: expected at least 1 character, found ''"),
    ("name: Front desk", "name: 42", "desk.yaml:1:7: name: expected text, found 42; put it in quotes"),
    ("name: Front desk", "name: [Front, desk]", "desk.yaml:1:1: name: expected text, found a list of 2"),
    ("name: Front desk", "name: " + "x" * 101,
     "desk.yaml:1:7: name: expected at most 100 characters, found a text of 101 characters"),
    ("language: en", "language: english", "desk.yaml:2:11: language: expected two small letters, e.g. de, found 'english'"),
    ("language: en", "language: DE", "desk.yaml:2:11: language: expected two small letters, e.g. de, found 'DE'"),
    ("language: en", "language: true", "desk.yaml:2:11: language: expected text, found true; put it in quotes"),
    ("language: en", "lanugage: en", "desk.yaml:2:1: lanugage: no such field; did you mean `language`?"),
    ("stt: {provider: local}", "stt: {provider: locl}",
     f"desk.yaml:4:19: components.stt.provider: expected one of {VENDORS}, found 'locl'; did you mean `local`?"),
    ("stt: {provider: local}", "stt: {provider: whisper}",
     f"desk.yaml:4:19: components.stt.provider: expected one of {VENDORS}, found 'whisper'"),
    ("stt: {provider: local}", "stt: {}", "desk.yaml:4:3: components.stt.provider: is required"),
    ("stt: {provider: local}", "stt: local", "desk.yaml:4:8: components.stt: expected `field: value` lines, found 'local'"),
    ("stt: {provider: local}", "stt: []", "desk.yaml:4:3: components.stt: expected at least 1 entry, found an empty list"),
    ("stt: {provider: local}", "stt: [{provider: local}, {provider: azur}]",
     f"desk.yaml:4:39: components.stt.1.provider: expected one of {VENDORS}, found 'azur'; did you mean `azure`?"),
    ("  stt: {provider: local}\n", "", "desk.yaml:3:1: components.stt: is required"),
    ("script: gym_researcher", "scrpt: gym_researcher",
     "desk.yaml:5:26: components.llm.scrpt: no such field; did you mean `script`?"),
    ("script: gym_researcher", "script: ../secrets",
     "desk.yaml:5:34: components.llm.script: expected a name of small letters, digits, _ and -, found '../secrets'"),
    (", script: gym_researcher", "",
     "desk.yaml:5:3: components.llm: provider local needs `script`, the name of a file in prompts/scripts/ without .yaml"),
    ("script: gym_researcher", "script: gym_researcher, temperature: 3",
     "desk.yaml:5:63: components.llm.temperature: expected at most 2, found 3"),
    ("llm: {provider: local, script: gym_researcher}", "llm: [{provider: openai_realtime}, {provider: openai}]",
     "desk.yaml:5:3: components.llm: openai_realtime holds a whole conversation, so no other can follow or precede it; list it alone"),
    ("llm: {provider: local, script: gym_researcher}", "llm: {provider: openai_realtime, temperature: 1}",
     "desk.yaml:5:3: components.llm: openai_realtime takes no `temperature`; leave it out"),
    ("voice: rms", "voce: rms", "desk.yaml:6:26: components.tts.voce: no such field; did you mean `voice`?"),
    ("prompts: {outbound: task}", "prompts: {outbound: tsk}",
     "desk.yaml:7:21: prompts.outbound: there is no prompt 'tsk' in prompts.yaml; did you mean `task`?"),
    ("prompts: {outbound: task}", "prompts: {outbond: task}",
     "desk.yaml:7:11: prompts.outbond: no such field; did you mean `outbound`?"),
    ("prompts: {outbound: task}", "prompts: {outbound: ../../etc/passwd}",
     "desk.yaml:7:21: prompts.outbound: expected a name of small letters, digits, _ and -, found '../../etc/passwd'"),
    ("prompts: {outbound: task}", "prompts: task", "desk.yaml:7:10: prompts: expected `field: value` lines, found 'task'"),
    ("{{ organization }}", "{{ organisation }}",
     "desk.yaml:8:11: greeting: uses the variable 'organisation', which is not declared under `variables`; did you mean `organization`?"),
    ("{{ organization }}", "{{ organization }", "desk.yaml:8: greeting: is not a Jinja2 template: unexpected '}'"),
    ("{{ organization }}", "{{ organization | uper }}",
     "desk.yaml:8: greeting: there is no filter 'uper'; did you mean `upper`?"),
    ("{{ organization }}", "{% include 'task' %}", "desk.yaml:8: greeting: includes belong into prompts"),
    ('greeting: "Hello, here is the AI assistant of {{ organization }}."', 'greeting: ""',
     "desk.yaml:8:1: greeting: expected at least 1 character, found ''"),
    ("nudges: 2", "nudges: 11", "desk.yaml:10:11: turns.nudges: expected at most 10, found 11"),
    ("nudges: 2", "nudges: two", "desk.yaml:10:11: turns.nudges: expected a whole number, found 'two'"),
    ("nudges: 2", "nudges: 2.5", "desk.yaml:10:11: turns.nudges: expected a whole number, found 2.5"),
    ("nudges: 2", "nudges: 2\n  nudges: 3", "desk.yaml:11:3: turns.nudges: is written twice, first in line 10"),
    ("nudges: 2", "interruptions: yes", "desk.yaml:10:18: turns.interruptions: expected true or false, found 'yes'"),
    ("nudges: 2", "nudge_after_s: 0", "desk.yaml:10:18: turns.nudge_after_s: expected more than 0, found 0"),
    ("turns:\n  nudges: 2", "nudges: 2", "desk.yaml:9:1: nudges: no such field here; it belongs under `turns`"),
    ("turns:\n  nudges: 2", "turns: {max_call: 60}", "desk.yaml:9:9: turns.max_call: no such field; did you mean `max_call_s`?"),
    ("turns:\n  nudges: 2", "turns: {max_call_s: 5}", "desk.yaml:9:21: turns.max_call_s: expected at least 10, found 5"),
    ("turns:\n  nudges: 2", "sentences: {nudge: 5}",
     "desk.yaml:9:20: sentences.nudge: expected text, found 5; put it in quotes"),
    ("turns:\n  nudges: 2", "qqq: red",
     "desk.yaml:9:1: qqq: no such field; there are name, extends, language, components, prompts, greeting, disclosure, turns, sentences, variables, overrides, tools, overflow, transfer, voicemail, extract, inbound_numbers, hours"),
    ("turns:\n", "extract: {price: number}\nturns:\n",
     "desk.yaml:9:18: extract.price: expected `field: value` lines, found 'number'"),
    ("turns:\n", "extract: {price: {type: number}}\nturns:\n", "desk.yaml:9:11: extract.price.description: is required"),
    ("turns:\n", "extract: {price: {type: nmber, description: x}}\nturns:\n",
     "desk.yaml:9:25: extract.price.type: expected one of 'string', 'number', 'integer', 'boolean', 'choice', found 'nmber'; did you mean `number`?"),
    ("turns:\n", "extract: {price: {type: choice, description: x}}\nturns:\n",
     "desk.yaml:9:11: extract.price: type choice and a list of choices belong together"),
    ("turns:\n", "extract: {2nd: {type: number, description: x}}\nturns:\n",
     "desk.yaml:9:11: extract.2nd: a name here is letters, digits and _, without a digit in front"),
    ("turns:\n", "extract: {type: object, properties: {price: {type: array}}}\nturns:\n",
     "desk.yaml:9:1: extract: the property 'price' needs a type: string, number, integer, boolean"),
    ("turns:\n", "extract: {type: object, properties: {price: {type: number, minimum: 0}}}\nturns:\n",
     "desk.yaml:9:1: extract: of JSON Schema, `minimum` of 'price' is not understood here; type, description and enum are"),
    ("turns:\n", "tools: [transfer]\nturns:\n",
     "desk.yaml:1: transfer: the tool transfer needs names with numbers here, e.g. {reception: \"+493012345678\"}"),
    ("turns:\n", "transfer: {desk: '+493012345678'}\nturns:\n",
     "desk.yaml:9:1: transfer: nobody can be handed over to these; add transfer to `tools`, or name one under `overflow`"),
    ("turns:\n", "tools: [transfer]\ntransfer: {desk: '030 12345678'}\nturns:\n",
     "desk.yaml:10:12: transfer.desk.number: expected a number as E.164, e.g. \"+493012345678\", found '030 12345678'. This is not a phone number: the country code is missing or unknown. Write it as +<country><number>."),
    ("turns:\n", "tools: [transfer]\ntransfer: {desk: {to: '+493012345678'}}\nturns:\n",
     "desk.yaml:10:19: transfer.desk.to: no such field; there are number, description, announcement"),
    ("turns:\n", "tools: [transfer]\ntransfer: ['+493012345678']\nturns:\n",
     "desk.yaml:10:1: transfer: expected `name: value` lines, found a list of 1"),
    ("turns:\n", "tools: end_call\nturns:\n", "desk.yaml:9:8: tools: expected a list, found 'end_call'"),
    ("turns:\n", "tools: [end_cal]\nturns:\n",
     "desk.yaml:9:9: tools.0: expected one of 'end_call', 'dtmf', 'transfer', found 'end_cal'; did you mean `end_call`?"),
    ("turns:\n", "tools: [dtmf, dtmf]\nturns:\n", "desk.yaml:9:1: tools: dtmf is listed twice"),
    ("turns:\n", "disclosure: Hello, this is Anna.\nturns:\n",
     "desk.yaml:9:13: disclosure: must say plainly, without variables, that an AI speaks: 'I am the AI assistant of City Clinic.'"),
    ("turns:\n", "voicemail: hang_up\nturns:\n", "desk.yaml:9:12: voicemail: expected `field: value` lines, found 'hang_up'"),
    ("turns:\n", "voicemail: {action: leave_mesage}\nturns:\n",
     "desk.yaml:9:21: voicemail.action: expected one of 'leave_message', 'hang_up', found 'leave_mesage'; did you mean `leave_message`?"),
    ("turns:\n", "voicemail: {message: Hello}\nturns:\n", "desk.yaml:9:1: voicemail.action: is required"),
    ("turns:\n", "voicemail: {action: leave_message}\nturns:\n",
     "desk.yaml:9:1: voicemail: leave_message needs either `message`, the words, or `prompt`, a key of the prompt book"),
    ("turns:\n", "voicemail: {action: hang_up, message: Goodbye}\nturns:\n",
     "desk.yaml:9:1: voicemail: hang_up says nothing; `message` and `prompt` are for leave_message"),
    ("turns:\n", "voicemail: {action: leave_message, prompt: taks}\nturns:\n",
     "desk.yaml:9:44: voicemail.prompt: there is no prompt 'taks' in prompts.yaml; did you mean `task`?"),
    ("turns:\n", "voicemail: {action: leave_message, message: 'Call {{ organisation }}.'}\nturns:\n",
     "desk.yaml:9:45: voicemail.message: uses the variable 'organisation', which is not declared under `variables`; did you mean `organization`?"),
    ("turns:\n", "inbound_numbers: [+493012345678]\nturns:\n",
     "desk.yaml:9:19: inbound_numbers.0: expected text, found 493012345678; put it in quotes"),
    ("turns:\n", "inbound_numbers: '+493012345678'\nturns:\n",
     "desk.yaml:9:18: inbound_numbers: expected a list, found '+493012345678'"),
    ("turns:\n", "inbound_numbers: ['030 12345678']\nturns:\n",
     "desk.yaml:9:19: inbound_numbers.0: expected a number as E.164, e.g. \"+493012345678\", found '030 12345678'. This is not a phone number: the country code is missing or unknown. Write it as +<country><number>."),
    ("turns:\n", "inbound_numbers: ['+49 30 12345678']\nturns:\n",
     "desk.yaml:9:19: inbound_numbers.0: expected a number as E.164, e.g. \"+493012345678\"; write it as \"+493012345678\""),
    ("turns:\n", "inbound_numbers: ['+4930']\nturns:\n",
     "desk.yaml:9:19: inbound_numbers.0: expected a number as E.164, e.g. \"+493012345678\", found '+4930'. No such number exists in its country's numbering plan. Write it as +<country><number>."),
    ("turns:\n", "inbound_numbers: ['+493012345678', '+493012345678']\nturns:\n",
     "desk.yaml:9:1: inbound_numbers: +493012345678 is listed twice"),
    ("organization: City Clinic", "organization: City Clinic\n  2nd: x",
     "desk.yaml:13:8: variables.2nd: a name here is letters, digits and _, without a digit in front"),
    ("organization: City Clinic", "organization:",
     "desk.yaml:12:3: variables.organization: expected a text that is its default (in quotes if it is a number), or {type: …, default: …}"),
    ("{type: number, default: 1}", "{type: nummer, default: 1}",
     "desk.yaml:13:18: variables.visits.type: expected one of 'string', 'number', 'boolean', 'choice', found 'nummer'; did you mean `number`?"),
    ("{type: number, default: 1}", "{type: number, default: one}",
     "desk.yaml:13:3: variables.visits: its own default is not allowed: expected a number, found 'one'"),
    ("{type: number, default: 1}", "{type: choice}",
     "desk.yaml:13:3: variables.visits: type choice and a list of choices belong together"),
    ("{type: number, default: 1}", "{type: choice, choices: [a, b], default: c}",
     "desk.yaml:13:3: variables.visits: its own default is not allowed: expected one of a, b, found 'c'"),
    ("{type: number, default: 1}", "7",
     "desk.yaml:13:11: variables.visits: expected a text that is its default (in quotes if it is a number), or {type: …, default: …}"),
    ("turns:\n", "extends: desk\nturns:\n", "desk.yaml:9:10: extends: goes in a circle: desk -> desk"),
    ("turns:\n", "extends: nobody\nturns:\n", "desk.yaml:9:10: extends: there is no nobody.yaml"),
    ("turns:\n", "extends: [a, b]\nturns:\n",
     "desk.yaml:9:1: extends: expected the name of one other file in agents/, without .yaml"),
    ("turns:\n", "overrides: [greetings]\nturns:\n",
     "desk.yaml:9:13: overrides.0: expected one of 'llm_prompt', 'greeting', found 'greetings'; did you mean `greeting`?"),
    ("name: Front desk", "name: [Front desk", "desk.yaml:2:9: is not YAML: expected ',' or ']', but got ':'"),
    ("name: Front desk", "\tname: Front desk", "desk.yaml:1:1: is not YAML: found character '\\t' that cannot start any token"),
    ("name: Front desk", "name: !!python/object:os.system x",
     "desk.yaml:1:7: tags are not used here, and this is one: tag:yaml.org,2002:python/object:os.system"),
    ("name: Front desk", "name: &a Front desk", "desk.yaml:1:7: anchors and aliases (& and *) are not used here; write it out"),
    ("nudges: 2", "nudges: [[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]", "desk.yaml:10:27: is nested more than 16 deep"),
    ("name: Front desk", "name: Front\x01 desk", "desk.yaml:1: holds a character that no YAML may hold (U+0001)"),
    ("name: Front desk", "name: Front \udcff desk", "desk.yaml:1: is not UTF-8 (byte 13)"),
    ("name: Front desk", "1: Front desk", "desk.yaml:1:1: a field's name is a word; put this one in quotes"),
    (GOOD, "- a list\n", "desk.yaml:1: must be a list of `field: value` lines"),
    (GOOD, "", "desk.yaml:1: must be a list of `field: value` lines"),
    (GOOD, "# " + "x" * 65536, "desk.yaml:1: has more than 64 KiB"),
]  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("agents", "prompts"):
        (tmp_path / name).mkdir()
    (tmp_path / "agents" / "desk.yaml").write_text(GOOD)
    (tmp_path / "prompts" / "prompts.yaml").write_text(BOOK)
    for name in ("house_rules", "default_inbound"):
        (tmp_path / "prompts" / f"{name}.md").write_text("Be kind.")
    (tmp_path / "prompts" / "task.md").write_text("You speak for {{ organization }}.")
    return tmp_path


def personalities(folder: Path) -> Personalities:
    return Personalities(folder / "agents", folder / "prompts")


def test_the_file_they_are_made_from_is_good(folder: Path) -> None:
    """What is wrong below is wrong because of the one thing that was changed."""
    assert personalities(folder).check("desk").content.name == "Front desk"
    assert all(old in GOOD for old, _, _ in MISTAKES)


@pytest.mark.parametrize(("old", "new", "message"), MISTAKES, ids=[f"{number:02}" for number in range(1, len(MISTAKES) + 1)])
def test_a_mistake_is_told_so_that_it_can_be_mended(folder: Path, old: str, new: str, message: str) -> None:
    """I am told the file, the line, the column, the field, what was expected, and the word I may have meant."""
    (folder / "agents" / "desk.yaml").write_bytes(GOOD.replace(old, new, 1).encode("utf-8", "surrogateescape"))
    with pytest.raises(YamlError) as error:
        personalities(folder).check("desk")
    assert str(error.value).removeprefix(f"{folder}/agents/") == message
