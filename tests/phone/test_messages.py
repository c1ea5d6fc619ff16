"""SIP and SDP as values: read, written, answered."""

import pytest

from callflow.lab.phone import sdp
from callflow.lab.phone.dialog import Dialog, ack_of, cancel_of
from callflow.lab.phone.messages import Message, parse, respond, tag_of, uri_of, user_of

HERE = ("127.0.0.1", 5070)


@pytest.fixture
def invite() -> Message:
    dialog = Dialog("sip:8010@127.0.0.1:5070", "sip:8011@127.0.0.1:5060", HERE, "sip:8011@127.0.0.1:5060", name="Ann")
    return dialog.request("INVITE", body=sdp.write(sdp.Described(("127.0.0.1", 4000))))


def test_a_message_is_read_as_it_was_written(invite: Message) -> None:
    assert parse(invite.encode()) == invite
    assert (invite.method, invite.status, user_of(invite.uri), invite.cseq) == ("INVITE", 0, "8011", 1)
    assert invite.get("from").startswith('"Ann" <sip:8010@')
    assert b"Content-Length: %d\r\n" % len(invite.body) in invite.encode()


@pytest.mark.parametrize("data", [b"", b"\r\n\r\n", b"\0\0\0\0", b"GET / HTTP/1.1\r\n\r\n"])
def test_what_is_not_sip_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match="not SIP"):
        parse(data)


def test_a_response_belongs_to_its_request(invite: Message) -> None:
    response = respond(invite, 486, tag="t1", contact="sip:x@127.0.0.1")
    assert (response.status, response.method, response.branch) == (486, "INVITE", invite.branch)
    assert tag_of(response.get("To")) == "t1"
    assert tag_of(respond(response, 486, tag="t2").get("To")) == "t1"
    assert uri_of(response.get("Contact")) == "sip:x@127.0.0.1"


def test_cancel_and_the_ack_of_a_refusal_stay_in_the_transaction(invite: Message) -> None:
    cancel, ack = cancel_of(invite), ack_of(invite, respond(invite, 486, tag="t1"))
    assert cancel.branch == ack.branch == invite.branch
    assert (cancel.get("CSeq"), ack.get("CSeq")) == ("1 CANCEL", "1 ACK")
    assert tag_of(ack.get("To")) == "t1"


def test_replaces_names_the_tags_as_the_peer_has_them() -> None:
    dialog = Dialog("sip:a@h", "sip:b@h", HERE, "sip:b@h", call_id="c@h", local_tag="mine", remote_tag="theirs")
    assert dialog.replaces == "c%40h%3Bto-tag%3Dtheirs%3Bfrom-tag%3Dmine"


@pytest.mark.parametrize("direction", ["sendrecv", "sendonly", "recvonly", "inactive"])
def test_a_media_description_is_read_as_it_was_written(direction: sdp.Direction) -> None:
    described = sdp.Described(("127.0.0.1", 4000), direction)
    assert sdp.read(sdp.write(described)) == described
    assert described.receives is (direction in ("sendrecv", "recvonly"))


def test_a_hold_is_answered_by_its_opposite() -> None:
    held = sdp.Described(("127.0.0.1", 4000), "sendonly")
    assert held.answer_direction() == "recvonly"
    assert sdp.Described(held.address).answer_direction("sendonly") == "sendonly"


def test_a_body_without_audio_describes_nothing() -> None:
    assert sdp.read("") is None
    assert sdp.read("v=0\r\nc=IN IP4 127.0.0.1\r\nm=video 5000 RTP/AVP 96\r\n") is None
