"""A personality that cannot be used says so when it is read: file, line, field, what was expected, which word was meant."""

import re
from pathlib import Path

import pytest

from modules.calls.errors import UnknownPersonality
from modules.conversation.personalities import Personalities
from modules.strict_yaml import YamlError
from tests.unit.source_tree import PROJECT

pytestmark = pytest.mark.unit

GOOD = """\
name: Local demo
components:
  stt: {provider: local}
  llm: {provider: local, script: gym_researcher}
  tts: {provider: local, voice: rms}
prompts: {outbound: gym_outbound}
greeting: "Hello, I am an AI assistant."
turns: {nudge_after_s: 6, nudges: 2}
"""


@pytest.fixture
def agents(tmp_path: Path) -> Path:
    """A folder with one good personality, demo."""
    (tmp_path / "demo.yaml").write_text(GOOD, encoding="utf-8")
    return tmp_path


def personalities(agents: Path) -> Personalities:
    return Personalities(agents, PROJECT / "prompts")


def refusal(agents: Path, content: str | bytes) -> str:
    """Return what is said about a file with this content, without its folder and the column."""
    (agents / "demo.yaml").write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(YamlError) as refused:
        personalities(agents).check("demo")
    return re.sub(r"^(demo\.yaml:\d+):\d+:", r"\1:", str(refused.value).removeprefix(f"{agents}/"))


def changed(old: str, new: str) -> str:
    assert old in GOOD
    return GOOD.replace(old, new)


MISTAKES = {
    GOOD + "greting: x\n": "demo.yaml:9: greting: no such field; did you mean `greeting`?",
    changed("greeting:", "greetin:"): "demo.yaml:7: greetin: no such field; did you mean `greeting`?",
    changed("nudge_after_s", "nudge_after"): "demo.yaml:8: turns.nudge_after: no such field; did you mean `nudge_after_s`?",
    changed("name: Local demo\n", ""): "demo.yaml:1: name: is required",
    changed("name: Local demo", "name:"): "demo.yaml:1: name: expected text, found nothing",
    changed("  stt: {provider: local}\n", ""): "demo.yaml:2: components.stt: is required",
    changed("nudges: 2", "nudges: 200"): "demo.yaml:8: turns.nudges: expected at most 10, found 200",
    changed("nudges: 2", "nudges: two"): "demo.yaml:8: turns.nudges: expected a whole number, found 'two'",
    changed("nudges: 2", "interruptions: perhaps"): "demo.yaml:8: turns.interruptions: expected true or false, "
    "found 'perhaps'",
    GOOD + "name: Again\n": "demo.yaml:9: name: is written twice, first in line 1",
    changed("gym_outbound", "gym_outbond"): "demo.yaml:6: prompts.outbound: there is no prompt 'gym_outbond' in prompts.yaml; "
    "did you mean `gym_outbound`?",
    changed("Hello,", "Hello {{ caler_name }},"): "demo.yaml:7: greeting: uses the variable 'caler_name', which is not "
    "declared under `variables`; did you mean `caller_name`?",
    changed("gym_researcher", "gym_researcher, temperature: hot"): "demo.yaml:4: components.llm.temperature: expected a "
    "number, found 'hot'",
    GOOD + "overflow: take_mesage\n": "demo.yaml:9: overflow.full_house: expected take_message or a name under `transfer`, "
    "found 'take_mesage'; did you mean `take_message`?",
    GOOD + "overflow: {closed: desk}\ntransfer: {front_desk: '+12025550111'}\n": "demo.yaml:10: transfer: nobody can be handed "
    "over to these; add transfer to `tools`, or name one under `overflow`",
    GOOD + "overflow:\n  closed: frontdesk\n  full_house: front_desk\ntransfer: {front_desk: '+12025550111'}\n": "demo.yaml:10: "
    "overflow.closed: expected take_message or a name under `transfer`, found 'frontdesk'; did you mean `front_desk`?",
    GOOD + "tools: [transfer]\ntransfer: {take_message: '+12025550111'}\n": "demo.yaml:10: transfer: take_message is no name for "
    "somebody: under `overflow` it means a message",
    GOOD + "overflow: {message_s: 1}\n": "demo.yaml:9: overflow.message_s: expected at least 5, found 1",
    "- a\n- b\n": "demo.yaml:1: must be a list of `field: value` lines",
    "": "demo.yaml:1: must be a list of `field: value` lines",
    "just words\n": "demo.yaml:1: must be a list of `field: value` lines",
    GOOD + "variables: {a: b: c}\n": "demo.yaml:9: is not YAML: expected ',' or '}', but got ':'",
    GOOD + "---\nname: x\n": "demo.yaml:9: is not YAML: but found another document",
    GOOD + "variables: {1: x}\n": "demo.yaml:9: variables: a field's name is a word; put this one in quotes",
    GOOD + "? [a, b]\n: c\n": "demo.yaml:9: a field's name is a word; put this one in quotes",
    GOOD + "\tname: x\n": "demo.yaml:9: is not YAML: found character '\\t' that cannot start any token",
}


@pytest.mark.parametrize(("content", "message"), MISTAKES.items(), ids=MISTAKES.values())
def test_a_mistake_is_named_where_it_is(agents: Path, content: str, message: str) -> None:
    """I read one line and know what to change."""
    assert refusal(agents, content) == message


@pytest.mark.parametrize(("content", "parts"), [
    (changed("stt: {provider: local}", "stt: {provider: azzure}"),
     ("demo.yaml:3: components.stt.provider: expected one of ", "did you mean `azure`?")),
    (changed("script: gym_researcher", "script: ../x"), ("demo.yaml:4: components.llm.script: expected ", "'../x'",)),
    (changed("{provider: local, voice: rms}", "[]"), ("demo.yaml:5: components.tts: expected at least 1",)),
    (GOOD + "language: english\n", ("demo.yaml:9: language: expected ", "'english'")),
    (changed("Hello,", "Hello {{ name,"), ("demo.yaml:7: greeting: is not a Jinja2 template",)),
    (GOOD.encode() + b"# \xe9\n", ("demo.yaml:1: is not UTF-8",)),
    (GOOD + 'variables: {a: "\x00"}\n', ("demo.yaml:9: holds a character that no YAML may hold",)),
])  # fmt: skip
def test_more_mistakes(agents: Path, content: str | bytes, parts: tuple[str, ...]) -> None:
    """Wrong words, wrong forms, wrong characters: file, line and field all the same."""
    told = refusal(agents, content)
    assert all(part in told for part in parts), told


def levels(count: int) -> str:
    """A billion laughs: each level ten times the one below."""
    lines = ["a0: &a0 ha"] + [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, count)]
    return "variables:\n  " + "\n  ".join(lines) + "\n"


@pytest.mark.parametrize(("attack", "reason"), [
    (levels(12), "anchors and aliases"), ("variables: &a [*a]\n", "anchors and aliases"),
    ("variables: &a {x: y}\nsentences: *a\n", "anchors and aliases"), ("<<: *a\n", "anchors and aliases"),
    ("variables: " + "[" * 60_000 + "\n", "deep"), ("variables: " + "{a: " * 15_000 + "\n", "deep"),
    ("variables:\n" + "".join(f"{' ' * n}-\n" for n in range(1, 300)), "deep"),
    ("variables: " + "[" * 100_000, "64 KiB"), ("#" * 70_000 + "\n", "64 KiB"),
    ("variables: {a: '" + "x" * 66_000 + "'}\n", "64 KiB"),
    ("variables: !!python/object/apply:os.system ['id']\n", "tags"), ("variables: !!python/name:os.system\n", "tags"),
    ("variables: !!binary abc\n", "tags"), ("variables: !x y\n", "tags"), ("%TAG ! tag:x,2000:\n---\n", "YAML"),
], ids=lambda value: value[:40])  # fmt: skip
@pytest.mark.timeout(10)  # what explodes is stopped; nothing here measures speed
def test_a_hostile_file_is_refused_at_once(agents: Path, attack: str, reason: str) -> None:
    """A bomb, an endless nest or a program in YAML costs nobody more than a moment, and runs nothing."""
    assert reason in refusal(agents, GOOD + attack)


def test_dates_and_yes_are_just_words(agents: Path) -> None:
    """What looks like a date or a truth value to YAML is the text I wrote."""
    (agents / "demo.yaml").write_text(GOOD + "variables: {day: 2026-13-45, answer: yes, country: no}\n", encoding="utf-8")
    declared = personalities(agents).load("demo").content.variables
    assert [declared[name].default for name in ("day", "answer", "country")] == ["2026-13-45", "yes", "no"]


def test_an_unknown_personality_says_which_was_meant(agents: Path) -> None:
    """I misspelt its name in my request and am told so, with the field."""
    with pytest.raises(UnknownPersonality, match=r"no personality 'dmo'\. Did you mean 'demo'\?") as refused:
        personalities(agents).load("dmo")
    assert refused.value.field == "personality"


@pytest.mark.parametrize("name", [
    "../demo", "/etc/passwd", "demo.yaml", "demo\x00", "DEMO", "d\u0435mo", "demo/", ".", "..", "", "a" * 65, "%2e%2e", "con:",
])  # fmt: skip
def test_a_personalitys_name_is_no_path(agents: Path, name: str) -> None:
    """Nobody reads another file of the disk by naming it."""
    with pytest.raises(UnknownPersonality):
        personalities(agents).load(name)


def test_a_link_out_of_the_folder_is_not_followed(agents: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    """A symbolic link in the folder does not open the rest of the disk."""
    elsewhere = tmp_path_factory.mktemp("elsewhere") / "secret.yaml"
    elsewhere.write_text(GOOD, encoding="utf-8")
    (agents / "linked.yaml").symlink_to(elsewhere)
    with pytest.raises(YamlError, match="symbolic link"):
        personalities(agents).load("linked")


def test_a_good_edit_is_used_by_the_next_call(agents: Path) -> None:
    """I change a voice while the fleet runs; nothing needs a restart."""
    folder = personalities(agents)
    before = folder.load("demo")
    (agents / "demo.yaml").write_text(changed("voice: rms", "voice: kal16"), encoding="utf-8")
    after = folder.load("demo")
    assert after.content.components.tts[0].voice == "kal16"
    assert after.sha256 != before.sha256


def test_the_seeds_short_shape_is_enough(agents: Path) -> None:
    """Name, three components, prompts and a greeting: everything else has a default."""
    content = personalities(agents).load("demo").content
    assert (content.language, content.turns.endpointing_s, content.prompts.inbound) == ("en", 0.3, "default_inbound")
    assert [len(chain) for chain in (content.components.stt, content.components.llm, content.components.tts)] == [1, 1, 1]


def test_every_personality_of_ours_can_be_used() -> None:
    """What comes with the project is whole."""
    ours = Personalities(PROJECT / "agents", PROJECT / "prompts")
    assert {"local_demo", "hospital_demo", "german_assistant", "english_assistant"} <= set(ours.ids())
    assert all(ours.check(name).content.name for name in ours.ids())
