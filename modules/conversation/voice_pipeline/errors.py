"""What can be wrong with an upload, or keep it from being answered.

VoicefleetError
├── UnsupportedAudio   415   BadRequest: not one of the four containers
├── BrokenAudio        422   BadRequest: nothing in it can be played
├── AudioTooLong       413   BadRequest: it plays for too long, or costs too much to decode
├── NothingHeard       422   BadRequest: it plays, and no words were understood
├── NothingToSay       422   BadRequest: the model has no answer to it
├── PipelineBusy       503   Unavailable: too many are waiting already
├── VendorFailed       502   a vendor of the personality did not do its part
└── PipelineTimedOut   504   it took too long
"""

from modules.calls.errors import BadRequest, Unavailable, VoicefleetError


class UnsupportedAudio(BadRequest):
    """The file is not WAV, OGG, MP3 or WebM."""

    status = 415
    code = "unsupported_audio"


class BrokenAudio(BadRequest):
    """The file holds no sound that can be played."""

    code = "broken_audio"


class AudioTooLong(BadRequest):
    """The file plays longer than allowed, or takes more time or memory to decode than any honest one."""

    status = 413
    code = "audio_too_long"


class NothingHeard(BadRequest):
    """No words were understood in the file."""

    code = "nothing_heard"


class NothingToSay(BadRequest):
    """The model answered without a word."""

    code = "nothing_to_say"


class PipelineBusy(Unavailable):
    """As many uploads as may wait are waiting; try again later."""

    code = "pipeline_busy"


class VendorFailed(VoicefleetError):
    """A vendor that the personality names did not answer as it should; the detail says which, and what to do."""

    status = 502
    code = "vendor_failed"


class PipelineTimedOut(VoicefleetError):
    """Listening, thinking and speaking together took too long."""

    status = 504
    code = "pipeline_timed_out"
