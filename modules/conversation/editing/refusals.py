"""Why an edit is not saved. In each case nothing was changed.

VoicefleetError
├── BrokenEdit          422  with every mistake at its place
├── ChangedMeanwhile    412  somebody else has saved since the text was read
├── Unconditional       428  the request does not say which version it replaces
└── NotWritable         409  the disk does not take it
"""

from modules.calls.errors import BadRequest, VoicefleetError
from modules.strict_yaml import YamlError


class BrokenEdit(BadRequest):
    """What would be saved has mistakes, or something else would no longer work with it; nothing was changed."""

    code = "broken_edit"

    def __init__(self, message: str, mistakes: tuple[YamlError, ...] = ()) -> None:
        super().__init__(message)
        self.mistakes = mistakes


class ChangedMeanwhile(VoicefleetError):
    """Somebody has saved another version since this one was read; nothing was changed. Read again, then save."""

    status = 412
    code = "changed_meanwhile"


class Unconditional(VoicefleetError):
    """Say which version is to be replaced: send its ETag as If-Match. Nothing was changed."""

    status = 428
    code = "precondition_required"


class NotWritable(VoicefleetError):
    """The file cannot be written where the API runs; nothing was changed."""

    status = 409
    code = "not_writable"
