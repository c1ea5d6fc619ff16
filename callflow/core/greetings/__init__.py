"""What a caller is greeted with: by line, time of day, season, and whether they are known. Pure.

rules      the section [greetings]
calendar   which festival a day is, by the solar or the lunar calendar
greeting   the prompts, in order
"""
