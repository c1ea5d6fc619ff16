"""Real talks in the lab: agents, queues, customers, music on hold and feature codes, and phones that say who was heard.

asterisk_files   what their Asterisk has besides the lab's own files
talk_lab         the lab, its phones, and a talk from INVITE to answer
"""
