"""The agent's side of a call: who speaks (personality, prompt_book, opening), with what (speech/), and how a call runs.

worker       the process            job          one LiveKit job = one call     lease        whose call it is
assembly     files to a personality  split       one of several personalities   editing/    saving them
call_script  what a call says       call_runner  from room to last word         phone_line   the one dial
session      LiveKit's session      ending       how it ends, once              scribe       what is written about it
inbound      calls that come in     inbound_route  who answers           turned_away   who is not put through
machine      what a mailbox is told  tools        what an agent may do besides talking
"""
