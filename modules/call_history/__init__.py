"""What happened, in SQL, and the only package that imports sqlalchemy. Nothing is decided from here that Redis must decide.

database    open, migrate, read, write      tables      what is stored      migrations  how it came to be
recorder    event stream to rows            projection  what an event means writing     rows that bear a repeat
search      calls, words, lists by filter   cursor      where a list goes on      stats    many calls compared
export      conversations as files          api_keys    who may use the API
"""

from modules.call_history.api_keys import ApiKey, ApiKeys, Scope
from modules.call_history.database import History, open_history
from modules.call_history.model import Attempt, Comparison, Filters, Page, Share, Spread, TimelineEvent, Turn
from modules.call_history.recorder import Recorder, place
from modules.call_history.search import MOST_PER_PAGE, Search
from modules.call_history.stats import Stats

__all__ = [
    "MOST_PER_PAGE",
    "ApiKey",
    "ApiKeys",
    "Attempt",
    "Comparison",
    "Filters",
    "History",
    "Page",
    "Recorder",
    "Scope",
    "Search",
    "Share",
    "Spread",
    "Stats",
    "TimelineEvent",
    "Turn",
    "open_history",
    "place",
]
