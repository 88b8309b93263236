"""Which numbers the personalities answer, for those who make them reachable. A broken file takes no number away."""

from config import Settings
from modules.calls.errors import VoicefleetError
from modules.conversation.personalities import Personalities, personalities_of


class NumbersUnknown(VoicefleetError):
    """It cannot be told which numbers are answered; the message says why."""

    code = "numbers_unknown"


def answered(settings: Settings, personalities: Personalities | None = None) -> list[str]:
    """Return the numbers, each once. Raises NumbersUnknown where a file is missing or broken and was never good."""
    known = personalities or personalities_of(settings)
    if not known.ids():
        where = settings.agents_dir.resolve()
        raise NumbersUnknown(f"There is no personality in {where}: start this in the project's folder, or set AGENTS_DIR.")
    problems = known.problems()
    lost = [problems[name] for name in known.ids() if name in problems and not known.usable(name)]
    if lost:
        raise NumbersUnknown(f"A personality is broken, so it is not known which numbers it answers: {lost[0]}")
    return sorted(known.answering())
