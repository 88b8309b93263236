"""An uploaded sound is heard, answered and spoken by a personality, without a phone. The caller's process loads no model.

pipeline      one upload from bytes to answer     decode   what was uploaded → plain sound, by a child that may do nothing else
workers       warm processes with the models      stages   in such a process: speech to text, language model, text to speech
"""

from modules.conversation.voice_pipeline.pipeline import SOUND, Answer, VoicePipeline

__all__ = ["SOUND", "Answer", "VoicePipeline"]
