"""Which countries an account may call. Only ordinary numbers are opened; premium and fraud-prone ones stay as they are."""

import json
from typing import Any

from modules.sip_management.twilio.found_or_made import COUNTRY, FoundOrMade
from modules.sip_management.twilio.steps import Did, Step

_PAGE = "https://console.twilio.com/us1/develop/voice/settings/geo-permissions"


async def look_at(client: Any, country: str, things: FoundOrMade, *, open_it: bool) -> None:
    """Tell whether calls to a country (ISO code) are allowed; with `open_it`, allow them."""
    permission = await client.voice.v1.dialing_permissions.countries(country).fetch_async()
    what = f"calls to {country}"
    if permission.low_risk_numbers_enabled:
        things.tell(Step("country", Did.KEPT, f"{what} are allowed"))
        return
    if not open_it:
        fix = f"add --open {country}, or allow it at {_PAGE}"
        things.tell(Step("country", Did.LOOK, f"{what} are closed at Twilio: they would fail with 403", fix))
        return

    async def making() -> str:
        await set_country(client, permission, opened=True)
        return country

    await things.make(f"{COUNTRY}{country}", country, what, making)


async def set_country(client: Any, permission: Any, *, opened: bool) -> None:
    """Open or close a country's ordinary numbers."""
    wanted = {
        "iso_code": permission.iso_code,
        "low_risk_numbers_enabled": str(opened).lower(),
        "high_risk_special_numbers_enabled": str(permission.high_risk_special_numbers_enabled).lower(),
        "high_risk_tollfraud_numbers_enabled": str(permission.high_risk_tollfraud_numbers_enabled).lower(),
    }
    await client.voice.v1.dialing_permissions.bulk_country_updates.create_async(update_request=json.dumps([wanted]))
