"""Tiny real servers with failure knobs, in place of Asterisk and rtpengine."""
