"""`python -m modules VERB`, which is what ./voicefleet runs. The verbs are in modules/command_line."""

from modules.command_line import app

if __name__ == "__main__":
    app(prog_name="voicefleet")
