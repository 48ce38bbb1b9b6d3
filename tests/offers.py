"""A browser's SDP offer, cut to what is read of it: the one that the documentation shows."""

from frontend.http.examples import OFFER as OFFER
