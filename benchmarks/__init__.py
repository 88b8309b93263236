"""Runnable comparisons: ours, a peer, and the limit, measured in one run with interleaved rounds. Nothing here is asserted.

turn_latency, first_word, post_to_dial   what is compared; each is a program
stage, speakers, peer_worker             a fleet, the hand-made agent beside it, and calls by both with the same words
alone                                    what no arrangement of the same parts can go below
figures, result, machine, command        medians and ratios, the one JSON shape and the table, where it ran, the shell's side
"""
