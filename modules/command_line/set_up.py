"""`setup`: what the machine lacks, found or fetched by modules.setup, which needs none of this to work."""

import typer

from modules.command_line.options import AsJson
from modules.command_line.output import Output
from modules.setup import SetupProblem, find_flite, find_livekit_server, find_redis_server
from modules.setup.everything import set_up
from modules.setup.progress import Progress


def setup(as_json: AsJson = False) -> None:
    """Find or get what the fleet needs, and give .env the secrets it lacks. Safe to repeat.

    Example: ./voicefleet setup
    """
    output = Output(as_json=as_json)
    try:
        set_up(Progress())
    except SetupProblem as problem:
        if as_json:
            output.json({"error": {"code": "setup", "message": str(problem.args[0]), "next": problem.fix}})
        output.say(str(problem), "")
        raise typer.Exit(1) from None
    parts = {"redis-server": find_redis_server(), "livekit-server": find_livekit_server(), "flite": find_flite()}
    if as_json:
        output.json({name: str(path) if path else None for name, path in parts.items()})
    else:
        output.line("everything is here. Try: ./voicefleet demo --once", "bold green")
