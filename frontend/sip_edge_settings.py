"""The settings of the SIP edge: by which SIP phones and programs call, without a browser."""

from typing import Annotated

from pydantic import Field
from pydantic_settings import BaseSettings


class SipEdgeSettings(BaseSettings):
    """Part of `Settings`."""

    sip_realm: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,64}$", examples=["sip.example.com"])] = "ari-bridge"
    sip_edge_token: Annotated[
        str, Field(pattern=r"^([\x21-\x7e]{32,})?$", repr=False, examples=["the output of openssl rand -hex 32"])
    ] = ""
    sip_edge_rpc_url: Annotated[
        str, Field(pattern=r"^(https?://[^/\s@]+/\S*)?$", examples=["http://127.0.0.1:5064/RPC"])
    ] = ""
    sip_edge_ring: Annotated[
        str, Field(pattern=r"^(PJSIP/\S+\{user\}\S*)?$", examples=["PJSIP/edge/sip:{user}@127.0.0.1:5062"])
    ] = ""
