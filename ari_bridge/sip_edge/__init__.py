"""The SIP edge, as far as this program knows of it: what its Kamailio tells, and is told, by JSON-RPC."""

from ari_bridge.sip_edge.registrar import EdgeRegistrar
from ari_bridge.sip_edge.registrations import Registration
from ari_bridge.sip_edge.rpc import EdgeRpc

__all__ = ["EdgeRegistrar", "EdgeRpc", "Registration"]
