"""What a machine needs before anything of ours runs: the Python environment, the programs we talk to, `.env`.

Standard library only, so that it works before anything is installed. It finds and gets parts; it never starts them.
`SetupProblem` is the only error a user sees.
"""

from modules.setup.desktop_parts import find_chromium, find_flite
from modules.setup.livekit_server import find_livekit_server
from modules.setup.livekit_sip import find_livekit_sip
from modules.setup.problem import SetupProblem
from modules.setup.redis_server import find_redis_server

__all__ = ["SetupProblem", "find_chromium", "find_flite", "find_livekit_server", "find_livekit_sip", "find_redis_server"]
