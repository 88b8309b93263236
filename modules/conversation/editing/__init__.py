"""Saving personalities and prompts: what does not hold together is refused, and two people cannot overwrite each other.

editor      read, save, delete one file's worth    draft   the folders as they would be    files   whole or not at all
own_fields  new values in a file, comments kept    index   an entry of prompts.yaml        refusals
"""

from modules.conversation.editing.editor import Editor, Expected, NewPrompt, PersonalityPage, PromptPage
from modules.conversation.editing.refusals import BrokenEdit, ChangedMeanwhile, NotWritable, Unconditional

__all__ = [
    "BrokenEdit",
    "ChangedMeanwhile",
    "Editor",
    "Expected",
    "NewPrompt",
    "NotWritable",
    "PersonalityPage",
    "PromptPage",
    "Unconditional",
]
