"""What `connect twilio` made, on disk: an intention before each request, its SID after it. `disconnect` undoes this and no more.

No password is in it; of the values written into .env it knows the hashes, to tell its own from a user's. A whole number is in
it only as `asked_for`, from before its purchase until the answer is known.
"""

import hashlib
import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from modules.sip_management.twilio.errors import TwilioTrouble

PREFIX = "voicefleet/"


@dataclass(slots=True)
class Ledger:
    """One account's things by kind, e.g. `trunk`: `name`, `sid` (None: intended, nobody knows), and what was so before."""

    path: Path
    account_sid: str
    name: str
    things: dict[str, dict[str, Any]] = field(default_factory=dict)
    env: dict[str, str] = field(default_factory=dict)

    @classmethod
    def read(cls, path: Path, account_sid: str, name: str) -> Self:
        """Return the ledger at `path`, or a new one. Raises TwilioTrouble where it is another account's or trunk's."""
        if not path.exists():
            return cls(path, account_sid, name)
        try:
            known = cls(path, **json.loads(path.read_text(encoding="utf-8")))
        except (ValueError, TypeError) as error:
            raise TwilioTrouble(f"{path} cannot be read ({error}).", "mend it, or move it away") from error
        if known.account_sid != account_sid:
            raise TwilioTrouble(
                f"{path} says that a trunk was made in another account ({known.account_sid[:6]}…).",
                "set TWILIO_ACCOUNT_SID back and run ./voicefleet disconnect twilio first",
            )
        if name and known.name != name:
            raise TwilioTrouble(
                f"This fleet is connected as {known.name}.", "leave --name out, or run ./voicefleet disconnect twilio first"
            )
        return known

    @property
    def marker(self) -> str:
        """The FriendlyName of what is ours."""
        return f"{PREFIX}{self.name}"

    def sid(self, kind: str) -> str | None:
        """Return the SID of a thing we made, None where it is not known."""
        return self.things.get(kind, {}).get("sid")

    def intend(self, kind: str, name: str, **before: Any) -> None:
        """Write down, before the request leaves, that a thing is about to be made."""
        self.things[kind] = {"name": name, "sid": None} | before
        self._write()

    def made(self, kind: str, name: str, sid: str) -> None:
        """Write down that a thing is there and ours."""
        before = {key: value for key, value in self.things.get(kind, {}).items() if key != "asked_for"}
        self.things[kind] = before | {"name": name, "sid": sid}
        self._write()

    def forget(self, kind: str) -> None:
        """Write down that a thing is gone; the file goes with the last one."""
        self.things.pop(kind, None)
        self._write()

    def wrote(self, name: str, value: str) -> None:
        """Remember a value that was written into .env."""
        self.env[name] = _digest(value)
        self._write()

    def unwrote(self, name: str) -> None:
        """Remember that a value is not in .env any more."""
        self.env.pop(name, None)
        self._write()

    def is_ours(self, name: str, value: str) -> bool:
        """Return whether this very value was written by us."""
        return self.env.get(name) == _digest(value)

    def _write(self) -> None:
        if not (self.things or self.env):
            self.path.unlink(missing_ok=True)
            return
        self.path.parent.mkdir(parents=True, exist_ok=True)
        known = {"account_sid": self.account_sid, "name": self.name, "things": self.things, "env": self.env}
        part = self.path.with_suffix(".part")
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as out:
            json.dump(known, out, indent=2)
            out.flush()
            os.fsync(out.fileno())
        os.replace(part, self.path)


def _digest(value: str) -> str:
    return hashlib.sha256(value.encode()).hexdigest()
