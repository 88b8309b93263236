"""A call on the screen: its states and both sides' words, each as one line, live or afterwards."""

import json
from typing import Any

from modules.command_line.api_client import ENDED, LiveEvent
from modules.command_line.output import Output, clock

_SPOKEN_STATES = {
    "call.queued": "queued",
    "call.placing": "placing: an agent is coming",
    "call.ringing": "ringing",
    "call.in_progress": "answered",
    ENDED: "ended",
}
_STYLES = {"agent": "cyan", "callee": "green"}
SENTENCES = {
    "completed": "Answered, spoken, hung up.",
    "voicemail": "A machine took the call, or a message.",
    "busy": "The line was in use.",
    "no_answer": "It rang and nobody picked up.",
    "declined": "The callee declined the call.",
    "canceled": "The call was taken back.",
    "transferred": "The call was handed to somebody else.",
    "invalid_number": "The network knows no such number.",
    "unreachable": "The number exists; its phone is off or away.",
    "carrier_rejected": "The carrier does not let this account call this number.",
    "carrier_error": "The carrier failed or is over its limits.",
    "trunk_misconfigured": "The trunk's address, user or password is wrong.",
    "blocked": "This fleet's own rules refused the number.",
    "expired": "Its last moment passed while it waited.",
    "agent_failed": "The agent broke down.",
    "infrastructure": "A part of the fleet was missing; nothing was dialled.",
    "indeterminate": "The phone may have rung; nobody can say what came of it.",
}


def show_event(output: Output, event: LiveEvent) -> None:
    """Print what an event means to a person; nothing where it means nothing."""
    if event.type in _SPOKEN_STATES:
        output.line(f"{clock(event.at)}  {_SPOKEN_STATES[event.type]}", "bold")
    elif event.type == "call.turn":
        show_turn(output, event.data)
    elif event.type == "call.first_word":
        output.line(f"          first word {event.data['first_word_ms']:.0f} ms after the answer", "dim")


def show_turn(output: Output, turn: dict[str, Any]) -> None:
    """Print one utterance with its second and, for an answer of the agent, how long it took."""
    waited = f"  ({turn['latency_ms']:.0f} ms)" if turn.get("latency_ms") is not None else ""
    cut = " …" if turn.get("interrupted") else ""
    said = f"{turn['start_s']:7.1f} s  {turn['speaker']:<7} {turn['text']}{cut}{waited}"
    output.line(said, _STYLES.get(turn["speaker"], ""))


def show_answer(output: Output, name: str, answer: dict[str, Any]) -> None:
    """Print one answer that a call brought home: the value and the words that prove it, or why there is none."""
    if answer["value"] is None:
        output.line(f"answer    {name}: none. {answer['note']}", "dim")
    else:
        value = json.dumps(answer["value"], ensure_ascii=False)
        output.line(f'answer    {name}: {value} {answer["unit"]}'.rstrip() + f' - "{answer["quote"]}"', "bold")


def show_end(output: Output, call: dict[str, Any]) -> None:
    """Print how a call ended, with the sentence that explains it."""
    outcome = str(call.get("outcome") or "")
    sip = f" (SIP {call['sip_status_code']})" if call.get("sip_status_code") else ""
    sentence = call.get("reason") or SENTENCES.get(outcome, "")
    for name, answer in ((call.get("extraction") or {}).get("answers") or {}).items():
        show_answer(output, name, answer)
    output.line(f"outcome   {outcome}{sip}. {sentence}".rstrip(), "bold green" if outcome == "completed" else "bold yellow")
    if call.get("next_step"):
        output.line(f"next      {call['next_step']}  (more: ./voicefleet doctor --call {call['call_id']})")
