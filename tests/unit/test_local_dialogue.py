"""The scripted model: it asks one thing at a time, reacts, answers questions about itself honestly, and ends the call."""

import re
from collections.abc import Sequence

import pytest
from livekit.agents import function_tool, llm

from modules.conversation.speech.local import Script, load_script, scripted_llm
from modules.conversation.speech.local.dialogue import Move, Said, next_move
from modules.conversation.speech.local.words import plain
from modules.setup.places import PROJECT
from modules.simulation import Scenario, load_scenarios
from modules.simulation.callee import reply_to

pytestmark = pytest.mark.unit

SCENARIOS = {scenario.name: scenario for scenario in load_scenarios(PROJECT / "scenarios").values()}
PLAYED = [("Gym desk", "gym_researcher"), ("Hospital desk", "hospital_liaison")]


def script(name: str, **variables: str) -> Script:
    return load_script(PROJECT / "prompts" / "scripts" / f"{name}.yaml").filled(variables)


def play(scenario: Scenario, script: Script, turns_at_most: int = 30) -> tuple[list[Said], Move]:
    """Both sides in text, until the script hangs up."""
    assert scenario.person is not None
    said, replies, puzzled = [Said("us", "Hello, I am an AI assistant.")], 0, 0
    while len(said) < turns_at_most:
        reply = reply_to(scenario.person, plain(said[-1].text), replies, puzzled)
        puzzled += reply.say in scenario.person.otherwise
        replies += 1
        said.append(Said("them", reply.say or ""))
        move = next_move(script, said)
        said.append(Said("us", move.say))
        if move.hang_up:
            return said, move
    raise AssertionError(f"no end: {said}")


@pytest.mark.parametrize(("scenario", "name"), PLAYED)
def test_a_whole_conversation_ends_with_goodbye(scenario: str, name: str) -> None:
    """The agent learned all it wanted to know, without asking anything twice, and said goodbye."""
    said, _ = play(SCENARIOS[scenario], script(name))
    expect = SCENARIOS[scenario].expect
    ours = [turn.text for turn in said if turn.speaker == "us"]
    theirs = [turn.text for turn in said if turn.speaker == "them"]
    assert len(said) >= expect.turns_at_least
    assert len(set(ours)) == len(ours)
    assert "Sorry" not in " ".join(ours)
    assert all(re.search(pattern, " ".join(map(plain, ours))) for pattern in expect.heard)
    assert all(re.search(pattern, " ".join(map(plain, theirs))) for pattern in expect.said)
    assert ours[-1].endswith("Goodbye.")


@pytest.mark.parametrize(("scenario", "name"), PLAYED)
def test_every_line_of_the_other_side_leads_on(scenario: str, name: str) -> None:
    """Whatever the other side may say, at whatever point, there is an answer that is not the same words again."""
    person = SCENARIOS[scenario].person
    assert person is not None
    said, _ = play(SCENARIOS[scenario], script(name))
    for point in range(0, len(said) - 1, 2):
        for line in person.lines():
            move = next_move(script(name), [*said[: point + 1], Said("them", line)])
            assert move.say, (point, line)


def test_one_question_at_a_time() -> None:
    """No reply of the agent holds two questions."""
    for scenario, name in PLAYED:
        said, _ = play(SCENARIOS[scenario], script(name))
        assert all(turn.text.count("?") <= 1 for turn in said if turn.speaker == "us")


@pytest.mark.parametrize("question", ["Are you a robot?", "Am I talking to a real person?", "Is this a recording?"])
@pytest.mark.parametrize("name", ["gym_researcher", "hospital_liaison", "short_notice"])
def test_it_says_that_it_is_an_ai(name: str, question: str) -> None:
    """Whoever asks is told the truth."""
    move = next_move(script(name), [Said("us", "Hello."), Said("them", question)])
    assert "I am an AI assistant" in move.say


def test_it_repeats_when_asked_to() -> None:
    """I did not hear it; the agent asked the same again, and did not take my words for an answer."""
    history = [
        Said("us", "Hello."), Said("them", "Iron gym."), Said("us", "What is the price of a drop in visit?"),
        Said("them", "Sorry, could you say that again?"),
    ]  # fmt: skip
    assert next_move(script("gym_researcher"), history).say == "What is the price of a drop in visit?"


def test_an_answer_that_is_none_is_asked_for_once_more_then_given_up() -> None:
    """The agent does not torment anybody: it asks twice, then goes on to the next question."""
    first, second = "What is the price of a drop in visit?", "How much does one visit cost?"
    history = [Said("us", first), Said("them", "The weather is lovely.")]
    assert next_move(script("gym_researcher"), history).say.endswith(second)
    history += [Said("us", second), Said("them", "And so is my hat.")]
    assert next_move(script("gym_researcher"), history).say.endswith("When do your classes take place?")


def test_a_question_that_was_interrupted_counts_as_not_asked() -> None:
    """They spoke over me; I ask the whole question."""
    history = [Said("us", "What is the price of a"), Said("them", "Hello, who is there?")]
    assert next_move(script("gym_researcher"), history).say.endswith("What is the price of a drop in visit?")


def test_an_answer_in_two_pieces_is_one_answer() -> None:
    """They paused in the middle of the sentence; nothing is asked twice."""
    history = [
        Said("us", "And what should I bring with me?"), Said("them", "Let me think."), Said("them", "Bring a towel."),
    ]  # fmt: skip
    assert not next_move(script("gym_researcher"), history).say.startswith("Sorry")


def test_variables_are_said_when_asked_for() -> None:
    """The desk asks for the name and the date of birth of my call, not those of the example."""
    ours = script("hospital_liaison", patient_name="Robin Miller", date_of_birth="May the first nineteen ninety")
    assert "Robin Miller" in next_move(ours, [Said("them", "What is the name of the patient?")]).say
    assert "May the first nineteen ninety" in next_move(ours, [Said("them", "And what is the date of birth?")]).say
    assert "Maria Lopez" in next_move(script("hospital_liaison"), [Said("them", "What is the name of the patient?")]).say


def test_the_callee_of_a_long_call_is_never_hung_up_on() -> None:
    """They only ask questions back; the agent stays patient for as long as it takes."""
    with pytest.raises(AssertionError, match="no end"):
        play(SCENARIOS["Long call"], script("gym_researcher"), turns_at_most=200)


@llm.function_tool
async def end_call() -> None:
    """Hang up."""


def context(said: Sequence[Said]) -> llm.ChatContext:
    found = llm.ChatContext.empty()
    found.add_message(role="system", content="You are kind.")
    for turn in said:
        found.add_message(role="assistant" if turn.speaker == "us" else "user", content=turn.text)
    return found


async def answer(said: Sequence[Said], tools: list[llm.Tool]) -> tuple[str, list[str], list[str], int]:
    """The words, the pieces they came in, the tools called and the tokens counted."""
    pieces, calls, tokens = [], [], 0
    async with scripted_llm(script("gym_researcher")).chat(chat_ctx=context(said), tools=tools) as stream:
        async for chunk in stream:
            if chunk.delta and chunk.delta.content:
                pieces.append(chunk.delta.content)
            calls += [call.name for call in chunk.delta.tool_calls] if chunk.delta else []
            tokens += chunk.usage.completion_tokens if chunk.usage else 0
    return "".join(pieces), pieces, calls, tokens


async def test_words_come_one_by_one_and_are_counted() -> None:
    """The model streams like any other, so the speaker can begin early, and it reports what it used."""
    text, pieces, calls, tokens = await answer([Said("them", "Iron gym.")], [end_call])
    assert text == "What is the price of a drop in visit?"
    assert len(pieces) == tokens == len(text.split())
    assert calls == []


async def test_the_last_words_come_with_the_end_of_the_call() -> None:
    """It says goodbye and calls end_call in one breath; once the tool has answered it adds nothing."""
    said = [Said("us", "Hello."), Said("them", "Goodbye.")]
    text, _, calls, _ = await answer(said, [end_call])
    assert (text.endswith("Goodbye."), calls) == (True, ["end_call"])
    after = context(said)
    after.add_message(role="assistant", content=text)
    after.insert(llm.FunctionCallOutput(call_id="call_1", name="end_call", output="", is_error=False))
    assert scripted_llm(script("gym_researcher")).next_move(after) == Move("")


async def test_without_the_tool_it_only_speaks() -> None:
    """A personality without end_call gets words and no unknown tool."""
    _, _, calls, _ = await answer([Said("them", "Goodbye.")], [])
    assert calls == []


async def test_asking_twice_changes_nothing() -> None:
    """A reply may be prepared while I still speak and thrown away; the next one is the same."""
    said = [Said("us", "Hello."), Said("them", "Iron gym.")]
    assert await answer(said, [end_call]) == await answer(said, [end_call])


@function_tool
async def press_keys(keys: str) -> None:
    """A stand-in by name: only whether and with what it is called is looked at here."""


async def test_a_menu_is_answered_with_a_key_and_then_listened_to() -> None:
    """It presses what the menu asks for, says nothing, and does not press again when the menu goes on talking."""
    model = scripted_llm(script("errand"))
    context = llm.ChatContext.empty()
    context.add_message(role="user", content="For opening hours press one. For anything else press two.")
    first = await model.chat(chat_ctx=context, tools=[press_keys]).collect()
    assert (first.text, [(call.name, call.arguments) for call in first.tool_calls]) == ("", [("press_keys", '{"keys": "1"}')])
    context.insert(llm.FunctionCall(call_id="call_1", name="press_keys", arguments='{"keys": "1"}'))
    context.insert(llm.FunctionCallOutput(call_id="call_1", name="press_keys", output="", is_error=False))
    context.add_message(role="user", content="We are open every day from nine until five.")
    then = await model.chat(chat_ctx=context, tools=[press_keys]).collect()
    assert (then.text, then.tool_calls) == ("Thank you very much. Goodbye.", [])


async def test_a_script_hands_over_and_goes_on_where_that_fails() -> None:
    """It names whom to hand over to; told that nobody answers there, it says so and asks its question."""
    model = scripted_llm(script("errand"))
    said = llm.ChatContext.empty()
    said.add_message(role="user", content="How can I help you?")

    @llm.function_tool(name="transfer")
    async def transfer(to: str) -> None:
        """Only its name is looked at here."""

    first = await model.chat(chat_ctx=said, tools=[transfer]).collect()
    assert (first.text, [(call.name, call.arguments) for call in first.tool_calls]) == ("", [("transfer", '{"to": "boss"}')])
    said.insert(llm.FunctionCall(call_id="call_1", name="transfer", arguments='{"to": "boss"}'))
    said.insert(llm.FunctionCallOutput(call_id="call_1", name="transfer", output="This failed: busy.", is_error=False))
    then = await model.chat(chat_ctx=said, tools=[transfer]).collect()
    assert then.text == "I am sorry, nobody can be reached there. When are you open?"


def test_pressed_keys_are_words() -> None:
    """The other side answered the question with keys; they count as an answer, and keys that are none are asked about again."""
    history = [Said("us", "Hello."), Said("them", "pressed 1")]
    asked = next_move(script("errand"), history)
    assert asked.say == "When are you open?"
    history += [Said("us", asked.say), Said("them", "pressed 9 0 #")]
    assert next_move(script("errand"), history).hang_up
    assert plain("pressed 1 2 * and 3") == "pressed one two star and"
