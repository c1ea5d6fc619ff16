"""A small SIP phone for the lab: many in one process, each with a log of what it sent and received.

messages, sdp     values: SIP messages and media descriptions, read and written
dialog            the identity of one call, and requests within it
transactions      retransmits unanswered requests, and answers retransmitted ones
call, phone       what a phone does with calls; a bank of phones shares one UDP port
udp, media        sockets with the kernel's time of arrival; RTP sent and recorded
behaviour         what a phone does by itself with an incoming call
legs, heard       what happened, from the logs: when a phone rang, who was heard when
presence          whose sound is in each frame, and how loud

    async with PhoneBank(asterisk) as bank:
        caller, agent = bank.phone("3101", tone_hz=650), bank.phone("8011", tone_hz=750)
        call = caller.call("8011")
        there = await agent.next_call()
        there.ring()
        await there.answer()
        await call.until(State.TALKING)
        await there.refer("8012")
    who_was_heard(call.media.received, {"8011": 750})
"""
