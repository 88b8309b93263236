"""What others tell us by HTTP: livekit-server about rooms, Twilio about text messages. Nothing is believed unsigned.

signed    who sent it, and that it is not old        replays   that it was not sent before
sightings what LiveKit saw of a call's phone          messages  a text message finds the call it answers
"""
