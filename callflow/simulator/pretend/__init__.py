"""The pretend Asterisk: a process of its own that speaks real AMI and FastAGI and plays its callers and agents.

What it says was taken down from Asterisk 22.10 and 16.28 of the lab, for an AMI user with read=call,agent,dtmf,user.
"""
