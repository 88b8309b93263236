"""HTTP: the only importer of fastapi. It accepts, shows and stops calls; it never decides what a call does next.

app      the application and its life     parts      Redis, history, trunks: what it stands on, each allowed to be missing
routes/  one file per noun                place      from a request to a queued call (or a named refusal)
guard    who may call what                problems   every error as application/problem+json
fan_out  one reader of the event stream, any number of listeners      web/  the page at /, plain files, no build step
"""

from modules.api_server.app import create_app

__all__ = ["create_app"]
