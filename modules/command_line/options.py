"""Options and arguments that several commands share, with what a shell completes for them."""

from typing import Annotated

import typer

from modules.command_line.api_client import ApiAddress, ApiClient
from modules.command_line.completion import call_ids

AsJson = Annotated[bool, typer.Option("--json", help="Print the answer as JSON.")]
ApiUrl = Annotated[
    str,
    typer.Option("--api-url", envvar="VOICEFLEET_API_URL", help="Where the API is; without it, as API_HOST and API_PORT say."),
]
CallId = Annotated[str, typer.Argument(metavar="ID", help="The call's id.", autocompletion=call_ids, show_default=False)]


def client(api_url: str) -> ApiClient:
    """Return the connection to the API that the options and settings name."""
    address = ApiAddress()
    return ApiClient(api_url or address.url, address.api_key.get_secret_value())
