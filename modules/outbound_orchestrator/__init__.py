"""From a queued call to a room with an agent, and the end of calls nobody holds any more. It never dials; the agent does."""
