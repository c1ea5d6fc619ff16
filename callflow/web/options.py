"""The [web] section of the settings: where the page is served and for how many viewers."""

from pydantic import Field

from callflow.core.section import Section


class WebOptions(Section):
    """The page in the browser. Apart from [http]: metrics and health checks have their own listener."""

    enabled: bool = Field(True, description="Serve the page. Nobody can read it without a token: callflow web token.")
    host: str = Field("127.0.0.1", min_length=1, description="Address to listen on; put a TLS proxy before any other.")
    port: int = Field(9811, ge=0, le=65535, description="Port to listen on; 0 lets the system choose.")
    max_viewers: int = Field(100, ge=1, le=1000, description="Live streams open at once; further ones are refused.")
    query_timeout_s: float = Field(5.0, gt=0, le=60, description="Seconds before a query to the database is ended.")
    session_h: float = Field(12.0, gt=0, le=720, description="Hours until a person must sign in again.")
    tokens_file: str = Field(
        "", description="File of the hashed tokens; empty for web-tokens.json beside the database."
    )
    audit_file: str = Field("", description="File of the audit trail; empty for web-audit.jsonl beside the database.")
    proxy_user_header: str = Field(
        "", pattern=r"^[A-Za-z0-9-]*$", description="Header in which a reverse proxy names the user; empty for none."
    )
    proxy_addresses: tuple[str, ...] = Field(
        ("127.0.0.1", "::1"), description="Peers whose proxy_user_header is trusted."
    )
    secure_cookie: bool = Field(False, description="Send the session cookie over HTTPS only; set it behind TLS.")
