"""The limit of open files: each call holds a socket."""

import resource

import structlog

log = structlog.get_logger()


def allow_files(wanted: int) -> None:
    """Raise the soft limit as far as the hard one, and the system, let us; a warning says if that is too little."""
    try:
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        allowed = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        if soft != resource.RLIM_INFINITY and allowed > soft:
            resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))
        if allowed < wanted:
            remedy = "raise LimitNOFILE in the unit, or lower limits.max_calls"
            log.warning(
                "fewer open files are allowed than may be needed", allowed=allowed, wanted=wanted, remedy=remedy
            )
    except (OSError, ValueError) as error:
        log.warning("the limit of open files could not be raised", wanted=wanted, reason=str(error))
