"""Examples that the documentation shows. They are real: the tests hold them against what is sent."""

OFFER = "\r\n".join(
    [
        "v=0",
        "o=- 4611731400430051336 2 IN IP4 127.0.0.1",
        "s=-",
        "t=0 0",
        "a=group:BUNDLE 0",
        "m=audio 9 UDP/TLS/RTP/SAVPF 111 0 126",
        "c=IN IP4 0.0.0.0",
        "a=ice-ufrag:4ZcD",
        "a=ice-pwd:2/1muCWoOi3uLifh0NuRHlav",
        "a=fingerprint:sha-256 7B:8B:F0:65:5F:78:E2:51:3B:AC:6F:F3:3F:46:1B:35:DC:B8:5F:64:1A:24:C2:43:F0:A1:58:D0",
        "a=setup:actpass",
        "a=mid:0",
        "a=sendrecv",
        "a=rtcp-mux",
        "a=rtpmap:111 opus/48000/2",
        "a=rtpmap:0 PCMU/8000",
        "a=rtpmap:126 telephone-event/8000",
        "",
    ]
)
"""What a browser's `createOffer` makes, cut to what is read of it."""

ANSWER = "\r\n".join(
    [
        "v=0",
        "o=- 4611731400430051336 2 IN IP4 192.0.2.10",
        "s=-",
        "t=0 0",
        "a=group:BUNDLE 0",
        "m=audio 30012 UDP/TLS/RTP/SAVPF 111 126",
        "c=IN IP4 192.0.2.10",
        "a=ice-ufrag:OeV5tDMc",
        "a=ice-pwd:Wb2wTzO0r9xYx3pPbXcYlUq0Hn",
        "a=fingerprint:sha-256 4C:9D:0B:6F:11:8A:25:E7:60:BD:33:F4:92:1E:58:C7:"
        "0A:D3:46:BF:7E:19:85:2C:E0:5B:94:3D:A8:61:FC:07",
        "a=setup:active",
        "a=mid:0",
        "a=sendrecv",
        "a=rtcp-mux",
        "a=rtpmap:111 opus/48000/2",
        "a=rtpmap:126 telephone-event/8000",
        "a=candidate:1 1 UDP 2130706431 192.0.2.10 30012 typ host",
        "a=end-of-candidates",
        "",
    ]
)

CALL_ID = "1k3f8q0w2m7x5z9c4vb"
AT = 1790000000.25
"""Unix seconds: when the call of the examples began."""
