"""What leaves the daemon of a caller: in logs never a whole number."""


def mask_number(number: str) -> str:
    """The last two digits behind dots, "" for no number; anything of up to four characters is hidden whole."""
    if not number:
        return ""
    return "•••" + (number[-2:] if len(number) > 4 else "")
