"""Installs and runs the real Asterisk and rtpengine beside the front end, for `make demo` and for the tests.

Standard library only: this runs before anything is installed.
"""
