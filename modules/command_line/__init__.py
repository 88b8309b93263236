"""The command line, one file per group of verbs. Every verb talks to the API; only demo, up, down and setup touch processes.

calls      call, calls, show, cancel      demo      a fleet of its own and one call
up_down    the configured fleet           keys      who may use the API      config_show   the settings in force
connect    a carrier's account             env_values single values in .env
story      a call as its events tell it   output    what is printed where    reference     docs/command-line.md
"""

from modules.command_line.app import app

__all__ = ["app"]
