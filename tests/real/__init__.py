"""What the tests on real parts share: a real Asterisk and rtpengine, the front end, SIPp, and ears for RTP."""
