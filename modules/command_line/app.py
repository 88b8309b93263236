"""All verbs of `./voicefleet` in the order in which a newcomer meets them."""

import typer

from modules.command_line import calls, config_show, connect, do_not_call, keys, personalities, providers, simulate, trunks
from modules.command_line.demo import demo
from modules.command_line.doctor import doctor
from modules.command_line.set_up import setup
from modules.command_line.stats import stats
from modules.command_line.up_down import down, up
from modules.command_line.voice_pipeline import voice_pipeline

app = typer.Typer(
    name="voicefleet",
    help="A fleet of voice agents that call and are called. Exit codes: 0 done, 1 failed, 2 wrong use, 3 fleet unreachable.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)

for verb in (demo, setup, up, down, calls.call, calls.calls, calls.show, calls.cancel, stats, doctor, voice_pipeline):
    app.command()(verb)
app.add_typer(connect.connecting, name="connect")
app.add_typer(connect.disconnecting, name="disconnect")
app.add_typer(config_show.app, name="config")
app.add_typer(do_not_call.app, name="do-not-call")
app.add_typer(keys.app, name="keys")
app.add_typer(personalities.app, name="personalities")
app.add_typer(providers.app, name="providers")
app.add_typer(simulate.app, name="simulate")
app.add_typer(trunks.app, name="trunks")
