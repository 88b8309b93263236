"""`python -m modules.sip_management VERB`: the verbs of `./voicefleet trunks`."""

from modules.command_line.trunks import app

if __name__ == "__main__":
    app(prog_name="python -m modules.sip_management")
