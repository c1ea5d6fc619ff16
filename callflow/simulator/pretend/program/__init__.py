"""Runs any dialplan on a pretend channel: what a call does that no file of the simulator knows in advance.

expression, substitution   $[...] and ${...}, with the functions that our dialplans use
program                    one channel on its way through the dialplan
builtins, playing          the applications: steps and variables; sound and keys
dialling, queueing         Dial and Queue: phones that are called, and what the caller does meanwhile
conversation               two channels in a bridge: hold, music, keys, feature codes
spying                     ChanSpy: a whisper, and whether it is heard
"""
