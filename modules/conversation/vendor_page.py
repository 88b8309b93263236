"""docs/providers.md, made from the table of vendors and the settings it names. `python -m docs.generate` writes it."""

from config import Settings
from modules.conversation.vendors import ANYWHERE, KINDS, VENDORS, Kind, Vendor, how_to_install

_HEAD = """# Providers

Written from `modules/conversation/vendors.py` by `python -m docs.generate`; a test compares.

A personality names a vendor for each of its three models. `./voicefleet providers list` says which are installed here and which
settings are there; it never prints a key. A vendor whose plugin is missing is refused when the personality is loaded, one whose
key is missing when a call takes it, both with what to do.

```yaml
components:
  stt: {provider: deepgram, language: de-DE}
  llm: {provider: openai, model: llama3.1, base_url: "http://localhost:11434/v1"}   # ollama, vLLM or the like
  tts: [{provider: azure, language: de-DE, voice: de-DE-KatjaNeural}, {provider: cartesia, language: de-DE}]   # a fallback chain
```"""

_TAIL = """## Addresses and keys

`base_url` is for vendors that answer elsewhere too, e.g. in the EU. A vendor's key is sent only to https hosts of the domains in
the table, or to this machine. `any` stands for a service that speaks OpenAI's API: it is sent `OPENAI_COMPATIBLE_API_KEY`, or no
key, never `OPENAI_API_KEY`. That one goes to OpenAI, or where `OPENAI_BASE_URL` says. For Azure speech, `base_url` is the host
without path: `https://<region>.tts.speech.microsoft.com`, `https://<region>.stt.speech.microsoft.com`.

`provider: openai` with `model: azure_openai` is an older spelling of `provider: azure_openai`. Azure's deployment is
`AZURE_OPENAI_DEPLOYMENT_NAME`, or the component's `model` where that is empty.

## A model that hears the sound itself

```yaml
components:
  stt: {provider: deepgram, language: en-US}
  llm: {provider: openai_realtime}
  tts: {provider: cartesia}
```

OpenAI's realtime model gets the call's sound, not only its words, over one connection for the whole call. It answers in text,
and the personality's `tts` speaks it: disclosure, greeting, fillers, apology and interruptions are the same as with any model.

- **`stt` still listens beside it.** Its words are the transcript, they recognise a mailbox before it is answered, and they show
  that something was said at all; an answer is asked for when they are there. The model itself gets words only for keys that
  were pressed and for what was said into the greeting.
- **When somebody has finished** is told by `turns`, never by the vendor; `turns.detection: stt` is refused beside it.
- **It stands alone.** A list with another model is refused: none could go on with what only this one has heard. An answer that
  fails is asked for once more. Silence for 6 s, a sentence that stops for 2 s, or a lost connection end the call with the
  apology.
- **What is written and not spoken**, namely a mailbox's message by a prompt, the answers after the call and the voice pipeline,
  is done by OpenAI's chat model (the default of `openai`) with the same key at the same `base_url`.
- Azure's realtime deployments cannot be named.

## When a vendor fails

The call's `reason` names the vendor, what it said and what to do: `ProviderRejected: azure says 401: check AZURE_SPEECH_KEY.`

| name | when |
| --- | --- |
| `ProviderRejected` | 4xx: key, model, voice, account; the same request will be refused again |
| `ProviderBusy` | 429: a limit is used up |
| `ProviderFailed` | 5xx, a connection closed in the middle, an answer that cannot be read, or every vendor of a chain |
| `ProviderTimedOut` | no answer in time |
| `ProviderUnreachable` | no connection |

## Limits

- `openai` and `groq` hear by one request for each utterance, so an answer waits for the end of the sentence and the request.
- All voices speak sentence by sentence, while the model still thinks of the next.
- Every vendor is tested against a local server that speaks its format, none against the vendor itself. Google's plugin is an
  extra and fixes the endpoint of its speech, so that has no `base_url`; its tests lead the connection of Google's library to a
  local gRPC server.
- How long each may take, and what is heard meanwhile: [silence.md](silence.md). Plugins alone would wait up to half a minute.
- `turns.detection: v1-mini` took 265 MB more in a call's process; 0.03 s for each guess, 0.13 s for the first."""


def page() -> str:
    """Return docs/providers.md."""
    parts = [_HEAD, *(_table(kind, title) for kind, title in KINDS.items()), _install(), _TAIL]
    return "\n\n".join(parts) + "\n"


def _table(kind: Kind, title: str) -> str:
    rows = [_row(vendor) for vendor in VENDORS if vendor.kind == kind]
    head = "| `provider` | what it is | needs | default model | default voice | `base_url` |\n" + "| --- " * 6 + "|"
    return "\n".join([f"## {title[0].upper()}{title[1:]} (`{kind}`)\n", head, *rows])


def _row(vendor: Vendor) -> str:
    needs = ", ".join(f"`{name}`" for name in vendor.needs) or "nothing"
    hosts = "any" if vendor.hosts == ANYWHERE else ", ".join(vendor.hosts) or "no"
    title = vendor.title + (" (extra)" if vendor.extra else "")
    return f"| `{vendor.name}` | {title} | {needs} | {_or_none(vendor.model)} | {_or_none(vendor.voice)} | {hosts} |"


def _or_none(word: str) -> str:
    return f"`{word}`" if word else "-"


def _install() -> str:
    extra = next(vendor for vendor in VENDORS if vendor.extra)
    names = sorted({name for vendor in VENDORS for name in vendor.needs})
    rows = [f"| `{name}` | {Settings.model_fields[name.lower()].description} |" for name in names]
    return "\n".join(
        ["## Settings\n", "| name | what it is |", "| --- | --- |", *rows, "", "## Extra vendors\n",
         f"They are not installed by the set-up. To have them: `{how_to_install(extra)}`"]
    )  # fmt: skip
